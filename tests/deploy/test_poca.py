"""deploy/poca: networks whose blocks are cut by whoever wins the right to by his credit."""

from collections import Counter

import pytest

from gridloom.client.admin import ChaincodeDefinition
from gridloom.common.blocks import consenter_metadata, header_hash
from gridloom.common.poca import read_config, read_proof, verify_block
from gridloom.deploy.document import DocumentError
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from gridloom.deploy.up import UpOptions
from harness.network import PROBE

DESCRIPTION = """
consensus: poca
poca:
  difficulty: 6
  credits: {orderer1.example.com: "97.5", orderer2.example.com: 40}
orderer_organizations:
  - {name: Orderer, orderers: [{name: orderer0}, {name: orderer1}, {name: orderer2}]}
"""


@pytest.mark.network
async def test_three_orderers_serve_a_network_and_peers_check_every_proof():
    async with Network.in_memory(Topology.parse(DESCRIPTION)) as network:
        channel = network.topology.channels[0]
        assert len(channel.orderers) == 3
        await network.access.deploy_chaincode(
            package_source(PROBE), ChaincodeDefinition("probe"), channel
        )
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("probe")
        for number in range(5):
            await contract.submit_transaction("put", f"key{number}", "value")
        config = network.orderers["orderer0.example.com"].registrar.get("mychannel")
        metadata = config.orderer_config.metadata
        credits_ = [str(each.credit) for each in read_config(metadata).consenters]
        assert credits_ == ["100", "97.5", "40"]
        ledger = next(iter(network.peers.values())).channel("mychannel").ledger
        blocks = [ledger.block(number) for number in range(1, ledger.height)]
        for block in blocks:
            verify_block(block, metadata)
        winners = Counter(read_proof(consenter_metadata(block)).consenter for block in blocks)
        assert sum(winners.values()) == len(blocks)
        other = network.orderers["orderer2.example.com"].registrar.get("mychannel")
        await other.wait_for(len(blocks) + 1)
        for block in blocks:
            copy = other.get_block(block.header.number)
            assert header_hash(copy.header) == header_hash(block.header)


def test_the_test_network_is_had_with_poca_by_options():
    text = UpOptions(orderers=3, consensus="poca").description()
    topology = Topology.parse(text)
    assert topology.consensus == "poca"
    assert len(topology.channels[0].orderers) == 3


@pytest.mark.parametrize(
    ("poca", "path", "says"),
    [
        ("{difficulty: 25}", "poca.difficulty", "25 is not in 0..24"),
        ('{temperature: "0"}', "poca.temperature", "must be above zero"),
        ("{temperature: 0.5}", "poca.temperature", "is no points"),
        ("{credits: {nobody: 5}}", "poca.credits.nobody", "no orderer is called 'nobody'"),
        ("{credits: {orderer.example.com: 101}}", "poca.credits.orderer.example.com", "above 100"),
        ("{credits: {orderer.example.com: x}}", "poca.credits.orderer.example.com", "no points"),
        ("{tau: 3}", "poca.tau", "unknown key"),
    ],
)
def test_a_fault_in_the_description_is_named_by_its_place(poca, path, says):
    with pytest.raises(DocumentError, match=says) as caught:
        Topology.parse(f"consensus: poca\npoca: {poca}")
    assert str(caught.value).startswith(path)

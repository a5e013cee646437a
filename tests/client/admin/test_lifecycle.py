"""Chaincodes from an operator's side (peer lifecycle chaincode), and calls without a gateway."""

import asyncio

import pytest

from gridloom.client import CommitError
from gridloom.client.admin import (
    BroadcastError,
    ChaincodeDefinition,
    EndorsementError,
    Invocation,
    LifecycleAdmin,
    parse_collections,
)
from gridloom.common.policies.language import PolicyLanguageError
from gridloom.common.proposals import ProposalResponsesDiffer
from gridloom.common.rpc import RpcError
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_id_of, package_source
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.peer.lifecycle.lifecycle_pb2 import CommitChaincodeDefinitionArgs
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from harness.client_networks import COLLECTIONS, COUNCIL, deploy
from harness.network import PROBE, settled_height

PEERS = ("peer0.org1.example.com", "peer0.org2.example.com")
PACKAGE = package_source(PROBE, label="probe_1")


@pytest.fixture
async def network():
    async with Network.in_memory(development=False) as network:
        yield network


@pytest.fixture
def peers(network):
    return [network.access.peer(name) for name in PEERS]


def orderer(network):
    return network.access.orderer(network.topology.channels[0])


def invocation(network, organization="Org1", user="User1"):
    return Invocation(network.access.signer(organization, user), timeout=5)


async def approve(network, definition, package_id=""):
    for organization, name in zip(("Org1", "Org2"), PEERS, strict=True):
        await network.access.lifecycle(organization).approve(
            network.access.peer(name), orderer(network), "mychannel", definition, package_id
        )


class TestPackages:
    async def test_a_package_is_installed_once_and_read_again(self, network, peers):
        admin = network.access.lifecycle("Org1")
        package_id = await admin.install(peers[0], PACKAGE)
        assert package_id == package_id_of(PACKAGE)
        assert await admin.installed(peers[0]) == {package_id: "probe_1"}
        assert await admin.installed_package(peers[0], package_id) == PACKAGE
        with pytest.raises(EndorsementError, match="chaincode already successfully installed"):
            await admin.install(peers[0], PACKAGE)

    async def test_only_administrators_of_the_organisation_install(self, network, peers):
        client = LifecycleAdmin(invocation(network))
        with pytest.raises(EndorsementError, match="failed ACL check"):
            await client.install(peers[0], PACKAGE)
        with pytest.raises(RpcError, match="access denied"):  # the proposal as such is refused
            await network.access.lifecycle("Org2").install(peers[0], PACKAGE)

    async def test_what_is_no_package_is_refused(self, network, peers):
        with pytest.raises(EndorsementError) as caught:
            await network.access.lifecycle("Org1").install(peers[0], b"no package")
        assert caught.value.status == 500

    async def test_an_unknown_package_is_not_found(self, network, peers):
        with pytest.raises(EndorsementError, match="chaincode install package 'x:00' not found"):
            await network.access.lifecycle("Org1").installed_package(peers[0], "x:00")


class TestDefinitions:
    async def test_a_definition_goes_from_approval_to_commit(self, network, peers):
        admin = network.access.lifecycle("Org1")
        collections = parse_collections(COLLECTIONS)
        definition = ChaincodeDefinition(
            "council", "2.1", endorsement_policy="OR('Org1MSP.peer')", collections=collections
        )
        other = ChaincodeDefinition("council", "2.2")
        await admin.approve(peers[0], orderer(network), "mychannel", definition, "")
        assert await admin.readiness(peers[0], "mychannel", definition) == {
            "Org1MSP": True,
            "Org2MSP": False,
        }
        assert not any((await admin.readiness(peers[0], "mychannel", other)).values())
        await network.access.lifecycle("Org2").approve(
            peers[1], orderer(network), "mychannel", definition
        )
        await settled_height(network.access)
        await admin.commit(peers, orderer(network), "mychannel", definition)
        committed = await admin.committed(peers[0], "mychannel", "council")
        assert (committed.sequence, committed.version) == (1, "2.1")
        assert committed.validation_parameter == definition.validation_parameter()
        assert committed.collections == collections
        assert dict(committed.approvals) == {"Org1MSP": True, "Org2MSP": True}
        approved = await admin.approved(peers[0], "mychannel", "council")
        assert (approved.sequence, approved.version) == (1, "2.1")
        (found,) = (await admin.all_committed(peers[0], "mychannel")).chaincode_definitions
        assert found.name == "council"

    async def test_an_unknown_definition_is_not_found(self, network, peers):
        with pytest.raises(EndorsementError, match="namespace nosuch is not defined") as caught:
            await network.access.lifecycle("Org1").committed(peers[0], "mychannel", "nosuch")
        assert caught.value.status == 404

    async def test_sequences_go_up_by_one(self, network, peers):
        definition = ChaincodeDefinition("probe", sequence=2)
        with pytest.raises(EndorsementError, match="requested sequence 2"):
            await network.access.lifecycle("Org1").approve(
                peers[0], orderer(network), "mychannel", definition
            )

    async def test_a_commit_wants_enough_endorsements(self, network, peers):
        definition = ChaincodeDefinition("probe")
        await approve(network, definition)
        await settled_height(network.access)
        admin = network.access.lifecycle("Org1")
        with pytest.raises(CommitError) as caught:
            await admin.commit(peers[:1], orderer(network), "mychannel", definition)
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"

    async def test_the_gateway_commits_and_approves_too(self, network, peers):
        """As the Go administration SDK does it: ``_lifecycle`` as a contract."""
        definition = ChaincodeDefinition("probe")
        await approve(network, definition)
        await settled_height(network.access)
        arguments = CommitChaincodeDefinitionArgs(name="probe", version="1.0", sequence=1)
        gateway = network.access.gateway("Org1", "Admin")
        contract = gateway.get_network("mychannel").get_contract("_lifecycle")
        await contract.submit_transaction(
            "CommitChaincodeDefinition", arguments.SerializeToString()
        )
        committed = await network.access.lifecycle("Org1").committed(peers[0], "mychannel", "probe")
        assert committed.sequence == 1

    @pytest.mark.parametrize(
        ("policy", "kind"),
        [
            ("OR('Org1MSP.peer')", "signature_policy"),
            ("/Channel/Application/Writers", "channel_config_policy_reference"),
        ],
    )
    def test_a_policy_is_in_the_language_or_a_reference(self, policy, kind):
        definition = ChaincodeDefinition("basic", endorsement_policy=policy)
        parsed = ApplicationPolicy.FromString(definition.validation_parameter())
        assert parsed.WhichOneof("Type") == kind
        assert ChaincodeDefinition("basic").validation_parameter() == b""

    def test_a_policy_that_does_not_parse_is_refused_here(self):
        with pytest.raises(PolicyLanguageError):
            ChaincodeDefinition("basic", endorsement_policy="OR(").validation_parameter()


class TestInvocation:
    @pytest.fixture
    async def network(self, network):
        await deploy(network, COUNCIL, "council", "AND('Org1MSP.peer', 'Org2MSP.peer')")
        return network

    async def test_a_transaction_is_endorsed_ordered_and_waited_for(self, network, peers):
        tx_id, response = await invocation(network).submit(
            peers, orderer(network), "mychannel", "council", b"put", b"key", b"value"
        )
        assert response.status == 200
        channel = network.peers[PEERS[0]].channel("mychannel")
        assert channel.ledger.tx_status(tx_id)[0] == 0

    async def test_peers_that_differ_stop_it_before_the_orderer(self, network, peers):
        height = await settled_height(network.access)
        with pytest.raises(ProposalResponsesDiffer):
            await invocation(network).submit(
                peers, orderer(network), "mychannel", "council", b"differ"
            )
        assert await settled_height(network.access) == height

    async def test_a_refusal_is_told_with_its_status(self, network, peers):
        with pytest.raises(EndorsementError) as caught:
            await invocation(network).query(
                peers[0], "mychannel", "council", b"refuse", b'["Org1MSP"]'
            )
        assert (caught.value.status, caught.value.message) == (
            500,
            "Org1MSP refuses to endorse this",
        )

    async def test_too_few_endorsements_are_told_at_commit(self, network, peers):
        with pytest.raises(CommitError) as caught:
            await invocation(network).submit(
                peers[:1], orderer(network), "mychannel", "council", b"put", b"key", b"value"
            )
        assert caught.value.status_name == "ENDORSEMENT_POLICY_FAILURE"

    async def test_transient_data_goes_with_a_transaction(self, network, peers):
        arguments = (b"hide", b"_implicit_org_Org1MSP", b"key")
        await invocation(network).submit(
            peers, orderer(network), "mychannel", "council", *arguments, transient={"value": b"x"}
        )
        response = await invocation(network).query(
            peers[0], "mychannel", "council", b"reveal", *arguments[1:]
        )
        assert response.payload == b"x"

    async def test_an_orderers_refusal_is_told_with_its_reason(self, network):
        with pytest.raises(BroadcastError) as caught:
            await invocation(network).broadcast(orderer(network), Envelope(payload=b"\xff"))
        assert caught.value.status == 400
        assert "BAD_REQUEST" in str(caught.value)

    async def test_many_at_once_are_all_committed(self, network, peers):
        submitted = await asyncio.gather(
            *(
                invocation(network).submit(
                    peers, orderer(network), "mychannel", "council", b"put", b"k%d" % n, b"v"
                )
                for n in range(10)
            )
        )
        assert len({tx_id for tx_id, _ in submitted}) == 10

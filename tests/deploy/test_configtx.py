"""The configuration of a described channel: it loads, and it says what the document says."""

from datetime import UTC, datetime, timedelta

import pytest

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.policies.language import render
from gridloom.deploy.configtx import channel_genesis_block, channel_group
from gridloom.deploy.material import create_material
from gridloom.deploy.topology import Topology

DOCUMENT = """
organizations:
  - {name: Org1, peers: 2}
  - name: Org2
    peers: [{port: 8888, anchor: true}]
    policies: {Endorsement: "OR('Org2MSP.admin')"}
  - {name: Org3, peers: 0}
orderer_organizations:
  - {name: Orderer}
  - {name: Other}
channels:
  - name: grid
    members: [Org2, Org1]
    orderers: [orderer.other.example.com]
    endorsement: AND('Org1MSP.peer', 'Org2MSP.peer')
    batch: {max_message_count: 3, timeout: 1m30s}
    capabilities: {channel: V3_0, application: V2_0}
    acls: {peer/Propose: Readers}
"""


def _now() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)


def _bundle(topology: Topology, name: str) -> ChannelBundle:
    channel = topology.channel(name)
    material = create_material(topology)
    block = channel_genesis_block(topology, channel, material.msp_config, _now, bytes)
    return ChannelBundle.from_config_block(block)


def test_the_default_network_has_a_loadable_channel():
    bundle = _bundle(Topology.default(), "mychannel")
    assert bundle.channel_id == "mychannel"
    assert bundle.orderer.consensus_type == "solo"
    assert bundle.orderer.addresses == ("127.0.0.1:7050",)
    assert bundle.orderer_endpoints == [("OrdererMSP", "127.0.0.1:7050")]
    assert bundle.application.orgs["Org2MSP"].anchor_peers == (("127.0.0.1", 9051),)
    assert "/Channel/Application/LifecycleEndorsement" in set(bundle.policies.paths())


def test_a_described_channel_says_what_the_document_says():
    bundle = _bundle(Topology.parse(DOCUMENT), "grid")
    assert set(bundle.application.orgs) == {"Org1MSP", "Org2MSP"}
    assert set(bundle.orderer.orgs) == {"OtherMSP"}
    assert bundle.orderer.addresses == ()
    assert bundle.orderer_endpoints == [("OtherMSP", "127.0.0.1:8050")]
    assert bundle.orderer.batch_timeout == timedelta(seconds=90)
    assert bundle.orderer.batch_size.max_message_count == 3
    assert bundle.capabilities.bft
    assert not bundle.capabilities.application.supports("V2_5")
    assert bundle.application.acls == {"peer/Propose": "/Channel/Application/Readers"}
    endorsement = bundle.policies.get("/Channel/Application/Endorsement").convert()
    assert render(endorsement) == "AND('Org1MSP.peer', 'Org2MSP.peer')"
    own = bundle.policies.get("/Channel/Application/Org2MSP/Endorsement").convert()
    assert render(own) == "OR('Org2MSP.admin')"


def test_equal_arguments_give_an_equal_block():
    topology = Topology.default()
    material = create_material(topology)
    first, second = (
        channel_genesis_block(topology, topology.channels[0], material.msp_config, _now, bytes)
        for _ in range(2)
    )
    assert first.SerializeToString() == second.SerializeToString()


def test_an_open_port_cannot_be_written_into_a_channel():
    topology = Topology.parse("orderer_organizations: [{name: O, orderers: [{port: 0}]}]")
    material = create_material(topology)
    with pytest.raises(ConfigError, match="port of orderer"):
        channel_group(topology, topology.channels[0], material.msp_config)

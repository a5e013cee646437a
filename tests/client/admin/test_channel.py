"""Channels from an operator's side: join, list, info, fetch, update (peer channel)."""

import time
from datetime import timedelta

import pytest

from gridloom.client.admin import BroadcastError, ChannelAdmin, DeliverError, EndorsementError
from gridloom.common.blocks import envelope_at, header_hash, is_config_block
from gridloom.common.channel.genesis import genesis_block
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.protos.common.common_pb2 import FORBIDDEN, NOT_FOUND
from gridloom.protos.common.configtx_pb2 import Config
from gridloom.protos.orderer.configuration_pb2 import BatchTimeout
from harness.client_networks import deploy
from harness.network import PROBE, settled_height

PEER = "peer0.org1.example.com"
TIMED = """
cutting: timeout
channels:
  - {name: mychannel, batch: {timeout: 20ms}}
"""


@pytest.fixture
async def network():
    async with Network.in_memory(development=False) as network:
        yield network


def admin(network, organization="Org1"):
    return network.access.channel_admin(organization)


def orderer(network):
    return network.access.orderer(network.topology.channels[0])


async def test_a_peer_tells_its_channels_and_their_height(network):
    peer = network.access.peer(PEER)
    assert await admin(network).list(peer) == ["mychannel"]
    info = await admin(network).info(peer, "mychannel")
    genesis = await admin(network).fetch(orderer(network), "mychannel", 0)
    assert info.height == 1
    assert info.currentBlockHash == header_hash(genesis.header)


async def test_a_peer_joins_a_channel_once(network):
    peer = network.access.peer(PEER)
    builder = network.builder
    group = (await admin(network).fetch_config(orderer(network), "mychannel")).channel_group
    block = genesis_block("second", group, builder.now, builder.random_bytes)
    await admin(network).join(peer, block)
    assert await admin(network).list(peer) == ["mychannel", "second"]
    with pytest.raises(EndorsementError, match=r"ledger \[second\] already exists"):
        await admin(network).join(peer, block)


async def test_only_an_administrator_joins(network):
    block = await admin(network).fetch(orderer(network), "mychannel", 0)
    user = ChannelAdmin(network.access.signer("Org1", "User1"))
    with pytest.raises(EndorsementError, match="access denied"):
        await user.join(network.access.peer(PEER), block)


async def test_blocks_are_fetched_by_number_or_the_newest(network):
    await deploy(network, PROBE, "probe")
    newest = await admin(network).fetch(orderer(network), "mychannel")
    assert newest.header.number == await settled_height(network.access) - 1
    first = await admin(network).fetch(orderer(network), "mychannel", 0)
    assert (first.header.number, is_config_block(first)) == (0, True)
    with pytest.raises(DeliverError) as caught:
        await admin(network).fetch(orderer(network), "mychannel", 1000)
    assert caught.value.status == NOT_FOUND


async def test_an_unknown_channel_or_a_stranger_fetches_nothing(network):
    with pytest.raises(DeliverError) as caught:
        await admin(network).fetch(orderer(network), "nosuch")
    assert caught.value.status == NOT_FOUND
    async with Network.in_memory() as other:
        stranger = ChannelAdmin(other.access.signer("Org1"))
    with pytest.raises(DeliverError) as caught:
        await stranger.fetch(orderer(network), "mychannel")
    assert caught.value.status == FORBIDDEN


async def changed(network, timeout):
    """The configuration, and the same with another BatchTimeout."""
    current = await admin(network).fetch_config(orderer(network), "mychannel")
    updated = Config()
    updated.CopyFrom(current)
    value = updated.channel_group.groups["Orderer"].values["BatchTimeout"]
    value.value = BatchTimeout(timeout=timeout).SerializeToString()
    return current, updated


class TestUpdate:
    @pytest.fixture
    async def network(self):
        async with Network.in_memory(Topology.parse(TIMED), development=False) as network:
            await deploy(network, PROBE, "probe")
            yield network

    async def seconds_to_commit(self, network):
        gateway = network.access.gateway("Org1")
        contract = gateway.get_network("mychannel").get_contract("probe")
        start = time.perf_counter()
        await contract.submit_transaction("put", "key", str(start))
        return time.perf_counter() - start

    async def test_a_change_is_in_force_at_the_orderer_and_the_peers(self, network):
        height = await settled_height(network.access)
        current, updated = await changed(network, "300ms")
        owner = ChannelAdmin(network.access.signer("OrdererMSP"))
        await owner.update(orderer(network), "mychannel", current, updated)
        await settled_height(network.access, height + 1)
        config = await admin(network).fetch_config(orderer(network), "mychannel")
        assert config.sequence == current.sequence + 1
        for peer in network.peers.values():
            bundle = peer.channel("mychannel").bundle
            assert bundle.orderer.batch_timeout == timedelta(milliseconds=300)
        assert await self.seconds_to_commit(network) > 0.25
        newest = await admin(network).fetch(orderer(network), "mychannel", height)
        assert is_config_block(newest)
        assert envelope_at(newest, 0).signature  # the orderer's

    async def test_signatures_of_others_are_added(self, network):
        current, updated = await changed(network, "300ms")
        signer = network.access.signer("OrdererMSP")
        height = await settled_height(network.access)
        await admin(network).update(orderer(network), "mychannel", current, updated, [signer])
        assert await settled_height(network.access, height + 1) == height + 1

    async def test_without_the_owners_signature_it_is_refused(self, network):
        current, updated = await changed(network, "300ms")
        with pytest.raises(BroadcastError, match=r"BAD_REQUEST|FORBIDDEN"):
            await admin(network).update(orderer(network), "mychannel", current, updated)

    async def test_a_change_of_an_old_configuration_is_refused(self, network):
        current, updated = await changed(network, "300ms")
        height = await settled_height(network.access)
        owner = ChannelAdmin(network.access.signer("OrdererMSP"))
        await owner.update(orderer(network), "mychannel", current, updated)
        await settled_height(network.access, height + 1)
        with pytest.raises(BroadcastError):
            await owner.update(orderer(network), "mychannel", current, updated)

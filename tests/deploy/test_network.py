"""A network inside a test: ready at once, under a clock and a seed of its own."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from gridloom.client import Gateway, GatewayError
from gridloom.deploy.material import MaterialError
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from gridloom.protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload
from harness.network import PROBE, chain, contract, deploy, nodes, settled_height


async def test_chaincode_errors_carry_tracebacks_in_development_only():
    for development in (True, False):
        async with Network.in_memory(development=development) as network:
            await deploy(network.access, PROBE, "probe")
            with pytest.raises(Exception, match="integer division") as caught:
                await contract(network.access, "probe").submit_transaction("crash")
            assert ("chaincode.py" in str(caught.value)) == development


async def test_any_number_of_organisations_and_channels():
    topology = Topology.parse(
        "organizations: [{name: A, peers: 2}, {name: B}, {name: C}]\n"
        "channels: [{name: ab, members: [A, B]}, {name: abc}]"
    )
    async with Network.in_memory(topology) as network:
        access = network.access
        await deploy(access, PROBE, "probe")
        await contract(access, "probe", "A").submit_transaction("put", "k", "v")
        assert network.peers["peer0.c.example.com"].channel_ids() == ["abc"]
        assert network.peers["peer1.a.example.com"].channel_ids() == ["ab", "abc"]
        with pytest.raises(KeyError):
            access.topology.organization("D")
        with pytest.raises(MaterialError):
            access.gateway("A", "Eve")


async def test_time_and_randomness_come_from_whoever_makes_it():
    moment = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    ticks = iter(range(10**6))

    def now():
        return moment + timedelta(milliseconds=next(ticks))

    genesis = []
    for _ in range(2):
        source = random.Random(7)
        network = Network.in_memory(now=now, random_bytes=source.randbytes)
        async with network:
            (channel,) = network.topology.channels
            genesis.append(network.builder.genesis_block(channel))
    for block in genesis:
        assert header_of(block).timestamp.ToDatetime(UTC).year == 2030
    assert header_of(genesis[0]).tx_id == header_of(genesis[1]).tx_id


def header_of(block: Block) -> ChannelHeader:
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    return ChannelHeader.FromString(payload.header.channel_header)


async def test_without_tls_it_serves_in_the_clear():
    topology = Topology.parse("tls: false").with_ports(lambda _: 0)
    async with Network.create(topology) as network:
        await network.serve()
        await deploy(network.access, PROBE, "probe")
        (peer, *_) = network.topology.peers()
        signer = network.access.signer("Org1", "User1")
        async with Gateway.connect(peer.endpoint, signer) as gateway:
            probe = gateway.get_network("mychannel").get_contract("probe")
            assert await probe.submit_transaction("put", "k", "v") == b"v"


async def test_a_stopped_network_refuses_calls():
    async with Network.in_memory() as network:
        await deploy(network.access, PROBE, "probe")
        await settled_height(network.access)
        assert len(await chain(network.access, nodes(network.access)[0][0])) >= 3
    with pytest.raises(GatewayError):
        await contract(network.access, "probe").submit_transaction("put", "k", "v")

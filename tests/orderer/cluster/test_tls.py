"""The cluster port over real TLS: both sides know exactly whom they expect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import cache

import pytest

from gridloom.common.rpc import Code, RpcError, ServiceRegistry
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.deploy.material import Material, create_material
from gridloom.deploy.topology import Topology
from gridloom.orderer.cluster.dialer import grpc_dialer
from gridloom.orderer.cluster.members import Member
from gridloom.orderer.cluster.server import cluster_server
from gridloom.orderer.cluster.service import CLUSTER, ClusterService
from gridloom.orderer.cluster.transport import STEP
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest, StepResponse

ONE, TWO, THREE = ("orderer.example.com", "orderer2.example.com", "orderer3.example.com")


@cache
def material() -> Material:
    text = "consensus: raft\norderer_organizations: [{name: Orderer, orderers: 3}]\n"
    return create_material(Topology.parse(text))


@cache
def strangers() -> Material:
    return create_material(Topology.default())


class Receiver:
    """Takes what the second orderer sends."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.members = {member(TWO, "").client_key: 2}

    def member_with_key(self, key: bytes) -> int | None:
        return self.members.get(key)

    async def consensus(self, request: ConsensusRequest, sender: int) -> None:
        self.heard.append(sender)

    async def submit(self, request: object, sender: int) -> None:
        """Not in these tests."""


class Node:
    """An orderer, as far as its cluster port goes."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.roots = b""

    def cluster_services(self) -> ServiceRegistry:
        services = ServiceRegistry()
        services.add(CLUSTER, ClusterService(lambda _: self.receiver))
        return services

    def consenter_roots(self) -> bytes:
        return self.roots


def member(name: str, endpoint: str, of: Material | None = None) -> Member:
    certificate = (of or material()).tls_certificate(name)
    return Member(1, endpoint, certificate, certificate)


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[str]:
    own = material().node(ONE).tls
    server = cluster_server(node, "127.0.0.1:0", own.certificate, own.key, own.root)
    port = await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop()


async def send(channel: GrpcChannel, *, connected: bool = True) -> RpcError | None:
    """Send one message, over a connection unless there can be none; what became of it."""

    async def one() -> AsyncIterator[StepRequest]:
        yield StepRequest(consensus_request=ConsensusRequest(channel="mychannel"))

    try:
        async with asyncio.timeout(120):
            if connected:
                await channel.wait_for_ready()
            async with aclosing(channel.stream(STEP, one(), StepResponse)) as answers:
                async for _ in answers:
                    pass
    except RpcError as error:
        return error
    finally:
        await channel.close()
    return None


def dial(name: str, target: Member, of: Material | None = None) -> GrpcChannel:
    own = (of or material()).node(name).tls
    channel = grpc_dialer(own.certificate, own.key)(target)
    assert isinstance(channel, GrpcChannel)
    return channel


async def test_a_consenter_is_heard() -> None:
    node = Node()
    async with running(node) as endpoint:
        assert await send(dial(TWO, member(ONE, endpoint))) is None
    assert node.receiver.heard == [2]


async def test_an_orderer_that_is_no_consenter_is_refused() -> None:
    node = Node()
    async with running(node) as endpoint:
        error = await send(dial(THREE, member(ONE, endpoint)))
    assert error is not None
    assert error.code is Code.PERMISSION_DENIED
    assert node.receiver.heard == []


async def test_a_certificate_of_a_foreign_ca_does_not_even_connect() -> None:
    node = Node()
    async with running(node) as endpoint:
        error = await send(dial(ONE, member(ONE, endpoint), strangers()), connected=False)
    assert error is not None
    assert error.code is Code.UNAVAILABLE


async def test_a_ca_that_joins_later_is_trusted_from_then_on() -> None:
    node = Node()
    async with running(node) as endpoint:
        stranger = member(ONE, endpoint, strangers())
        node.roots = strangers().node(ONE).tls.root
        node.receiver.members[stranger.client_key] = 7
        assert await send(dial(ONE, member(ONE, endpoint), strangers())) is None
    assert node.receiver.heard == [7]


@pytest.mark.parametrize("expected", [TWO, THREE])
async def test_a_server_with_another_certificate_of_the_same_ca_is_not_believed(
    expected: str,
) -> None:
    node = Node()
    async with running(node) as endpoint:
        error = await send(dial(TWO, member(expected, endpoint)), connected=False)
    assert error is not None
    assert error.code is Code.UNAVAILABLE
    assert node.receiver.heard == []


async def test_many_connections_at_once_are_survived() -> None:
    node = Node()
    async with running(node) as endpoint:
        target = member(ONE, endpoint)
        for _ in range(5):
            sent = await asyncio.gather(*(send(dial(TWO, target)) for _ in range(20)))
            assert sent == [None] * 20

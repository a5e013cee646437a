"""Who may speak on ``orderer.Cluster/Step``, and what becomes of nonsense."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing

import pytest

from gridloom.common.certificates import parse_pem
from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.local import LocalChannel
from gridloom.orderer.cluster.transport import STEP
from gridloom.orderer.raft.messages import Message, MessageType
from gridloom.orderer.raft.wire import encode_message
from gridloom.protos.common.common_pb2 import Status
from gridloom.protos.orderer.cluster_pb2 import ConsensusRequest, StepRequest, StepResponse
from harness.ordering_cluster import CHANNEL, ClusterNode, RaftCluster
from harness.virtual_time import virtual

NAMES = ("orderer.example.com", "orderer2.example.com", "orderer3.example.com")


def step(message: Message | bytes, channel: str = CHANNEL) -> StepRequest:
    payload = message if isinstance(message, bytes) else encode_message(message)
    return StepRequest(consensus_request=ConsensusRequest(channel=channel, payload=payload))


async def stream_of(requests: Iterable[StepRequest]) -> AsyncIterator[StepRequest]:
    for request in requests:
        yield request


async def ends_with(
    node: ClusterNode, certificate: bytes | None, *requests: StepRequest
) -> RpcError | None:
    """What ends a stream of these requests."""
    assert node.cluster is not None
    channel = LocalChannel(node.cluster, certificate)
    try:
        async with aclosing(channel.stream(STEP, stream_of(requests), StepResponse)) as answers:
            async for _ in answers:
                pass
    except RpcError as error:
        return error
    return None


BEAT = Message(MessageType.HEARTBEAT, to=1, from_=2, term=1)
NONSENSE = {
    "bytes that are no message": (step(b"\xff\xff"), Code.INVALID_ARGUMENT, "raftpb"),
    "a message for another node": (
        step(Message(MessageType.APP, to=3, from_=2, term=1)),
        Code.INVALID_ARGUMENT,
        "from 2 to 3, but 2 sent it here",
    ),
    "a message in another's name": (
        step(Message(MessageType.APP, to=1, from_=3, term=1)),
        Code.INVALID_ARGUMENT,
        "from 3 to 1, but 2 sent it here",
    ),
    "a type that does not exist": (step(b"\x08\x63\x10\x01\x18\x02"), Code.INVALID_ARGUMENT, ""),
    "no channel": (step(BEAT, ""), Code.INVALID_ARGUMENT, "no channel"),
    "an unknown channel": (step(BEAT, "yours"), Code.NOT_FOUND, "yours"),
    "nothing at all": (StepRequest(), Code.INVALID_ARGUMENT, "neither a Submit nor a Consensus"),
}


@pytest.mark.parametrize("what", NONSENSE)
@virtual
async def test_nonsense_ends_the_stream_and_harms_nobody(what: str) -> None:
    request, code, words = NONSENSE[what]
    async with RaftCluster(3) as cluster:
        await cluster.leader()
        sender = parse_pem(cluster.material.tls_certificate(NAMES[1])).raw
        error = await ends_with(cluster[NAMES[0]], sender, request)
        assert error is not None
        assert error.code is code
        assert words in error.message
        assert await cluster.submit(NAMES[0], cluster.message("still there")) == [Status.SUCCESS]


@virtual
async def test_only_consenters_of_the_channel_are_heard() -> None:
    async with RaftCluster(4, members=3) as cluster:
        await cluster.leader()
        stranger = parse_pem(cluster.material.tls_certificate("orderer4.example.com")).raw
        error = await ends_with(cluster[NAMES[0]], stranger, step(BEAT))
        assert error is not None
        assert error.code is Code.PERMISSION_DENIED
        assert "none of a consenter of mychannel" in error.message
        for nobody in (None, b"no certificate"):
            error = await ends_with(cluster[NAMES[0]], nobody, step(BEAT))
            assert error is not None
            assert error.code is Code.UNAUTHENTICATED


@virtual
async def test_a_storm_of_random_bytes_changes_nothing() -> None:
    async with RaftCluster(3, seed=5) as cluster:
        leader = await cluster.leader()
        victim = next(name for name in NAMES if name != leader.name)
        sender = parse_pem(cluster.material.tls_certificate(leader.name)).raw
        for _ in range(300):
            size = cluster.random.randrange(40)
            await ends_with(cluster[victim], sender, step(cluster.random.randbytes(size)))
        await asyncio.sleep(3)
        assert await cluster.submit(victim, cluster.message("still there")) == [Status.SUCCESS]
        await cluster.settled()
        cluster.require_same_blocks()

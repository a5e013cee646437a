"""The first start of a cluster while not everybody is there."""

import itertools
from dataclasses import replace

import pytest

from gridloom.orderer.etcdraft.rejoining import Rejoining
from gridloom.orderer.raft.messages import Message, MessageType
from gridloom.protos.common.common_pb2 import Status
from harness.ordering_cluster import RaftCluster
from harness.virtual_time import virtual


def cluster_of(size: int, *, first_start: bool) -> RaftCluster:
    cluster = RaftCluster(size, submit_timeout=5)
    cluster.settings = replace(cluster.settings, first_start=first_start)
    return cluster


@pytest.mark.parametrize(("size", "there"), [(3, 2), (5, 3)])
@virtual
async def test_a_majority_begins_if_somebody_vouches_for_it(size: int, there: int) -> None:
    cluster = cluster_of(size, first_start=True)
    names = list(cluster.nodes)
    for name in names[-there:]:
        await cluster.start(name, join=cluster.genesis)
    leader = await cluster.leader()
    assert await cluster.submit(leader.name, cluster.message("one")) == [Status.SUCCESS]
    for name in names[:-there]:
        await cluster.start(name, join=cluster.genesis)
    assert await cluster.submit(names[0], cluster.message("two")) == [Status.SUCCESS]
    await cluster.settled()
    cluster.require_same_blocks()
    assert len(cluster.ordered(names[0])) == 2
    for name in names:
        await cluster.stop(name)


@virtual
async def test_nobody_begins_without_a_majority() -> None:
    cluster = cluster_of(3, first_start=True)
    name = next(iter(cluster.nodes))
    await cluster.start(name, join=cluster.genesis)
    assert await cluster.submit(name, cluster.message("one")) == [Status.SERVICE_UNAVAILABLE]
    await cluster.stop(name)


@virtual
async def test_without_anybody_s_word_two_of_three_wait_and_say_what_would_help() -> None:
    cluster = cluster_of(3, first_start=False)
    first, second, _ = cluster.nodes
    for name in (first, second):
        await cluster.start(name, join=cluster.genesis)
    [refused] = await cluster.broadcast(first, cluster.message("one"))
    assert refused.status == Status.SERVICE_UNAVAILABLE
    assert "nodes 3 must answer (or start it with --first-start" in refused.info
    for name in (first, second):
        await cluster.stop(name)


def test_whoever_comes_later_hears_of_what_a_majority_began() -> None:
    """Even with the word: of those it must hear, one has been part of any earlier majority."""
    for size in range(3, 10):
        majority = size // 2 + 1
        others = range(2, size + 1)
        needed = Rejoining(1, others, first_start=True).needed
        assert needed == majority - 1
        for began in itertools.combinations(others, majority):
            for heard in itertools.combinations(others, needed):
                late = Rejoining(1, others, first_start=True)
                for node_id in heard:
                    term = 2 if node_id in began else 1
                    late.hear(Message(MessageType.PRE_VOTE_RESP, to=1, from_=node_id, term=term))
                assert late.answered
                assert not late.beginning

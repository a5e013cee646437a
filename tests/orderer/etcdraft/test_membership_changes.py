"""Consenters that come, go and change their certificates while messages flow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from gridloom.common.blocks import consenter_metadata, last_config_index
from gridloom.orderer.etcdraft.metadata import read_block_metadata
from gridloom.protos.common.common_pb2 import Block, Status
from harness import ordering
from harness.ordering_cluster import CHANNEL, ClusterNode, RaftCluster
from harness.virtual_time import now, virtual

NAMES = ("orderer.example.com", *(f"orderer{number}.example.com" for number in range(2, 6)))
OK, BAD, UNAVAILABLE = Status.SUCCESS, Status.BAD_REQUEST, Status.SERVICE_UNAVAILABLE


@asynccontextmanager
async def messages_flowing(cluster: RaftCluster, *via: str) -> AsyncIterator[None]:
    """Send messages all the while, each of which must be ordered exactly once."""
    sent = []
    stopped = False

    async def send(name: str) -> None:
        while not stopped:
            message = cluster.message(f"{name}-{len(sent)}")
            assert await cluster.submit(name, message) == [OK]
            sent.append(message.SerializeToString())
            await asyncio.sleep(0.005)

    senders = [asyncio.create_task(send(name)) for name in via]
    try:
        await asyncio.sleep(0.1)
        yield
        await asyncio.sleep(0.1)
    finally:
        stopped = True
        await asyncio.gather(*senders)
    await cluster.settled()
    cluster.require_same_blocks()
    ordered = [data for data in cluster.ordered(via[0]) if data in set(sent)]
    assert sorted(ordered) == sorted(sent)


def config_block(node: ClusterNode) -> Block:
    """The newest config block of a node."""
    last = node.block(node.height - 1)
    return node.block(last_config_index(last) if last.header.number else 0)


def ids(node: ClusterNode) -> list[int]:
    """The Raft ids in a node's last block."""
    metadata = read_block_metadata(consenter_metadata(node.block(node.height - 1)))
    assert metadata is not None
    return list(metadata.consenter_ids)


@virtual
async def test_a_cluster_grows_from_one_to_five() -> None:
    async with RaftCluster(5, members=1) as cluster:
        await cluster.leader()
        async with messages_flowing(cluster, NAMES[0]):
            for name in NAMES[1:]:
                assert await cluster.add(name, NAMES[0]) == [OK]
                await cluster.start(name, join=config_block(cluster[NAMES[0]]))
                await cluster.settled()
        assert ids(cluster[NAMES[4]]) == [1, 2, 3, 4, 5]
        leader = await cluster.leader()
        await cluster.kill(leader.name)
        survivor = await cluster.leader()
        assert await cluster.submit(survivor.name, cluster.message("one fell")) == [OK]


@virtual
async def test_a_consenter_that_is_removed_follows_and_comes_back_with_a_new_id() -> None:
    async with RaftCluster(5, members=4) as cluster:
        leader = await cluster.leader()
        gone = next(name for name in cluster.members if name != leader.name)
        async with messages_flowing(cluster, leader.name):
            assert await cluster.remove(gone, leader.name) == [OK]
            await cluster.until(lambda: relation(cluster, gone) == "follower")
            assert await cluster.submit(gone, cluster.message("no")) == [UNAVAILABLE]
        assert 0 < len(ids(leader)) == 3
        async with messages_flowing(cluster, leader.name):
            assert await cluster.add(gone, leader.name) == [OK]
            await cluster.until(lambda: relation(cluster, gone) == "consenter")
        await cluster.submit(gone, cluster.message("again"))
        await cluster.settled()
        assert 5 in ids(leader)


@virtual
async def test_a_leader_that_is_removed_hands_over_first() -> None:
    async with RaftCluster(4) as cluster:
        leader = await cluster.leader()
        other = next(name for name in cluster.members if name != leader.name)
        async with messages_flowing(cluster, other):
            assert await cluster.remove(leader.name, other) == [OK]
            await cluster.until(lambda: relation(cluster, leader.name) == "follower")


@virtual
async def test_a_consenter_changes_its_certificate_and_keeps_its_id() -> None:
    async with RaftCluster(4, members=3) as cluster:
        leader = await cluster.leader()
        old = next(name for name in cluster.members if name != leader.name)
        spare = cluster.consenter(NAMES[3])
        changed = replace(
            cluster.consenter(old),
            client_tls_cert=spare.client_tls_cert,
            server_tls_cert=spare.server_tls_cert,
        )
        async with messages_flowing(cluster, leader.name):
            update = cluster.update(
                leader.name,
                lambda c: [changed if each == cluster.consenter(old) else each for each in c],
            )
            assert await cluster.submit(leader.name, update) == [OK]
            await cluster.until(lambda: relation(cluster, old) == "follower")
            await cluster.stop(old)
            await cluster.start(old, certificate_of=NAMES[3])
            assert relation(cluster, old) == "consenter"
            assert await cluster.submit(old, cluster.message("renewed")) == [OK]
        assert ids(leader) == [1, 2, 3]


@virtual
async def test_a_change_that_would_lose_the_quorum_is_refused_with_the_reason() -> None:
    async with RaftCluster(4, members=3) as cluster:
        leader = await cluster.leader()
        dead, alive = (name for name in cluster.members if name != leader.name)
        await cluster.kill(dead)
        await asyncio.sleep(5)
        for via in (leader.name, alive):
            (answer,) = await cluster.broadcast(
                via, cluster.update(via, lambda c: [x for x in c if x != cluster.consenter(alive)])
            )
            assert answer.status == BAD
            expected = "2 out of 3 nodes are alive, configuration will result in quorum loss"
            assert expected in answer.info
        assert await cluster.remove(dead, leader.name) == [OK]


@virtual
async def test_two_changes_at_once_are_refused() -> None:
    async with RaftCluster(5, members=3) as cluster:
        leader = await cluster.leader()
        more = [cluster.consenter(name) for name in NAMES[3:]]
        update = cluster.update(leader.name, lambda c: [*c, *more])
        (answer,) = await cluster.broadcast(leader.name, update)
        assert answer.status == BAD
        assert "more than one consenter at a time" in answer.info


@virtual
async def test_a_node_removed_while_it_was_away_finds_out_and_follows() -> None:
    async with RaftCluster(4) as cluster:
        leader = await cluster.leader()
        away = next(name for name in cluster.members if name != leader.name)
        await cluster.kill(away)
        await asyncio.sleep(2)
        assert await cluster.remove(away, leader.name) == [OK]
        for number in range(5):
            await cluster.submit(leader.name, cluster.message(f"m{number}"))
        begun = now()
        await cluster.start(away)
        await cluster.until(lambda: relation(cluster, away) == "follower")
        assert now() - begun < 30
        await cluster.settled()
        cluster.require_same_blocks()


@virtual
async def test_a_node_joins_as_a_follower_and_becomes_a_consenter() -> None:
    async with RaftCluster(4, members=3) as cluster:
        leader = await cluster.leader()
        await cluster.submit(leader.name, cluster.message("before"))
        await cluster.start(NAMES[3], join=cluster.genesis)
        await cluster.settled(at_least=2)
        assert relation(cluster, NAMES[3]) == "follower"
        async with messages_flowing(cluster, leader.name):
            assert await cluster.add(NAMES[3], leader.name) == [OK]
            await cluster.until(lambda: relation(cluster, NAMES[3]) == "consenter")
        assert await cluster.submit(NAMES[3], cluster.message("fourth")) == [OK]


@virtual
async def test_messages_of_other_members_with_a_wrong_sender_or_bytes_are_refused() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        key = ordering.now()
        assert key is not None
        assert leader.chain.member_with_key(b"nobody's") is None


def relation(cluster: RaftCluster, name: str) -> str:
    """What a node is to the channel."""
    return cluster[name].running.registrar.info(CHANNEL).consensus_relation

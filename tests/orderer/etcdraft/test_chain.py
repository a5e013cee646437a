"""Several orderers in one process under virtual time: what they agree on, whoever falls."""

import asyncio

import pytest

from gridloom.orderer.chain import CuttingMode
from gridloom.protos.common.common_pb2 import Status
from harness.ordering_cluster import CHANNEL, RaftCluster
from harness.virtual_time import now, virtual

ORDERERS = ("orderer.example.com", "orderer2.example.com", "orderer3.example.com")
OK, UNAVAILABLE = Status.SUCCESS, Status.SERVICE_UNAVAILABLE


@virtual
async def test_a_message_given_to_any_node_is_in_everybodys_next_block() -> None:
    async with RaftCluster(3) as cluster:
        await cluster.leader()
        for number, name in enumerate(ORDERERS, 1):
            assert await cluster.submit(name, cluster.message(name)) == [OK]
            await cluster.settled(at_least=number + 1)
        cluster.require_same_blocks()


@virtual
async def test_one_orderer_alone_is_a_cluster_too() -> None:
    async with RaftCluster(3, members=1) as cluster:
        await cluster.leader()
        assert await cluster.submit(ORDERERS[0], cluster.message("alone")) == [OK]
        await cluster.stop(ORDERERS[0])
        await cluster.start(ORDERERS[0])
        await cluster.leader()
        assert await cluster.submit(ORDERERS[0], cluster.message("again")) == [OK]
        assert len(cluster.ordered(ORDERERS[0])) == 2


@virtual
async def test_after_the_leader_fell_the_others_go_on_and_it_catches_up() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        await cluster.submit(leader.name, cluster.message("before"))
        await cluster.kill(leader.name)
        fallen = now()
        successor = await cluster.leader()
        assert now() - fallen < 2
        assert await cluster.submit(successor.name, cluster.message("after")) == [OK]
        await cluster.start(leader.name)
        await cluster.settled(at_least=3)
        cluster.require_same_blocks()


@virtual
async def test_what_was_under_way_when_the_leader_fell_is_ordered_once() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        others = [name for name in ORDERERS if name != leader.name]
        messages = [cluster.message(f"m{number}") for number in range(40)]
        sending = [
            asyncio.create_task(cluster.submit(others[number % 2], message))
            for number, message in enumerate(messages)
        ]
        await asyncio.sleep(0.005)
        await cluster.kill(leader.name)
        assert await asyncio.gather(*sending) == [[OK]] * len(messages)
        ordered = cluster.ordered(others[0])
        assert sorted(ordered) == sorted(each.SerializeToString() for each in messages)


@virtual
async def test_a_leader_that_stops_hands_over_without_an_election_timeout() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        await cluster.submit(leader.name, cluster.message("before"))
        stopped = now()
        await cluster.stop(leader.name)
        await cluster.leader()
        assert now() - stopped < 0.25


@virtual
async def test_a_minority_orders_nothing_and_takes_over_what_the_majority_did() -> None:
    async with RaftCluster(3, submit_timeout=3) as cluster:
        leader = await cluster.leader()
        others = [name for name in ORDERERS if name != leader.name]
        cluster.links.part([leader.name], others)
        lost = asyncio.create_task(cluster.submit(leader.name, cluster.message("lost")))
        await cluster.leader(others)
        assert await cluster.submit(others[0], cluster.message("won")) == [OK]
        assert await lost == [UNAVAILABLE]
        assert leader.height == 1
        cluster.links.heal()
        healed = now()
        await cluster.settled(at_least=2)
        assert now() - healed < 5
        cluster.require_same_blocks()


@virtual
async def test_a_link_that_works_one_way_only_does_not_stop_the_cluster() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        mute = next(name for name in ORDERERS if name != leader.name)
        for other in ORDERERS:
            cluster.links.cut(mute, other)
        for number in range(5):
            assert await cluster.submit(leader.name, cluster.message(f"m{number}")) == [OK]
        cluster.links.heal()
        await cluster.settled(at_least=6)
        cluster.require_same_blocks()


@virtual
async def test_flapping_links_cost_time_but_no_message() -> None:
    async with RaftCluster(3, seed=7, submit_timeout=60) as cluster:
        await cluster.leader()
        messages = [cluster.message(f"m{number}") for number in range(30)]

        async def flap() -> None:
            for _ in range(20):
                loner = cluster.random.choice(ORDERERS)
                cluster.links.part([loner], [name for name in ORDERERS if name != loner])
                await asyncio.sleep(cluster.random.uniform(0.1, 1.0))
                cluster.links.heal()
                await asyncio.sleep(cluster.random.uniform(0.1, 1.0))

        flapping = asyncio.create_task(flap())
        for number, message in enumerate(messages):
            assert await cluster.submit(ORDERERS[number % 3], message) == [OK]
        await flapping
        await cluster.settled()
        cluster.require_same_blocks()
        ordered = cluster.ordered(ORDERERS[0])
        assert sorted(ordered) == sorted(each.SerializeToString() for each in messages)


@virtual
async def test_a_node_far_behind_a_snapshot_fetches_the_blocks() -> None:
    async with RaftCluster(3, snapshot_interval=20_000) as cluster:
        leader = await cluster.leader()
        behind = next(name for name in ORDERERS if name != leader.name)
        await cluster.stop(behind)
        for number in range(60):
            assert await cluster.submit(leader.name, cluster.message(f"m{number}")) == [OK]
        await cluster.start(behind)
        height = await cluster.settled(at_least=leader.height)
        cluster.require_same_blocks()
        assert await cluster.submit(behind, cluster.message("last")) == [OK]
        assert await cluster.settled() == height + 1


@pytest.mark.parametrize("snapshot_interval", [20_000, 10**7])
@virtual
async def test_a_wiped_node_joins_again_and_agrees(snapshot_interval: int) -> None:
    async with RaftCluster(3, snapshot_interval=snapshot_interval) as cluster:
        leader = await cluster.leader()
        for number in range(40):
            await cluster.submit(leader.name, cluster.message(f"m{number}"))
        victim = next(name for name in ORDERERS if name != leader.name)
        await cluster.kill(victim)
        cluster.wipe(victim)
        await cluster.start(victim, join=cluster.genesis)
        await cluster.settled(at_least=10)
        cluster.require_same_blocks()
        other = next(name for name in ORDERERS if name not in {victim, leader.name})
        await cluster.kill(other)
        last = await cluster.leader()
        assert await cluster.submit(last.name, cluster.message("two are enough")) == [OK]


@virtual
async def test_a_wiped_node_refuses_to_vote_away_what_it_forgot() -> None:
    async with RaftCluster(3, submit_timeout=3) as cluster:
        leader = await cluster.leader()
        wiped, behind = (name for name in ORDERERS if name != leader.name)
        await cluster.kill(behind)
        assert await cluster.submit(leader.name, cluster.message("two have this")) == [OK]
        await cluster.settled(at_least=2)
        await cluster.kill(leader.name)
        await cluster.kill(wiped)
        cluster.wipe(wiped)
        await cluster.start(wiped, join=cluster.genesis)
        await cluster.start(behind)
        await asyncio.sleep(30)
        assert not cluster[wiped].chain.leads
        assert not cluster[behind].chain.leads
        assert await cluster.submit(wiped, cluster.message("no")) == [UNAVAILABLE]
        await cluster.start(leader.name)
        await cluster.settled(at_least=2)
        cluster.require_same_blocks()


@virtual
async def test_a_node_that_lost_its_log_but_not_its_blocks_writes_none_twice() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        for number in range(5):
            await cluster.submit(leader.name, cluster.message(f"m{number}"))
        victim = next(name for name in ORDERERS if name != leader.name)
        await cluster.settled(at_least=2)
        await cluster.kill(victim)
        cluster[victim].logs.remove(CHANNEL)
        await cluster.start(victim)
        await cluster.submit(victim, cluster.message("more"))
        await cluster.settled()
        cluster.require_same_blocks()


@virtual
async def test_blocks_end_at_the_batch_timeout_of_the_leader() -> None:
    async with RaftCluster(3, cutting=CuttingMode.BATCH_TIMEOUT) as cluster:
        await cluster.leader()
        begun = now()
        answers = await asyncio.gather(
            *(cluster.submit(name, cluster.message(name)) for name in ORDERERS)
        )
        assert answers == [[OK]] * 3
        assert 1.9 < now() - begun < 2.5
        assert await cluster.settled() == 2


@virtual
async def test_a_block_is_cut_by_hand_and_messages_are_answered_before() -> None:
    async with RaftCluster(3, cutting=CuttingMode.MANUAL) as cluster:
        leader = await cluster.leader()
        await asyncio.sleep(1)
        assert await cluster.submit(leader.name, cluster.message("one")) == [OK]
        assert leader.height == 1
        assert await leader.running.cut(CHANNEL) == 1
        assert await cluster.settled(at_least=2) == 2

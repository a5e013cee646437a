"""Several orderers in one process under virtual time: what they agree on, whoever falls."""

import asyncio

from gridloom.protos.common.common_pb2 import Status
from harness.raft_cluster import RaftCluster
from harness.virtual_time import run_virtually

ORDERERS = ("orderer.example.com", "orderer2.example.com", "orderer3.example.com")


def test_a_message_given_to_any_node_is_in_everybodys_next_block() -> None:
    async def scenario() -> None:
        async with RaftCluster(3) as cluster:
            await cluster.leader()
            for number, name in enumerate(ORDERERS, 1):
                assert await cluster.submit(name, cluster.message(name)) == [Status.SUCCESS]
                await cluster.settled(at_least=number + 1)
            cluster.require_same_blocks()

    run_virtually(scenario())


def test_after_the_leader_fell_the_others_go_on_and_it_catches_up() -> None:
    async def scenario() -> None:
        async with RaftCluster(3) as cluster:
            leader = await cluster.leader()
            await cluster.submit(leader.name, cluster.message("before"))
            await cluster.kill(leader.name)
            fallen = asyncio.get_running_loop().time()
            successor = await cluster.leader()
            assert asyncio.get_running_loop().time() - fallen < 2
            assert await cluster.submit(successor.name, cluster.message("after")) == [
                Status.SUCCESS
            ]
            await cluster.start(leader.name)
            await cluster.settled(at_least=3)
            cluster.require_same_blocks()

    run_virtually(scenario())

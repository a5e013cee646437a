"""Joining channels that others order: as a follower, as a consenter, and giving up again."""

import asyncio
import json
from pathlib import Path

import pytest

from gridloom.common.block_store import MemoryBlockStore
from gridloom.orderer.etcdraft.metadata import InvalidConsenters
from gridloom.orderer.node import Orderer
from gridloom.orderer.participation import participation
from gridloom.orderer.participation_answers import CHANNELS
from gridloom.orderer.registrar import ChannelExists, ForeignLedger, OnboardingUnserved
from gridloom.orderer.solo.consenter import SoloConsenter
from gridloom.orderer.storage import FileStorage, MemoryStorage
from gridloom.protos.common.common_pb2 import Block, Status
from harness import ordering
from harness.ordering_cluster import CHANNEL, RaftCluster
from harness.virtual_time import virtual
from harness.web import Direct

FOURTH = "orderer4.example.com"
OK = Status.SUCCESS


async def grown(cluster: RaftCluster) -> Block:
    """Let the channel grow by some blocks; returns its newest config block, number 3."""
    leader = await cluster.leader()
    for number in range(2):
        assert await cluster.submit(leader.name, cluster.message(f"m{number}")) == [OK]
        await cluster.settled(at_least=number + 2)
    assert await cluster.add(FOURTH, leader.name) == [OK]
    await cluster.settled(at_least=4)
    return leader.block(3)


@virtual
async def test_a_consenter_onboards_up_to_the_block_it_joined_with_and_takes_part() -> None:
    async with RaftCluster(4, members=3) as cluster:
        block = await grown(cluster)
        for name in cluster.members:
            cluster.links.cut(name, FOURTH)
            cluster.links.cut(FOURTH, name)
        fourth = await cluster.start(FOURTH)
        info = fourth.running.join(block)
        assert (info.consensus_relation, info.status, info.height) == ("consenter", "onboarding", 0)
        with pytest.raises(ChannelExists):
            fourth.running.join(block)
        cluster.links.heal()
        await cluster.settled(at_least=4)
        await cluster.until(lambda: fourth.running.registrar.info(CHANNEL).status == "active")
        assert await cluster.submit(FOURTH, cluster.message("fourth")) == [OK]
        cluster.require_same_blocks()


@virtual
async def test_onboarding_goes_on_after_a_restart() -> None:
    async with RaftCluster(4, members=3) as cluster:
        block = await grown(cluster)
        for name in cluster.members:
            cluster.links.cut(FOURTH, name)
        await cluster.start(FOURTH, join=block)
        await asyncio.sleep(1)
        await cluster.stop(FOURTH)
        cluster.links.heal()
        await cluster.start(FOURTH)
        await cluster.settled(at_least=4)
        cluster.require_same_blocks()


@virtual
async def test_a_follower_that_leaves_forgets_everything() -> None:
    async with RaftCluster(4, members=3) as cluster:
        leader = await cluster.leader()
        fourth = await cluster.start(FOURTH, join=cluster.genesis)
        assert await cluster.submit(leader.name, cluster.message("one")) == [OK]
        await cluster.settled(at_least=2)
        assert fourth.running.registrar.info(CHANNEL).consensus_relation == "follower"
        await fourth.running.registrar.remove(CHANNEL)
        assert fourth.running.channels() == ()
        assert fourth.storage.channels() == []


@virtual
async def test_a_consenter_that_left_comes_back_by_joining_again() -> None:
    async with RaftCluster(3) as cluster:
        leader = await cluster.leader()
        assert await cluster.submit(leader.name, cluster.message("one")) == [OK]
        back = next(name for name in cluster.members if name != leader.name)
        await cluster[back].running.registrar.remove(CHANNEL)
        assert await cluster.submit(leader.name, cluster.message("two are enough")) == [OK]
        cluster[back].running.join(cluster.genesis)
        await cluster.settled(at_least=3)
        assert await cluster.submit(back, cluster.message("three again")) == [OK]
        cluster.require_same_blocks()


@virtual
async def test_a_block_that_is_not_the_one_joined_with_is_not_believed() -> None:
    async with RaftCluster(4, members=3) as cluster:
        block = await grown(cluster)
        forged = Block()
        forged.CopyFrom(block)
        forged.header.previous_hash = bytes(32)
        fourth = await cluster.start(FOURTH, join=forged)
        await asyncio.sleep(5)
        info = fourth.running.registrar.info(CHANNEL)
        assert (info.status, info.height) == ("onboarding", 3)


def test_a_solo_channel_cannot_be_joined_when_it_has_grown() -> None:
    assert not SoloConsenter.onboards
    orderer = Orderer(ordering.orderer_signer(), "OrdererMSP", MemoryStorage())
    later = ordering.genesis()
    later.header.number = 5
    with pytest.raises(OnboardingUnserved):
        orderer.join(later)


@virtual
async def test_consenters_that_cannot_work_are_refused_when_joining() -> None:
    async with RaftCluster(4, members=3) as cluster:
        fourth = await cluster.start(FOURTH)
        broken = cluster.genesis_of(())
        with pytest.raises(InvalidConsenters, match="empty consenter set"):
            fourth.running.join(broken)
        assert fourth.running.channels() == ()


def test_blocks_of_another_channel_are_noticed(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    store = storage.open("mychannel")
    store.append(ordering.genesis(channel_id="yours"))
    store.close()
    with pytest.raises(ForeignLedger) as caught:
        Orderer(ordering.orderer_signer(), "OrdererMSP", FileStorage(tmp_path))
    assert (caught.value.channel_id, caught.value.found) == ("mychannel", "yours")
    assert isinstance(MemoryStorage().open("x"), MemoryBlockStore)


@virtual
async def test_administrators_see_over_http_what_a_node_is_to_its_channels() -> None:
    async with RaftCluster(4, members=3) as cluster:
        leader = await cluster.leader()
        fourth = await cluster.start(FOURTH)
        web = Direct(participation(fourth.running.registrar))
        form, content_type = multipart("config-block", cluster.genesis.SerializeToString())
        joined = await web("POST", CHANNELS, form, {"Content-Type": content_type})
        assert joined.status == 201
        shown = json.loads(joined.body)
        assert (shown["consensusRelation"], shown["status"]) == ("follower", "active")
        update = cluster.update(leader.name, lambda c: [*c, cluster.consenter(FOURTH)])
        form, content_type = multipart("config-update-envelope", update.SerializeToString())
        refused = await web("PUT", CHANNELS, form, {"Content-Type": content_type})
        assert refused.status == 403
        assert json.loads(refused.body) == {
            "error": "cannot update: channel is not ready, he is a follower"
        }
        others = Direct(participation(leader.running.registrar))
        accepted = await others("PUT", CHANNELS, form, {"Content-Type": content_type})
        assert accepted.status == 201
        await cluster.until(lambda: "consenter" in str(fourth.running.channels()))
        listed = json.loads((await web("GET", CHANNELS)).body)
        assert [each["name"] for each in listed["channels"]] == [CHANNEL]
        shown = json.loads((await web("GET", f"{CHANNELS}/{CHANNEL}")).body)
        assert (shown["consensusRelation"], shown["status"]) == ("consenter", "active")
        assert (await web("DELETE", f"{CHANNELS}/{CHANNEL}")).status == 204
        assert json.loads((await web("GET", CHANNELS)).body)["channels"] is None


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    """A form with one file."""
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="f"\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"

"""Faults under load, in virtual time: falls of the leader, partitions, disks, slow nodes."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gridloom.common.block_store import BlockStoreError
from gridloom.orderer.etcdraft.log_store import LogFolder
from gridloom.orderer.etcdraft.write_ahead_log import Disk, RecordLog, WriteAheadLog
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common.common_pb2 import Block, Status
from harness.ordering_cluster import CHANNEL, RaftCluster
from harness.virtual_time import now, virtual

pytestmark = pytest.mark.timeout(300)
"""Five seconds of computing, which a busy machine can stretch to more than the usual minute."""
OK, UNAVAILABLE = Status.SUCCESS, Status.SERVICE_UNAVAILABLE
FALLS = int(os.environ.get("GRIDLOOM_FALLS", "50"))
"""Of each size of cluster; docs/reliability.md has what came of a hundred."""


class Load:
    """Clients of every node, each of which sends the next message when the last is answered."""

    def __init__(self, cluster: RaftCluster) -> None:
        self.cluster = cluster
        self.acknowledged: list[bytes] = []
        self.stopped = False

    async def client(self, number: int) -> None:
        names = list(self.cluster.nodes)
        sent = 0
        while not self.stopped:
            name = names[(number + sent) % len(names)]
            message = self.cluster.message(f"{number}-{sent}")
            sent += 1
            if await self.cluster.submit(name, message) == [OK]:
                self.acknowledged.append(message.SerializeToString())
            else:
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def under_load(cluster: RaftCluster, clients: int = 4) -> AsyncIterator[Load]:
    """Check at the end: nothing acknowledged is lost, nothing stands twice, all agree."""
    load = Load(cluster)
    working = [asyncio.create_task(load.client(number)) for number in range(clients)]
    try:
        yield load
    finally:
        load.stopped = True
        await asyncio.gather(*working)
    await cluster.settled()
    cluster.require_same_blocks()
    ordered = cluster.ordered(cluster.running[0].name)
    assert len(set(ordered)) == len(ordered)
    assert set(load.acknowledged) <= set(ordered)


@pytest.mark.parametrize("size", [3, 5])
@virtual
async def test_the_leader_falls_again_and_again_under_load(size: int) -> None:
    times = []
    async with RaftCluster(size, seed=size) as cluster, under_load(cluster, 2):
        for _ in range(FALLS):
            leader = await cluster.leader()
            await asyncio.sleep(cluster.random.uniform(0.05, 0.3))
            fallen = now()
            await cluster.kill(leader.name)
            await cluster.leader()
            times.append(now() - fallen)
            await cluster.start(leader.name)
    times.sort()
    assert times[int(0.99 * len(times)) - 1] < 2, times[-5:]


@pytest.mark.parametrize("seed", range(6))
@virtual
async def test_partitions_of_any_kind_heal_within_five_seconds(seed: int) -> None:
    async with (
        RaftCluster(5, seed=seed, submit_timeout=2) as cluster,
        under_load(cluster, 3) as load,
    ):
        names = list(cluster.nodes)
        for _ in range(6):
            cluster.random.shuffle(names)
            match cluster.random.choice(["halves", "leader", "one way", "flapping"]):
                case "halves":
                    cluster.links.part(names[:2], names[2:])
                case "leader":
                    leader = await cluster.leader()
                    cluster.links.part([leader.name], set(names) - {leader.name})
                case "one way":
                    for other in names[1:]:
                        cluster.links.cut(names[0], other)
                case "flapping":
                    for _ in range(5):
                        cluster.links.part(names[:1], names[1:])
                        await asyncio.sleep(cluster.random.uniform(0.05, 0.4))
                        cluster.links.heal()
                        await asyncio.sleep(cluster.random.uniform(0.05, 0.4))
            await asyncio.sleep(cluster.random.uniform(0.5, 3))
            cluster.links.heal()
            healed, before = now(), len(load.acknowledged)
            await cluster.leader()
            await cluster.until(lambda: len(load.acknowledged) > before)  # noqa: B023
            assert now() - healed < 5


@virtual
async def test_a_minority_never_orders_whatever_is_sent_to_it() -> None:
    async with RaftCluster(5, submit_timeout=2) as cluster:
        leader = await cluster.leader()
        few = [leader.name, next(name for name in cluster.nodes if name != leader.name)]
        many = [name for name in cluster.nodes if name not in few]
        cluster.links.part(few, many)
        before = leader.height
        answers = await asyncio.gather(
            *(cluster.submit(few[n % 2], cluster.message(f"m{n}")) for n in range(20))
        )
        assert answers == [[UNAVAILABLE]] * 20
        assert {cluster[name].height for name in few} == {before}
        assert await cluster.submit(many[0], cluster.message("majority")) == [OK]


class FailingDisk:
    """A disk that can be full, or not keep what it was given."""

    def __init__(self) -> None:
        self.error = 0
        self.on_sync = False

    def write(self, fd: int, data: memoryview) -> int:
        if self.error and not self.on_sync:
            raise OSError(self.error, os.strerror(self.error))
        return os.write(fd, data)

    def sync(self, fd: int) -> None:
        if self.error and self.on_sync:
            raise OSError(self.error, os.strerror(self.error))


class InlineLogs(LogFolder):
    """Logs on the disk whose writing takes no virtual time."""

    def open(self, channel_id: str) -> RecordLog:
        log = super().open(channel_id)
        assert isinstance(log, WriteAheadLog)
        log.waits_for_disk = False
        return log


@pytest.mark.parametrize(("error", "on_sync"), [(errno.ENOSPC, False), (errno.EIO, True)])
@virtual
async def test_a_leader_whose_log_fails_makes_way_and_comes_back(
    tmp_path: Path, error: int, on_sync: bool
) -> None:
    cluster = RaftCluster(3, submit_timeout=5)
    disks = {name: FailingDisk() for name in cluster.nodes}
    for name, node in cluster.nodes.items():
        disk = disks[name]
        node.logs = InlineLogs(tmp_path / name, Disk(disk.write, disk.sync))
    async with cluster:
        leader = await cluster.leader()
        assert await cluster.submit(leader.name, cluster.message("before")) == [OK]
        disks[leader.name].error, disks[leader.name].on_sync = error, on_sync
        doomed = asyncio.create_task(cluster.broadcast(leader.name, cluster.message("during")))
        others = [name for name in cluster.nodes if name != leader.name]
        successor = await cluster.leader(others)
        assert await cluster.submit(successor.name, cluster.message("others")) == [OK]
        await doomed
        (answer,) = await cluster.broadcast(leader.name, cluster.message("refused"))
        assert answer.status == UNAVAILABLE
        assert os.strerror(error) in answer.info
        assert leader.block(1).header.number == 1, "reads go on"
        disks[leader.name].error = 0
        await cluster.settled(at_least=successor.height)
        assert await cluster.submit(leader.name, cluster.message("after")) == [OK]
        await cluster.settled()
        cluster.require_same_blocks()


class FullStorage(MemoryStorage):
    """Keeps no further block while it is full."""

    full = False

    def open(self, channel_id: str):  # type: ignore[no-untyped-def]
        store = super().open(channel_id)
        append = store.append

        def checked(block: Block) -> None:
            if self.full:
                number = block.header.number
                raise BlockStoreError(f"cannot write block {number}: {os.strerror(errno.ENOSPC)}")
            append(block)

        store.append = checked  # type: ignore[method-assign]
        return store


@virtual
async def test_a_node_whose_ledger_is_full_says_so_and_catches_up_when_it_is_not() -> None:
    cluster = RaftCluster(3, submit_timeout=5)
    storages = {name: FullStorage() for name in cluster.nodes}
    for name, node in cluster.nodes.items():
        node.storage = storages[name]
    async with cluster:
        leader = await cluster.leader()
        storages[leader.name].full = True
        others = [name for name in cluster.nodes if name != leader.name]
        assert await cluster.submit(others[0], cluster.message("one")) == [OK]
        await cluster.leader(others)
        (answer,) = await cluster.broadcast(leader.name, cluster.message("refused"))
        assert answer.status == UNAVAILABLE
        assert "cannot write block 1: No space left" in answer.info
        for number in range(5):
            assert await cluster.submit(others[1], cluster.message(f"more{number}")) == [OK]
        storages[leader.name].full = False
        await cluster.settled(at_least=cluster[others[0]].height)
        assert await cluster.submit(leader.name, cluster.message("again")) == [OK]
        cluster.require_same_blocks()


@virtual
async def test_a_slow_follower_never_slows_the_majority() -> None:
    async def seconds(*, slow: bool) -> float:
        async with RaftCluster(3) as cluster:
            leader = await cluster.leader()
            snail = next(name for name in cluster.nodes if name != leader.name)
            if slow:
                cluster.links.slow[snail] = 2.0
            begun = now()
            for number in range(50):
                assert await cluster.submit(leader.name, cluster.message(f"m{number}")) == [OK]
            took = now() - begun
            cluster.links.slow.clear()
            await cluster.settled()
            cluster.require_same_blocks()
            return took

    assert await seconds(slow=True) < 2 * await seconds(slow=False)
    assert CHANNEL

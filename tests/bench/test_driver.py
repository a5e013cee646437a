"""Driving a round without real time: a network whose speed is written down."""

import asyncio
import itertools
from collections.abc import Callable

import pytest

from gridloom.bench.driver import Driver, Share
from gridloom.bench.errors import WorkloadRaised
from gridloom.bench.rates import FixedLoad, FixedRate, RateController
from gridloom.bench.rounds import Round
from gridloom.bench.tally import Tally
from gridloom.bench.workload import Workload
from gridloom.client.errors import CommitError
from gridloom.protos.peer.transaction_pb2 import MVCC_READ_CONFLICT, PHANTOM_READ_CONFLICT


class Timeline:
    """Time that passes only when everybody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + seconds, len(self._sleepers), woken))
        await woken

    async def run(self, work: asyncio.Task[Tally]) -> Tally:
        while not work.done():
            for _ in range(50):
                await asyncio.sleep(0)
            if self._sleepers and not work.done():
                self._sleepers.sort(key=lambda sleeper: sleeper[:2])
                due, _, woken = self._sleepers.pop(0)
                self.now = max(self.now, due)
                woken.set_result(None)
        return await work


class Network(Workload):
    """Answers after the seconds that ``latency`` says for now, or fails."""

    def __init__(
        self,
        time: Timeline,
        latency: Callable[[float], float],
        failing: Callable[[int], Exception | None] = lambda _: None,
    ) -> None:
        self.time = time
        self.latency = latency
        self.failing = failing
        self.calls = 0

    async def submit(self) -> None:
        self.calls += 1
        error = self.failing(self.calls)
        await self.time.sleep(self.latency(self.time.now))
        if error is not None:
            raise error


async def drive(
    network: Network,
    rate: RateController,
    *,
    duration: float = 10.0,
    count: int | None = None,
    warmup: float = 0.0,
    retries: int = 0,
    index: int = 0,
    workers: int = 1,
) -> Tally:
    time = network.time
    round_ = Round("r", "network", rate, {}, duration, count, warmup, retries)
    share = Share(index, workers, time.now + warmup)
    driver = Driver(network, round_, share, clock=time.clock, sleep=time.sleep)
    return await time.run(asyncio.create_task(driver.run()))


async def test_a_closed_loop_is_as_fast_as_the_answers() -> None:
    tally = await drive(Network(Timeline(), lambda _: 0.5), FixedLoad(4))
    assert tally.succeeded == 4 * 20
    assert tally.latency_ms()["p999"] == 500


async def test_a_number_of_transactions_ends_a_closed_loop() -> None:
    tally = await drive(Network(Timeline(), lambda _: 0.5), FixedLoad(4), count=10, warmup=2)
    assert tally.succeeded == 10


async def test_an_open_loop_starts_at_its_rate_whatever_the_answers() -> None:
    tally = await drive(Network(Timeline(), lambda _: 3.0), FixedRate(5))
    assert tally.succeeded == tally.planned == tally.punctual == 50
    assert tally.latency_ms()["max"] == pytest.approx(3000)


async def test_a_stalled_clock_counts_from_the_planned_start() -> None:
    """A machine that stops for two seconds owes all transactions planned meanwhile."""
    time = Timeline()

    def stall(now: float) -> float:
        if 3 < now < 3.5:
            time.now += 2.0  # nothing else can run meanwhile
        return 0.01

    tally = await drive(Network(time, stall), FixedRate(10))
    latency = tally.latency_ms()
    assert tally.succeeded == 100
    assert latency["p50"] == pytest.approx(10, abs=0.1)
    assert latency["max"] is not None
    assert latency["max"] > 1800


async def test_a_machine_that_cannot_keep_up_leaves_starts_undone() -> None:
    time = Timeline()

    def slow(_: float) -> float:
        time.now += 0.5  # each start takes half a second of this machine
        return 0.01

    tally = await drive(Network(time, slow), FixedRate(10))
    assert tally.planned == 100
    assert tally.punctual < 30


async def test_the_warm_up_is_not_counted() -> None:
    network = Network(Timeline(), lambda _: 0.01)
    tally = await drive(network, FixedRate(10), duration=2, warmup=3)
    assert (network.calls, tally.succeeded, tally.planned) == (50, 20, 20)


async def test_workers_share_the_numbers_of_a_round() -> None:
    parts = [
        await drive(Network(Timeline(), lambda _: 0.01), FixedRate(7), index=index, workers=3)
        for index in range(3)
    ]
    assert sum(part.succeeded for part in parts) == 70
    ended = sorted(moment for part in parts for moment in part.ended)
    gaps = [after - before for before, after in itertools.pairwise(ended)]
    assert gaps == pytest.approx([1 / 7] * 69)


async def test_failures_are_counted_by_class() -> None:
    kinds: dict[int, Exception] = {1: CommitError("t", MVCC_READ_CONFLICT), 2: TimeoutError()}
    network = Network(Timeline(), lambda _: 0.1, kinds.get)
    tally = await drive(network, FixedLoad(1), duration=0.95)
    assert tally.failed == {"MVCC_READ_CONFLICT": 1, "TimeoutError": 1}
    assert tally.succeeded == 8


async def test_conflicts_are_retried_as_often_as_the_round_says() -> None:
    conflicts = {1: MVCC_READ_CONFLICT, 2: PHANTOM_READ_CONFLICT, 4: MVCC_READ_CONFLICT}
    codes = conflicts | {5: MVCC_READ_CONFLICT, 6: MVCC_READ_CONFLICT}
    network = Network(
        Timeline(), lambda _: 0.1, lambda n: CommitError("t", codes[n]) if n in codes else None
    )
    tally = await drive(network, FixedLoad(1), duration=0.55, retries=2)
    assert (tally.succeeded, tally.retried) == (1, 4)
    assert tally.failed == {"MVCC_READ_CONFLICT": 1}
    assert tally.latency_ms()["max"] == pytest.approx(300)


async def test_what_never_ends_is_unfinished() -> None:
    network = Network(Timeline(), lambda _: 1e9)
    round_ = Round("r", "network", FixedRate(30), {}, 0.1)
    driver = Driver(network, round_, Share(0, 1, 0.0), clock=network.time.clock, patience=0.05)
    tally = await driver.run()
    assert tally.failed == {"unfinished": 3}


async def test_a_bug_in_the_workload_ends_the_round_and_says_where() -> None:
    network = Network(Timeline(), lambda _: 0.1, lambda n: KeyError("asset") if n == 3 else None)
    with pytest.raises(WorkloadRaised) as raised:
        await drive(network, FixedLoad(1))
    assert raised.value.step == "submit"
    assert "KeyError: 'asset'" in raised.value.error
    assert "test_driver.py:" in raised.value.where
    assert network.calls == 3

"""One worker's share of a round: starts transactions as planned and tallies what comes of them.

Latency counts from the planned start of an open loop: when the network stalls, what should have
been started meanwhile waits, too.  Clock and sleep are arguments, so that a round can be driven
without real time.  (Fabric: caliper-core/lib/worker/caliper-worker.js)
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from gridloom.client.errors import CommitError

from .errors import WorkloadRaised
from .failures import CONFLICTS, UNFINISHED, failure_class, is_failure, workload_raised
from .rates import FixedLoad, MaximumRate, OpenLoop
from .rounds import Round
from .tally import Tally
from .workload import Workload

PATIENCE = 60.0
"""Seconds after the window in which transactions may still end."""

MOST_IN_FLIGHT = 20_000
"""Transactions an open loop of one worker has under way; beyond, it falls behind its plan."""

PUNCTUAL = 0.1
"""Seconds after the window's end in which a start still counts as one that could be driven."""

LATE = 1.0
"""Seconds after the window's end at which what could not be started yet is given up."""

_YIELD_EVERY = 32
"""Starts that are due at once before others get their turn."""


@dataclass(frozen=True, slots=True)
class Share:
    """Which of a round's transactions a worker starts; begin: clock time of the window."""

    index: int
    workers: int
    begin: float

    def of(self, total: int) -> int:
        """Return this worker's part of a number."""
        return total // self.workers + (self.index < total % self.workers)


class Driver:
    """Drives a workload through one round; ``tally`` grows as it goes.

    begun: measured transactions started so far.
    """

    def __init__(
        self,
        workload: Workload,
        round_: Round,
        share: Share,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: float = PATIENCE,
    ) -> None:
        self.tally = Tally()
        self._workload = workload
        self._round = round_
        self._share = share
        self._clock = clock
        self._sleep = sleep
        self._patience = patience
        self._bug: WorkloadRaised | None = None
        self._end = share.begin + round_.duration

    async def run(self) -> Tally:
        """Drive warm-up and window to their end; WorkloadRaised for a bug of the workload."""
        rate = self._round.rate
        if isinstance(rate, MaximumRate):
            raise TypeError("a search is several rounds: see runner.py")
        if isinstance(rate, FixedLoad):
            await self._closed(rate)
        else:
            await self._open(rate)
        if self._bug is not None:
            raise self._bug
        return self.tally

    async def _closed(self, rate: FixedLoad) -> None:
        left = None
        if self._round.count is not None:
            left = iter(range(self._share.of(self._round.count)))
        callers = {
            asyncio.create_task(self._call_on(left))
            for _ in range(self._share.of(rate.transactions))
        }
        limit = None if left is not None else self._end + self._patience - self._clock()
        await self._finish(callers, limit)

    async def _call_on(self, left: Iterator[int] | None) -> None:
        """One after the other until the window closes, or the round's number is done."""
        while self._bug is None:
            now = self._clock()
            if left is None and now >= self._end:
                return
            if left is not None and now >= self._share.begin and next(left, None) is None:
                return
            await self._transact(now)

    async def _open(self, rate: OpenLoop) -> None:
        begin = self._share.begin
        running: set[asyncio.Task[None]] = set()
        room = asyncio.Semaphore(MOST_IN_FLIGHT)
        for place, number in enumerate(self._numbers(rate)):
            planned = begin + rate.start(number)
            delay = planned - self._clock()
            if delay > 0 or place % _YIELD_EVERY == 0:
                await self._sleep(max(delay, 0))
            if self._clock() > self._end + LATE or self._bug is not None:
                break
            await room.acquire()
            task = asyncio.create_task(self._transact(planned))
            running.add(task)
            task.add_done_callback(running.discard)
            task.add_done_callback(lambda _: room.release())
        await self._finish(running, self._end + self._patience - self._clock())

    def _numbers(self, rate: OpenLoop) -> Iterator[int]:
        """This worker's transactions in their order; those below 0 are the warm-up."""
        total = self._round.count or rate.count(self._round.duration)
        share = self._share
        first = rate.first(self._round.warmup)
        first += (share.index - first) % share.workers
        self.tally.planned = share.of(total)
        numbers = itertools.count(first, share.workers)
        return itertools.takewhile(
            lambda number: number < total and rate.start(number) < math.inf, numbers
        )

    async def _finish(self, running: set[asyncio.Task[None]], limit: float | None) -> None:
        """Wait for what is under way; what takes longer than the limit is unfinished."""
        if not running:
            return
        _, late = await asyncio.wait(set(running), timeout=None if limit is None else max(limit, 0))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _transact(self, planned: float) -> None:
        """Do one transaction and count it if its planned start is in the window."""
        measured = planned >= self._share.begin
        self.tally.punctual += measured and self._clock() <= self._end + PUNCTUAL
        kind = example = ""
        try:
            await self._attempt()
        except asyncio.CancelledError:
            kind = UNFINISHED
            raise
        except Exception as error:
            if not is_failure(error):
                self._bug = self._bug or workload_raised(self._round.workload, "submit", error)
                return
            kind, example = failure_class(error), str(error)
        finally:
            if measured and self._bug is None:
                self._count(planned, kind, example)

    async def _attempt(self) -> None:
        """Submit, and after a conflict submit anew as often as the round allows."""
        for attempt in itertools.count():
            try:
                await self._workload.submit()
            except CommitError as error:
                if error.status_name not in CONFLICTS or attempt >= self._round.retries:
                    raise
                self.tally.retried += 1
            else:
                return

    def _count(self, planned: float, kind: str, example: str) -> None:
        now = self._clock()
        if kind:
            self.tally.failure(now - self._share.begin, kind, example)
        else:
            self.tally.success(now - self._share.begin, now - planned)

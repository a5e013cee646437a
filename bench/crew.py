"""Those who make the load of a round: worker processes, or this process alone.

(Fabric: caliper-core/lib/manager/orchestrators/worker-orchestrator.js)
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Protocol, Self

from .driver import Driver, Share
from .errors import BenchError, WorkerFailed
from .rounds import Round
from .tally import Tally
from .target import Target
from .worker import job, prepared
from .workload import Connections

LEAD = 0.2
"""Seconds between the word to begin and the beginning."""

Progress = Callable[[int, int], None]
"""Told how many transactions of the round have succeeded and failed so far."""


class RoundFailed(BenchError):
    """A round that could not be driven to its end; its message is the first worker's."""


class Crew(Protocol):
    """Drives rounds; one at a time."""

    @property
    def process_ids(self) -> Mapping[str, int]:
        """The processes that make the load, by name."""

    async def prepare(self, round_: Round, target: Target) -> None:
        """Have the workload initialized; BenchError."""

    async def drive(self, begin: float, progress: Progress) -> Tally:
        """Drive the round that was prepared, its window opening at ``begin``; BenchError."""


class LocalCrew:
    """Drives rounds in this process over connections it is given (tests, in-memory networks)."""

    process_ids: Mapping[str, int] = {}

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._prepared: tuple[Round, Any] | None = None

    async def prepare(self, round_: Round, target: Target) -> None:
        self._prepared = round_, await prepared(round_, self._connections)

    async def drive(self, begin: float, progress: Progress) -> Tally:
        if self._prepared is None:
            raise RoundFailed("no round has been prepared")
        round_, workload = self._prepared
        driver = Driver(workload, round_, Share(0, 1, begin))
        try:
            await driver.run()
        finally:
            await workload.cleanup()
        progress(driver.tally.succeeded, driver.tally.failed.total())
        return driver.tally


class WorkerCrew:
    """Worker processes; ``async with`` starts and ends them."""

    def __init__(self, workers: int, seed: int = 0) -> None:
        self._workers = [_Worker(index) for index in range(workers)]
        self._seed = seed

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for worker in self._workers:
                await worker.start()
                stack.push_async_callback(worker.stop)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def process_ids(self) -> Mapping[str, int]:
        if len(self._workers) == 1:
            return {"client": self._workers[0].process_id}
        return {f"client{worker.index}": worker.process_id for worker in self._workers}

    async def prepare(self, round_: Round, target: Target) -> None:
        count = len(self._workers)
        for worker in self._workers:
            worker.tell(job(round_, target, worker.index, count, self._seed))
        # All of them, so that none is left in the middle of a dialogue when another fails.
        answers = await asyncio.gather(*(worker.answer() for worker in self._workers))
        failed = [answer["error"] for answer in answers if "error" in answer]
        if failed:
            for worker, answer in zip(self._workers, answers, strict=True):
                if "error" not in answer:
                    worker.tell({"begin": None})
                    await worker.answer()
            raise RoundFailed(failed[0])

    async def drive(self, begin: float, progress: Progress) -> Tally:
        for worker in self._workers:
            worker.tell({"begin": begin})
        so_far: dict[int, tuple[int, int]] = {}

        def report(index: int, succeeded: int, failed: int) -> None:
            so_far[index] = succeeded, failed
            totals = zip(*so_far.values(), strict=True)
            progress(*(sum(column) for column in totals))

        answers = await asyncio.gather(*(worker.answer(report) for worker in self._workers))
        failed = [answer["error"] for answer in answers if "error" in answer]
        if failed:
            raise RoundFailed(failed[0])
        whole = Tally()
        for answer in answers:
            whole.add(Tally.read(answer["tally"]))
        return whole


class _Worker:
    """One worker process and the dialogue with it."""

    def __init__(self, index: int) -> None:
        self.index = index
        self._process: Process | None = None

    @property
    def process_id(self) -> int:
        return self._running.pid

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise WorkerFailed(self.index, "was not started")
        return self._process

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gridloom.bench.worker",
            stdin=PIPE, stdout=PIPE, limit=2**28, start_new_session=True,
        )  # fmt: skip

    def tell(self, message: Mapping[str, object]) -> None:
        if self._running.stdin is not None:
            self._running.stdin.write((json.dumps(message) + "\n").encode())

    async def answer(
        self, report: Callable[[int, int, int], None] = lambda *_: None
    ) -> dict[str, Any]:
        """Return the next message that is more than progress; WorkerFailed when it ends."""
        while self._running.stdout is not None:
            line = await self._running.stdout.readline()
            if not line:
                break
            message: dict[str, Any] = json.loads(line)
            if "progress" not in message:
                return message
            report(self.index, *message["progress"])
        status = await self._running.wait()
        raise WorkerFailed(self.index, f"ended with status {status} in the middle of a round")

    async def stop(self) -> None:
        if self._running.returncode is None and self._running.stdin is not None:
            self._running.stdin.close()
            try:
                async with asyncio.timeout(10):
                    await self._running.wait()
            except TimeoutError:
                self._running.kill()
                await self._running.wait()


def soon(warmup: float) -> float:
    """Return the clock time at which a window opens whose warm-up begins in a moment."""
    return time.monotonic() + LEAD + warmup

"""A whole benchmark: every round prepared, driven, watched and written down.

(Fabric: caliper-core/lib/manager/test-runners, orchestrators/round-orchestrator.js)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from gridloom.common.errors import GridloomError

from .crew import Crew, soon
from .errors import BenchError
from .processes import ProcessWatch
from .rates import FixedRate, LinearRate, MaximumRate
from .result import RoundResult, failed_round, slices
from .rounds import Round
from .saturation import Saturation
from .tally import Tally
from .target import Target

DRIVEN_SHARE = 0.98
"""Of the planned starts so many must have been made in time for a rate to count as driven."""

SUSTAINED_SHARE = 0.95
"""A probe that is answered at less than this share of its rate was not sustained."""

MOST_FAILURES = 0.01

Progress = Callable[[Round, int, int], None]
"""Told of a round how many of its transactions have succeeded and failed so far."""


class Runner:
    """Runs rounds against a target; verifications: of one core, for ratios."""

    def __init__(
        self,
        crew: Crew,
        target: Target,
        verifications: float,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._crew = crew
        self._target = target
        self._verifications = verifications
        self._progress = progress

    async def run(self, round_: Round) -> RoundResult:
        """Run one round; what keeps it from having figures is in ``error``."""
        try:
            if isinstance(round_.rate, MaximumRate):
                return await self._search(round_, round_.rate)
            return await self._drive(round_)
        except BenchError as error:
            return failed_round(
                round_.name, round_.workload, round_.rate.planned_tps, _first_lines(error)
            )

    async def _drive(self, round_: Round) -> RoundResult:
        await self._crew.prepare(round_, self._target)
        watch = ProcessWatch({**self._target.process_ids, **self._crew.process_ids})
        begin = soon(round_.warmup)
        driving = asyncio.create_task(
            self._crew.drive(begin, lambda ok, bad: self._progress(round_, ok, bad))
        )
        opened: dict[str, float] = {}

        async def observe() -> None:
            await asyncio.sleep(begin - time.monotonic())
            opened.update(watch.cpu_seconds())
            await watch.watch()

        observing = asyncio.create_task(observe())
        try:
            tally = await driving
        finally:
            observing.cancel()
        closed = watch.cpu_seconds()
        cpu = {name: closed[name] - opened.get(name, 0.0) for name in closed if opened}
        return self._result(round_, tally, cpu, watch.peak_rss)

    def _result(
        self,
        round_: Round,
        tally: Tally,
        cpu: Mapping[str, float],
        rss: Mapping[str, int],
    ) -> RoundResult:
        seconds = tally.last if round_.count is not None else max(tally.last, round_.duration)
        tps = tally.succeeded / seconds if seconds else 0.0
        planned = round_.rate.planned_tps
        driven, note = _judged(round_, tally)
        return RoundResult(
            name=round_.name,
            workload=round_.workload,
            planned_tps=planned,
            tps=round(tps, 2),
            succeeded=tally.succeeded,
            failed=dict(tally.failed),
            latency_ms=tally.latency_ms(),
            cpu_ms_per_tx={
                name: round(used * 1e3 / tally.succeeded, 4)
                for name, used in cpu.items()
                if tally.succeeded
            },
            rss_mb={name: round(size / 2**20, 1) for name, size in rss.items()},
            tps_per_verification=round(tps / self._verifications, 5),
            retried=tally.retried,
            failure_examples=dict(tally.examples),
            seconds=round(seconds, 3),
            driven=driven,
            note=note,
            slices=slices(tally, seconds),
        )

    async def _search(self, round_: Round, rate: MaximumRate) -> RoundResult:
        """Probe rates until the saturation point is known; the best sustained probe counts."""
        search, best, last = Saturation(rate), None, None
        while (tps := search.next_rate()) is not None:
            probe = replace(round_, rate=FixedRate(tps), duration=rate.seconds, count=None)
            last = await self._drive(probe)
            held = _sustained(last, tps, rate.latency_limit_ms)
            search.report(tps, held)
            if held and (best is None or tps >= (best.planned_tps or 0)):
                best = last
        if best is None:
            tried = f"{search.failed:g} tps" if search.failed else "any rate"
            return failed_round(
                round_.name, round_.workload, None, f"not even {tried} could be sustained"
            )
        beyond = f"; {search.failed:.0f} tps was not" if search.failed else ""
        note = f"saturation after {search.probes} probes: {best.planned_tps:.0f} tps was sustained"
        return replace(best, note=note + beyond)


def _judged(round_: Round, tally: Tally) -> tuple[bool, str]:
    """Whether the planned rate was driven, and what to say if not."""
    if not isinstance(round_.rate, FixedRate | LinearRate) or not tally.planned:
        return True, ""
    share = tally.punctual / tally.planned
    if share >= DRIVEN_SHARE:
        return True, ""
    rate = round_.rate.planned_tps
    return False, (
        f"{rate:.0f} tps could not be driven from here: only {share:.0%} of the transactions "
        "could be started in time; the figures are not those of this rate. Take a lower rate, "
        "more workers, or another machine for the load"
    )


def _sustained(result: RoundResult, tps: float, latency_limit_ms: float) -> bool:
    p99 = result.latency_ms["p99"]
    failed = sum(result.failed.values())
    return (
        result.driven
        and p99 is not None
        and p99 <= latency_limit_ms
        and result.tps >= SUSTAINED_SHARE * tps
        and failed <= MOST_FAILURES * (result.succeeded + failed)
    )


def _first_lines(error: GridloomError) -> str:
    return "\n".join(str(error).splitlines()[:5])

"""Two results side by side: the change of each figure with a bootstrap interval.

A round's time is cut into slices, and slices are drawn again with replacement: what happens in
one second depends on the second before, so single latencies must not be drawn on their own.
(Efron and Tibshirani 1993, chapter 8; Fabric counterpart: none)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from .errors import ResultError
from .result import BenchmarkResult, RoundResult, Slice
from .tally import percentile

DRAWS = 1000
LEVEL = 0.95

Figure = Callable[[Sequence[Slice], float], float]
"""A figure of slices of the given length in seconds."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after; ratio: after / before, with its interval."""

    figure: str
    before: float
    after: float
    ratio: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out "no change"."""
        return not self.low <= 1 <= self.high


def compare_rounds(before: RoundResult, after: RoundResult, seed: int = 0) -> list[Change]:
    """Return the changes of throughput and latencies from one round to another."""
    random = Random(seed)  # noqa: S311 - a statistic, no secret
    return [
        change
        for name, figure in _FIGURES.items()
        if (change := _change(name, figure, before, after, random)) is not None
    ]


def compare_results(before: BenchmarkResult, after: BenchmarkResult) -> list[str]:
    """Return the lines to show; ResultError when no round of one is in the other."""
    older = {each.name: each for each in before.rounds}
    common = [(older[each.name], each) for each in after.rounds if each.name in older]
    if not common:
        names = ", ".join(older) or "none"
        raise ResultError("compare", f"no round is in both; the first has: {names}")
    lines = [_yardstick(before, after)]
    for old, new in common:
        lines.append(
            f"{new.name}{' (marked: ' + _marks(old, new) + ')' if _marks(old, new) else ''}"
        )
        for change in compare_rounds(old, new):
            verdict = "" if change.certain else "  (no change shown)"
            lines.append(
                f"  {change.figure:8} {change.before:10,.1f} -> {change.after:10,.1f}  "
                f"x {change.ratio:.3f} [{change.low:.3f}, {change.high:.3f}]{verdict}"
            )
    return lines


def _yardstick(before: BenchmarkResult, after: BenchmarkResult) -> str:
    older, newer = (
        result.environment.get("p256_verifications_per_s") for result in (before, after)
    )
    if not older or not newer:
        return "ratios after / before with 95 % intervals"
    return (
        "ratios after / before with 95 % intervals; P-256 verifications a second of one core: "
        f"{older:,} -> {newer:,} (x {newer / older:.3f})"
    )


def _marks(old: RoundResult, new: RoundResult) -> str:
    return ", ".join(name for name, each in (("before", old), ("after", new)) if each.marked)


def _change(
    name: str, figure: Figure, before: RoundResult, after: RoundResult, random: Random
) -> Change | None:
    pairs = []
    for each in (before, after):
        width = each.slices[0].end_s if each.slices else 0.0
        filled = [part for part in each.slices if part.latency_ms]
        if not filled or not width:
            return None
        pairs.append((each.slices, width))
    (old, old_width), (new, new_width) = pairs
    ratios = sorted(
        drawn
        for _ in range(DRAWS)
        if (drawn := _ratio(figure, _drawn(old, random), old_width, _drawn(new, random), new_width))
        is not None
    )
    if not ratios:
        return None
    earlier, later = figure(old, old_width), figure(new, new_width)
    low, high = (percentile(ratios, share) for share in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Change(name, earlier, later, later / earlier, low, high)


def _drawn(slices: Sequence[Slice], random: Random) -> list[Slice]:
    return random.choices(slices, k=len(slices))


def _ratio(
    figure: Figure, old: Sequence[Slice], old_width: float, new: Sequence[Slice], new_width: float
) -> float | None:
    earlier, later = figure(old, old_width), figure(new, new_width)
    return later / earlier if earlier and later else None


def _tps(slices: Sequence[Slice], width: float) -> float:
    return sum(part.succeeded for part in slices) / (width * len(slices))


def _latency(share: float) -> Figure:
    def figure(slices: Sequence[Slice], _: float) -> float:
        weighted = sorted(
            (value, part.succeeded / len(part.latency_ms))
            for part in slices
            for value in part.latency_ms
        )
        wanted = share * sum(weight for _, weight in weighted)
        for value, weight in weighted:
            wanted -= weight
            if wanted <= 1e-9:
                return value
        return weighted[-1][0] if weighted else 0.0

    return figure


_FIGURES: dict[str, Figure] = {
    "tps": _tps,
    "p50 ms": _latency(0.5),
    "p95 ms": _latency(0.95),
    "p99 ms": _latency(0.99),
}

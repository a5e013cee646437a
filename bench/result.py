"""What a benchmark found, in memory and as JSON.

::

    {"rounds": [{"name", "workload", "planned_tps", "tps", "succeeded", "failed": {class: n},
                 "latency_ms": {"mean", "p50", "p90", "p95", "p99", "p999", "min", "max"},
                 "cpu_ms_per_tx": {process: x}, "rss_mb": {process: x},
                 "tps_per_verification", "retried", "failure_examples": {class: text},
                 "driven", "note", "error",
                 "slices": [{"end_s", "succeeded", "failed", "latency_ms": [...]}, ...]}],
     "environment": {...}}

A round that is marked (``driven`` false, or ``error``) has a ``note`` that says why its figures
are not those of its plan.  (Fabric: Caliper's report)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ResultError
from .tally import Tally

SLICES = 20
"""Into how many parts a round's time is cut, for plots and intervals."""

_SAMPLES = 100
"""Latencies kept of each slice: evenly spaced order statistics."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a round's time; latency_ms: sorted, at most 100 that stand for all."""

    end_s: float
    succeeded: int
    failed: int
    latency_ms: Sequence[float]


@dataclass(frozen=True, slots=True)
class RoundResult:
    """One round's figures; the fields are those of the JSON."""

    name: str
    workload: str
    planned_tps: float | None
    tps: float
    succeeded: int
    failed: Mapping[str, int]
    latency_ms: Mapping[str, float | None]
    cpu_ms_per_tx: Mapping[str, float]
    rss_mb: Mapping[str, float]
    tps_per_verification: float = 0.0
    retried: int = 0
    failure_examples: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    driven: bool = True
    note: str = ""
    error: str = ""
    slices: Sequence[Slice] = ()

    @property
    def marked(self) -> bool:
        """Whether its figures are not to be taken as those of its plan."""
        return bool(self.error) or not self.driven

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        names = [name for name in self.__slots__ if name != "slices"]
        document = {name: getattr(self, name) for name in names}
        document["slices"] = [
            {name: getattr(part, name) for name in Slice.__slots__} for part in self.slices
        ]
        return document


@dataclass(frozen=True, slots=True)
class BenchmarkResult:
    """All rounds, and the machine and versions they ran on."""

    rounds: Sequence[RoundResult]
    environment: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """Return the JSON text."""
        document = {
            "rounds": [each.document() for each in self.rounds],
            "environment": dict(self.environment),
        }
        return json.dumps(document, indent=1) + "\n"


def read_result(path: Path) -> BenchmarkResult:
    """Read a result; ResultError for what is none, or OSError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        rounds = [_round(each) for each in document["rounds"]]
        return BenchmarkResult(rounds, dict(document.get("environment", {})))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ResultError(str(path), f"not a result of gridloom bench run: {error!r}") from error


def joined(results: Sequence[BenchmarkResult]) -> BenchmarkResult:
    """Return the rounds of several results as one, with the environment of the first."""
    rounds = [each for result in results for each in result.rounds]
    return BenchmarkResult(rounds, results[0].environment if results else {})


def _round(document: Mapping[str, Any]) -> RoundResult:
    fields = {name: value for name, value in document.items() if name in RoundResult.__slots__}
    fields["slices"] = tuple(Slice(**part) for part in document.get("slices", ()))
    return RoundResult(**fields)


def failed_round(name: str, workload: str, planned_tps: float | None, error: str) -> RoundResult:
    """Return the result of a round that has no figures; error: why."""
    latency = Tally().latency_ms()
    return RoundResult(name, workload, planned_tps, 0.0, 0, {}, latency, {}, {}, error=error)


def slices(tally: Tally, seconds: float) -> tuple[Slice, ...]:
    """Cut a round's outcomes into parts of equal time."""
    width = max(seconds / SLICES, 1e-9)
    parts: list[list[float]] = [[] for _ in range(SLICES)]
    failures = [0] * SLICES
    for ended, latency in zip(tally.ended, tally.latencies, strict=True):
        parts[min(max(int(ended / width), 0), SLICES - 1)].append(latency * 1e3)
    for ended in tally.failed_at:
        failures[min(max(int(ended / width), 0), SLICES - 1)] += 1
    return tuple(
        Slice(round(width * (place + 1), 3), len(part), failures[place], _thinned(part))
        for place, part in enumerate(parts)
    )


def _thinned(values: list[float]) -> list[float]:
    ordered = sorted(values)
    if len(ordered) > _SAMPLES:
        step = len(ordered) / _SAMPLES
        ordered = [ordered[int((place + 0.5) * step)] for place in range(_SAMPLES)]
    return [round(value, 3) for value in ordered]

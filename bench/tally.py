"""What a round's measured transactions came to: latencies, failures, and when.

Every latency is kept, so that percentiles are exact and workers' tallies add up.
(Fabric: caliper-core/lib/common/core/transaction-statistics-collector.js)
"""

from __future__ import annotations

import base64
import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


class Tally:
    """Outcomes of transactions that were planned to start in the window.

    ended: seconds from the opening of the window to each success; latencies: seconds each
    took, in the same order; failed: counts by class; examples: the first failure of each in
    words; retried: attempts beyond the first;
    planned: transactions whose start fell into the window; punctual: those of them that could be
    started in it; last: seconds to the last end.
    """

    def __init__(self) -> None:
        self.ended = array("d")
        self.latencies = array("d")
        self.failed: Counter[str] = Counter()
        self.failed_at = array("d")
        self.examples: dict[str, str] = {}
        self.retried = 0
        self.planned = 0
        self.punctual = 0
        self.last = 0.0

    @property
    def succeeded(self) -> int:
        """How many committed, or were answered."""
        return len(self.latencies)

    def success(self, ended: float, latency: float) -> None:
        """Count a success."""
        self.ended.append(ended)
        self.latencies.append(latency)
        self.last = max(self.last, ended)

    def failure(self, ended: float, kind: str, example: str = "") -> None:
        """Count a failure."""
        self.failed[kind] += 1
        self.examples.setdefault(kind, example)
        self.failed_at.append(ended)
        self.last = max(self.last, ended)

    def add(self, other: Tally) -> None:
        """Take in another worker's outcomes."""
        self.ended.extend(other.ended)
        self.latencies.extend(other.latencies)
        self.failed.update(other.failed)
        self.failed_at.extend(other.failed_at)
        self.examples = other.examples | self.examples
        self.retried += other.retried
        self.planned += other.planned
        self.punctual += other.punctual
        self.last = max(self.last, other.last)

    def document(self) -> dict[str, Any]:
        """Return it as plain data for another process."""
        return {
            "ended": _text(self.ended),
            "latencies": _text(self.latencies),
            "failed": dict(self.failed),
            "examples": self.examples,
            "failed_at": _text(self.failed_at),
            "retried": self.retried,
            "planned": self.planned,
            "punctual": self.punctual,
            "last": self.last,
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Tally:
        """Return the tally of a document."""
        tally = cls()
        for name in ("ended", "latencies", "failed_at"):
            getattr(tally, name).frombytes(base64.b64decode(document[name]))
        tally.failed.update(document["failed"])
        tally.examples.update(document["examples"])
        tally.retried, tally.last = int(document["retried"]), float(document["last"])
        tally.planned, tally.punctual = int(document["planned"]), int(document["punctual"])
        return tally

    def latency_ms(self) -> dict[str, float | None]:
        """Return mean, percentiles and extremes in ms; None where nothing succeeded."""
        ordered = sorted(self.latencies)
        if not ordered:
            return dict.fromkeys(("mean", *PERCENTILES, "min", "max"))
        figures = {"mean": math.fsum(ordered) / len(ordered)}
        figures |= {name: percentile(ordered, share) for name, share in PERCENTILES.items()}
        figures |= {"min": ordered[0], "max": ordered[-1]}
        return {name: round(value * 1e3, 4) for name, value in figures.items()}


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` of the sorted values do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _text(values: array[float]) -> str:
    return base64.b64encode(values.tobytes()).decode()

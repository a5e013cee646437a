"""The search for the highest rate a network sustains: double until it fails, then bisect.

Pure: it is told how each probe went and says which rate to try next.
(Fabric: caliper-core/lib/worker/rate-control/maxRate.js, which climbs in fixed steps)
"""

from __future__ import annotations

from dataclasses import dataclass

from .rates import MaximumRate

MOST_PROBES = 16
"""A search that has not ended by then takes what it has."""

LOWEST_TPS = 0.5
"""Below that a search gives up."""


@dataclass(slots=True)
class Saturation:
    """One search; sustained and failed are the nearest rates known on each side."""

    rate: MaximumRate
    sustained: float | None = None
    failed: float | None = None
    probes: int = 0

    def next_rate(self) -> float | None:
        """The rate to try now, None when the search is over."""
        if self.probes >= MOST_PROBES:
            return None
        if self.sustained is None:
            return self.rate.starting_tps if self.failed is None else self._below(self.failed)
        if self.failed is None:
            return self.sustained * self.rate.factor
        if self.failed <= self.sustained * (1 + self.rate.precision):
            return None
        return (self.sustained + self.failed) / 2

    def report(self, tps: float, held: bool) -> None:
        """Take in how the probe at ``tps`` went."""
        self.probes += 1
        if held:
            self.sustained = max(tps, self.sustained or 0.0)
        else:
            self.failed = min(tps, self.failed or tps)

    def _below(self, failed: float) -> float | None:
        lower = failed / self.rate.factor
        return lower if lower >= LOWEST_TPS else None

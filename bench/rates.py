"""Rate controllers: when each transaction of a round is planned to start.

An open loop plans the start of transaction n whatever the network does, so that waiting in
front of a slow network counts as latency.  A closed loop keeps a number of transactions under
way.  All are pure.  (Fabric: caliper-core/lib/worker/rate-control)
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FixedLoad:
    """A closed loop: ``transactions`` under way at any time (Caliper: fixed-load)."""

    transactions: int

    @property
    def planned_tps(self) -> None:
        """A closed loop goes as fast as the network answers."""
        return None


@dataclass(frozen=True, slots=True)
class FixedRate:
    """An open loop of ``tps`` starts a second (Caliper: fixed-rate)."""

    tps: float

    @property
    def planned_tps(self) -> float:
        """Starts a second."""
        return self.tps

    def first(self, warmup: float) -> int:
        """Number of the first transaction when starts begin ``warmup`` seconds before 0."""
        return -math.floor(warmup * self.tps)

    def start(self, number: int) -> float:
        """Seconds from the opening of the window to the start of a transaction."""
        return number / self.tps

    def count(self, duration: float) -> int:
        """How many start within so many seconds."""
        return math.ceil(duration * self.tps)


@dataclass(frozen=True, slots=True)
class LinearRate:
    """An open loop whose rate goes evenly from one value to another (Caliper: linear-rate)."""

    starting_tps: float
    finishing_tps: float
    duration: float

    @property
    def planned_tps(self) -> float:
        """The mean."""
        return (self.starting_tps + self.finishing_tps) / 2

    def first(self, warmup: float) -> int:
        """As for a fixed rate: the warm-up goes at the starting rate."""
        return -math.floor(warmup * self.starting_tps)

    def start(self, number: int) -> float:
        """Seconds to the start of transaction n: where the integral of the rate reaches n."""
        if number <= 0:
            return number / self.starting_tps
        slope = (self.finishing_tps - self.starting_tps) / self.duration
        if slope == 0:
            return number / self.starting_tps
        root = self.starting_tps**2 + 2 * slope * number
        if root < 0:
            return math.inf  # a falling rate never gets that far
        return (math.sqrt(root) - self.starting_tps) / slope

    def count(self, duration: float) -> int:
        """How many start within so many seconds."""
        slope = (self.finishing_tps - self.starting_tps) / self.duration
        return math.ceil(self.starting_tps * duration + slope * duration**2 / 2)


@dataclass(frozen=True, slots=True)
class MaximumRate:
    """A search for the saturation point by fixed-rate probes (Caliper: maximum-rate).

    starting_tps: the first probe; factor: how much faster the next one is; seconds: length
    of a probe; latency_limit_ms: p99 beyond which a rate is not sustained; precision: the
    search ends when the sustained and the failed rate are that near, as a share.
    """

    starting_tps: float
    factor: float
    seconds: float
    latency_limit_ms: float
    precision: float = 0.1

    @property
    def planned_tps(self) -> None:
        """Not known before the search."""
        return None


OpenLoop = FixedRate | LinearRate
RateController = FixedLoad | FixedRate | LinearRate | MaximumRate

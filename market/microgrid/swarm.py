"""Particle swarm on the price, the paper's search, with the followers in closed form.

The hour's only free variable is the price: sellers answer it by formula, so the swarm
moves in one dimension (flight.py has the step).  Nothing here is needed to solve an hour
(pricing/ is exact); it stands for the paper's method and is held against the exact price.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..flight import Particles, step
from .followers import Floats, Followers
from .pricing import nash_bargain


class Best(NamedTuple):
    """Where the swarm ended, and the objective there."""

    position: float
    value: float


def maximise(
    objective: Callable[[Floats], Floats],
    low: float,
    high: float,
    rng: np.random.Generator,
    *,
    particles: int = 30,
    iterations: int = 200,
) -> Best:
    """Search [low, high] for the largest objective; objective takes all positions at once."""
    position = rng.uniform(low, high, particles)
    swarm = Particles(position, rng.uniform(-1.0, 1.0, particles) * (high - low) / 2)
    own, own_value = position.copy(), objective(position)
    for _ in range(iterations):
        swarm = step(swarm, own, own[np.argmax(own_value)], (low, high), rng)
        value = objective(swarm.position)
        better = value > own_value
        own[better], own_value[better] = swarm.position[better], value[better]
    best = int(np.argmax(own_value))
    return Best(float(own[best]), float(own_value[best]))


def nash_bargain_price(followers: Followers, rng: np.random.Generator) -> float:
    """The bargaining price as the paper would search it (30 particles, 200 steps)."""
    tariff = followers.tariff
    best = maximise(
        lambda prices: nash_bargain.objective(followers, prices), tariff.sell, tariff.buy, rng
    )
    return best.position


def stackelberg_buyer_price(followers: Followers, rng: np.random.Generator) -> float:
    """The buyers' cheapest price as the paper would search it."""
    tariff = followers.tariff
    return maximise(lambda prices: -followers.bill(prices), tariff.sell, tariff.buy, rng).position

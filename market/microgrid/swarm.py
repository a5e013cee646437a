"""Particle swarm on the price, the paper's search, with the followers in closed form.

The hour's only free variable is the price: sellers answer it by formula, so the swarm
moves in one dimension.  Constriction form (Clerc and Kennedy, 2002): chi = 0.7298 for
c1 = c2 = 2.05.  Nothing here is needed to solve an hour (pricing/ is exact); it stands
for the paper's method and is held against the exact price.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .followers import Floats, Followers
from .pricing import nash_bargain

_PULL = 2.05  # towards the particle's own best, and towards the swarm's
_PHI = 2 * _PULL
_CONSTRICTION = 2 / abs(2 - _PHI - math.sqrt(_PHI * _PHI - 4 * _PHI))


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
    velocity = rng.uniform(-1.0, 1.0, particles) * (high - low) / 2
    own, own_value = position.copy(), objective(position)
    for _ in range(iterations):
        leader = own[np.argmax(own_value)]
        pull = rng.uniform(0.0, _PULL, (2, particles))
        velocity += pull[0] * (own - position) + pull[1] * (leader - position)
        velocity *= _CONSTRICTION
        position = position + velocity
        velocity[(position < low) | (position > high)] = 0.0
        position = np.clip(position, low, high)
        value = objective(position)
        better = value > own_value
        own[better], own_value[better] = position[better], value[better]
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

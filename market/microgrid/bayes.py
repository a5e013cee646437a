"""The Bayesian game: sellers' lam is private with a known prior (paper 003, eqs. 1-2).

Every type's best answer to the price is the same closed form, so eq. (2) holds type by
type; what remains is one price that maximises the product of expected gains, or makes
the buyers' expected bill smallest.  Profiles of types are enumerated exactly.

On a day, nature draws every seller's type for every hour from the prior; the pricing
system knows the prior only, each seller answers the price by his own type.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ..tariff import Tariff
from .followers import Followers
from .period import Outcome, Period, solve_period
from .pricing import nash_bargain, stackelberg_buyer

PROFILE_LIMIT = 1 << 14  # joint type profiles that are enumerated


class SellerType(NamedTuple):
    """One possible lam (yuan) of a seller, and its probability."""

    probability: float
    lam: float


OBJECTIVES: Mapping[str, Callable[[Followers], float]] = MappingProxyType(
    {"nash_bargain": nash_bargain.price, "buyer_cost": stackelberg_buyer.price}
)


class PrivateHour(NamedTuple):
    """An hour of the Bayesian game.

    outcome: under the price that knows the prior only, true types answering; informed: the
    same hour had the types been public.  Both are the plain hour where nothing is priced.
    """

    outcome: Outcome
    informed: Outcome


def prior(load: float, tariff: Tariff, spread: float, count: int) -> list[SellerType]:
    """A seller's types: lam = p_s (1 + load) (1 + d), d evenly spaced in [-spread, spread].

    The middle type is the calibrated one, to whom his initial load is best at p_s.
    """
    steps = np.linspace(-spread, spread, count) if count > 1 else np.zeros(1)
    calibrated = tariff.sell * (1 + load)
    return [SellerType(1 / count, float(calibrated * (1 + step))) for step in steps]


def play(
    period: Period,
    spread: float,
    count: int,
    objective: str,
    rng: np.random.Generator,
) -> PrivateHour:
    """One hour: nature draws the types from rng, prices and answers follow.

    KeyError if objective is not one of OBJECTIVES; ValueError if the joint types are more
    than PROFILE_LIMIT.
    """
    types = {i: prior(period.load[i], period.tariff, spread, count) for i in period.sellers}
    drawn = {i: own[int(rng.integers(count))].lam for i, own in types.items()}
    if count ** len(types) > PROFILE_LIMIT:
        raise ValueError(f"{count} types of {len(types)} sellers are more than {PROFILE_LIMIT}")
    lam = tuple(drawn.get(i, 0.0) for i in range(len(period.load)))
    true = replace(period, lam=lam)

    def uninformed(followers: Followers) -> float:
        generation = [period.pv[i] for i in period.sellers]
        listed = [types[i] for i in period.sellers]
        return bayes_price(listed, generation, followers.demand, period.tariff, objective)

    return PrivateHour(
        solve_period(true, search=uninformed),
        solve_period(true, search=OBJECTIVES[objective]),
    )


def profiles(types: Sequence[Sequence[SellerType]]) -> int:
    """How many joint profiles the types have."""
    return math.prod(len(own) for own in types)


def bayes_price(
    types: Sequence[Sequence[SellerType]],
    generation: Sequence[float],
    demand: float,
    tariff: Tariff,
    objective: str = "nash_bargain",
) -> float:
    """Price in [p_s, p_b] for sellers of independent types facing demand > 0 (kWh).

    types: one non-empty list per seller; generation: kWh per seller, the upper bound of
    his load.  KeyError if objective is not one of OBJECTIVES.
    """
    g = np.asarray(generation, dtype=np.float64)
    joint = list(itertools.product(*types))
    lam = np.asarray([[own.lam for own in profile] for profile in joint])
    weight = np.asarray([math.prod(own.probability for own in profile) for profile in joint])
    followers = Followers(g, np.zeros_like(g), g, lam, weight, demand, tariff)
    return OBJECTIVES[objective](followers)

"""The price when sellers' lam is private with a known prior (paper 003, eqs. 1-2).

Every type's best answer to the price is the same closed form, so eq. (2) holds type by
type; what remains is one price that maximises the product of expected gains, or makes
the buyers' expected bill smallest.  Profiles of types are enumerated exactly.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ..tariff import Tariff
from .followers import Followers
from .pricing import nash_bargain, stackelberg_buyer

PROFILE_LIMIT = 1 << 14  # joint type profiles that are enumerated


class SellerType(NamedTuple):
    """One possible lam (yuan) of a seller, and its probability."""

    probability: float
    lam: float


OBJECTIVES: Mapping[str, Callable[[Followers], float]] = MappingProxyType(
    {"nash_bargain": nash_bargain.price, "buyer_cost": stackelberg_buyer.price}
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

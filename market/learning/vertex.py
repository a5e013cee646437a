"""Best prices for given quantities: every price by itself, at an end of its interval.

With the quantities fixed, w_G H_G + w_C H_C - w_U R_U is a sum of four terms of one price
each:

    (w_G - w_U) P_GU Q_GU + (w_G - w_C) P_GC Q_GC + (w_C - w_U) n(P_CU) Q_CU
    + (w_C - w_G) n(P_CG) Q_CG

so the optimum is a vertex of the box (unless a subsidy is so large that n peaks inside).  A
term without weight or quantity leaves its price open: None.  If nobody weighs anything
together, each seller asks the most.  (Paper 002 as restated; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gridloom.chaincode.energy.learning.flows import Flows

from .objectives import SUBSIDY, net

_NO_WEIGHT = 1e-12  # difference of weights that is only the rounding of decimals

Interval = tuple[float, float]


class Box(NamedTuple):
    """The bidding space of each price: lowest and highest, yuan per kWh (eq. 13)."""

    gu: Interval
    gc: Interval
    cu: Interval
    cg: Interval


PAPER_BOX = Box(gu=(0.5, 0.7), gc=(0.5, 0.7), cu=(0.4, 0.6), cg=(0.4, 0.6))


class Weights(NamedTuple):
    """How much each party's objective counts."""

    company: float
    bureau: float
    users: float


class Vertex(NamedTuple):
    """Prices in the order gu, gc, cu, cg, and the weighted sum they attain (yuan)."""

    prices: tuple[float | None, ...]
    value: float


def coefficients(weights: Weights) -> tuple[float, ...]:
    """What a unit of net price is worth to the weighted sum: gu, gc, cu, cg."""
    company, bureau, users = weights
    raw = (company - users, company - bureau, bureau - users, bureau - company)
    return tuple(0.0 if abs(value) <= _NO_WEIGHT else value for value in raw)


def weighted_optimum(
    flows: Flows[float], weights: Weights, box: Box, subsidy: float = SUBSIDY
) -> Vertex:
    """The prices that maximise the weighted sum."""
    prices: list[float | None] = []
    value = 0.0
    subsidies = (0.0, 0.0, subsidy, subsidy)
    terms = zip(coefficients(weights), flows[:4], box, subsidies, strict=True)
    for coefficient, quantity, interval, own_subsidy in terms:
        if coefficient == 0 or quantity == 0:
            prices.append(None)
            continue
        price = _best(interval, own_subsidy, rising=coefficient > 0)
        prices.append(price)
        value += coefficient * net(price, own_subsidy) * quantity
    return Vertex(tuple(prices), value)


def asked_prices(flows: Flows[float], box: Sequence[Interval]) -> tuple[float | None, ...]:
    """The equilibrium of the printed game: each seller asks his upper bound."""
    pairs = zip(flows[:4], box, strict=True)
    return tuple(interval[1] if quantity else None for quantity, interval in pairs)


def _best(interval: Interval, subsidy: float, *, rising: bool) -> float:
    """Where n(P) is largest (rising) or smallest on the interval."""
    low, high = interval
    if not rising:
        return low if net(low, subsidy) <= net(high, subsidy) else high
    peak = 1 / (2 * subsidy) if subsidy > 0 else high
    return min(max(peak, low), high)

"""The elastic game [X]: users divide their demand by the difference of two prices.

The printed game has no interior equilibrium, so the restated model gives users a choice:

    sigma = 1/2 + b (P_CU - P_GU)            share served by the microgrid company
    G maximises (P_GU - P_GC) D sigma        the bureau would pay P_GC for the same energy
    C maximises (P_CU - s P_CU^2 - c_C) D (1 - sigma)

with sigma kept in [0, min(1, S_G / D)].  While neither bound can be reached inside the box,
both payoffs are strictly concave in the own price and best responses contract, so exactly one
equilibrium in pure prices exists; otherwise there may be none.
(Paper 002 as restated in NOTES 4.2b; Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import MarketError

Floats = npt.NDArray[np.float64]

Answer = Callable[[float], float]
"""From the rival's price to the own one that is best against it."""

_SETTLED = 1e-14  # yuan per kWh: a round that moves the prices less has not moved them
_ROUNDS = 10_000
_RIGID = 1e-9  # kWh per yuan: a smaller elasticity or subsidy moves nothing
_TRANSIENT = 200  # rounds after which prices that come back are a cycle
_CYCLING = 1e-9  # yuan per kWh: a slow approach moves less


class NoEquilibrium(MarketError):
    """A price game's best responses do not settle.

    period: after so many rounds they return to the same prices, None when they wander;
    prices: one of the places they visit, yuan per kWh.
    """

    def __init__(self, period: int | None, prices: tuple[float, float]) -> None:
        course = "wander" if period is None else f"return every {period} rounds"
        super().__init__(
            f"no equilibrium in pure prices: best responses {course} "
            f"(through {prices[0]:.6g} and {prices[1]:.6g}); a bound of the share is reached"
        )
        self.period = period
        self.prices = prices


class Equilibrium(NamedTuple):
    """Prices in yuan per kWh, share of the company, profits in yuan, rounds that moved."""

    company_price: float
    bureau_price: float
    share: float
    company_profit: float
    bureau_profit: float
    iterations: int


@dataclass(frozen=True, slots=True)
class ElasticGame:
    """One hour of the game.

    elasticity: b, kWh per yuan, >= 0; demand: D, kWh, >= 0; supply: S_G, kWh the company can
    sell, >= 0; feed_in: P_GC, what the bureau pays the company; cost: c_C, the bureau's cost of
    a kWh; subsidy: s; company_box, bureau_box: where P_GU and P_CU may lie.
    """

    elasticity: float
    demand: float
    supply: float
    feed_in: float
    cost: float
    subsidy: float
    company_box: tuple[float, float]
    bureau_box: tuple[float, float]

    @property
    def largest_share(self) -> float:
        """The company cannot serve more: all of the demand, or all it has."""
        if self.demand == 0:
            return 1.0
        return min(1.0, self.supply / self.demand)

    @property
    def well_posed(self) -> bool:
        """No bound of the share can be reached inside the box: one equilibrium for certain."""
        lowest = self.bureau_box[0] - self.company_box[1]
        highest = self.bureau_box[1] - self.company_box[0]
        inside = (0.5 + self.elasticity * lowest, 0.5 + self.elasticity * highest)
        return inside[0] >= 0 and inside[1] <= self.largest_share

    def share(self, company: Floats, bureau: Floats) -> Floats:
        """sigma within its bounds."""
        raw = 0.5 + self.elasticity * (bureau - company)
        return np.clip(raw, 0.0, self.largest_share)

    def company_profit(self, company: Floats, bureau: Floats) -> Floats:
        """What G earns by selling to users instead of to the bureau, yuan."""
        return np.asarray((company - self.feed_in) * self.demand * self.share(company, bureau))

    def bureau_profit(self, company: Floats, bureau: Floats) -> Floats:
        """What C earns on the users left to it, yuan."""
        margin = bureau - self.subsidy * bureau * bureau - self.cost
        return np.asarray(margin * self.demand * (1 - self.share(company, bureau)))

    def company_response(self, bureau: Floats) -> Floats:
        """P_GU that maximises G's profit against these P_CU."""
        candidates: list[Floats] = []
        b = self.elasticity
        if b > _RIGID:
            candidates = [
                (self.feed_in + bureau + 0.5 / b) / 2,
                bureau + (0.5 - self.largest_share) / b,
                bureau + 0.5 / b,
            ]
        return _argmax(
            candidates, self.company_box, bureau, lambda own: self.company_profit(own, bureau)
        )

    def bureau_response(self, company: Floats) -> Floats:
        """P_CU that maximises C's profit against these P_GU."""
        b, s = self.elasticity, self.subsidy
        candidates: list[Floats] = []
        if b > _RIGID:
            candidates = [
                self._stationary(company),
                company + (self.largest_share - 0.5) / b,
                company - 0.5 / b,
            ]
        if s > _RIGID:
            candidates.append(np.full_like(company, 1 / (2 * s)))
        return _argmax(
            candidates, self.bureau_box, company, lambda own: self.bureau_profit(company, own)
        )

    def _stationary(self, company: Floats) -> Floats:
        """Where C's profit peaks: 3bs p^2 - 2(b + s a) p + a + bc = 0, a = 1/2 + b P_GU.

        The smaller root; the profit is least at the larger one.
        """
        b, s = self.elasticity, self.subsidy
        a = 0.5 + b * company
        half, last = b + s * a, a + b * self.cost
        root = np.sqrt(np.maximum(half * half - 3 * b * s * last, 0.0))
        return np.asarray(last / (half + root))

    def regret(self, company: Floats, bureau: Floats) -> Floats:
        """Nikaido-Isoda gap, yuan: what both could gain by answering; 0 at an equilibrium."""
        best_company = self.company_profit(self.company_response(bureau), bureau)
        best_bureau = self.bureau_profit(company, self.bureau_response(company))
        gap = best_company - self.company_profit(company, bureau)
        return np.maximum(gap + best_bureau - self.bureau_profit(company, bureau), 0.0)

    def equilibrium(self) -> Equilibrium:
        """Best responses in turn, the company first, until prices no longer move.

        It begins at the middles of the boxes; a round counts if it moves a price by 1e-14 or
        more, and the prices before the first that does not are the answer.  NOTES does not
        state this rule; the published prices are those after just as many rounds as are
        published with them, to the last digit (tests/market/learning/test_elastic.py).
        NoEquilibrium if the prices come back to where they were instead.
        """
        company, bureau = sum(self.company_box) / 2, sum(self.bureau_box) / 2
        answer_bureau, answer_company = self._answers()
        seen: dict[tuple[float, float], int] = {}
        for moved in range(_ROUNDS):
            next_company = answer_bureau(bureau)
            next_bureau = answer_company(next_company)
            step = max(abs(next_company - company), abs(next_bureau - bureau))
            if step < _SETTLED:
                return self._result(np.asarray(company), np.asarray(bureau), moved)
            company, bureau = next_company, next_bureau
            place = (round(company, 12), round(bureau, 12))
            if moved >= _TRANSIENT and step > _CYCLING and place in seen:
                raise NoEquilibrium(moved - seen[place], place)
            seen[place] = moved
        raise NoEquilibrium(None, (company, bureau))

    def _answers(self) -> tuple[Answer, Answer]:
        """The company's answer to a price of the bureau, and the bureau's to the company's.

        Where profits are concave in the box the peak, put into the box, is the best answer.
        """
        concave = self.well_posed and self.elasticity > _RIGID
        if concave and 2 * self.subsidy * self.bureau_box[1] <= 1:
            return self._company_peak, self._bureau_peak
        return (
            lambda rival: float(self.company_response(np.asarray(rival))),
            lambda rival: float(self.bureau_response(np.asarray(rival))),
        )

    def _company_peak(self, bureau: float) -> float:
        low, high = self.company_box
        return min(max((self.feed_in + bureau + 0.5 / self.elasticity) / 2, low), high)

    def _bureau_peak(self, company: float) -> float:
        b, s, (low, high) = self.elasticity, self.subsidy, self.bureau_box
        a = 0.5 + b * company
        half, last = b + s * a, a + b * self.cost
        rest = half * half - 3 * b * s * last
        return high if rest < 0 else min(max(last / (half + math.sqrt(rest)), low), high)

    def _result(self, company: Floats, bureau: Floats, iterations: int) -> Equilibrium:
        return Equilibrium(
            float(company),
            float(bureau),
            float(self.share(company, bureau)),
            float(self.company_profit(company, bureau)),
            float(self.bureau_profit(company, bureau)),
            iterations,
        )


def _argmax(
    candidates: Sequence[Floats],
    box: tuple[float, float],
    rival: Floats,
    profit: Callable[[Floats], Floats],
) -> Floats:
    """The most profitable of the candidates and the ends of the box; the first among equals."""
    ends: list[Floats] = [np.asarray(end) for end in box]
    prices = np.stack(
        [
            np.broadcast_to(np.clip(each, ends[0], ends[1]), np.shape(rival))
            for each in [*candidates, *ends]
        ]
    )
    best = np.argmax(np.stack([profit(own) for own in prices]), axis=0)
    return np.asarray(np.take_along_axis(prices, best[None, ...], axis=0)[0])

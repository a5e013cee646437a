"""Whether a pair of prices is an equilibrium of the elastic game, found by the ledger itself.

Users divide their demand D by sigma = 1/2 + b (P_CU - P_GU), kept in [0, min(1, S/D)]; the
company earns (P_GU - P_GC) D sigma and the bureau (P_CU - s P_CU^2 - c) D (1 - sigma).  Regret
is what both could gain together by the best answer in whole micro-yuan: zero at an equilibrium
and never below.  Profits are fractions of a micro-yuan, exact; they are concave in the own
price between the bounds of sigma, so a search by halves finds each best answer.
(Paper 002 as restated; the model is market/learning/elastic.py.  Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .parties import Bounds, Game

_MICRO = 1_000_000
_WH_PER_KWH = 1_000


@dataclass(frozen=True, slots=True)
class Duel:
    """One hour of the game, in the ledger's units.

    demand, supply: D and S_G in Wh; feed_in: P_GC; subsidy: s in micro-kWh per yuan.
    """

    game: Game
    demand: int
    supply: int
    feed_in: int
    subsidy: int
    company: Bounds
    bureau: Bounds

    @property
    def well_posed(self) -> bool:
        """No bound of sigma can be reached within the prices' bounds: one equilibrium exists."""
        slope = Fraction(self.game.elasticity, _MICRO**2)
        lowest = Fraction(1, 2) + slope * (self.bureau.low - self.company.high)
        highest = Fraction(1, 2) + slope * (self.bureau.high - self.company.low)
        return lowest >= 0 and highest <= self._largest_share

    def share(self, company: int, bureau: int) -> Fraction:
        """sigma within its bounds."""
        raw = Fraction(1, 2) + Fraction(self.game.elasticity * (bureau - company), _MICRO**2)
        return min(max(raw, Fraction(0)), self._largest_share)

    def company_profit(self, company: int, bureau: int) -> Fraction:
        """Micro-yuan that G earns beyond what the bureau would pay."""
        energy = self.demand * self.share(company, bureau)
        return (company - self.feed_in) * energy / _WH_PER_KWH

    def bureau_profit(self, company: int, bureau: int) -> Fraction:
        """Micro-yuan that C earns on the users left to it."""
        subsidy = Fraction(self.subsidy * bureau * bureau, _MICRO**2)
        energy = self.demand * (1 - self.share(company, bureau))
        return (bureau - subsidy - self.game.cost) * energy / _WH_PER_KWH

    def regret(self, company: int, bureau: int) -> Fraction:
        """What both could still gain by answering the other's price."""
        best_company = self._best(
            lambda own: self.company_profit(own, bureau), self.company, bureau, -1
        )
        best_bureau = self._best(
            lambda own: self.bureau_profit(company, own), self.bureau, company, 1
        )
        now = self.company_profit(company, bureau) + self.bureau_profit(company, bureau)
        return best_company + best_bureau - now

    @property
    def _largest_share(self) -> Fraction:
        if self.demand == 0:
            return Fraction(1)
        return min(Fraction(1), Fraction(self.supply, self.demand))

    def _best(
        self, profit: Callable[[int], Fraction], bounds: Bounds, rival: int, sign: int
    ) -> Fraction:
        """The largest profit within bounds; sign: how the own price moves sigma."""
        edges = {bounds.low, bounds.high}
        if self.game.elasticity:
            for limit in (Fraction(0), self._largest_share):
                offset = (limit - Fraction(1, 2)) * _MICRO**2 / self.game.elasticity
                kink = rival + sign * offset
                edges.update(price for price in (kink // 1, -(-kink // 1)) if bounds.admits(price))
        ordered = sorted(edges)
        pieces = zip(ordered, ordered[1:] or ordered, strict=False)
        return max(_peak(profit, low, high) for low, high in pieces)


def _peak(profit: Callable[[int], Fraction], low: int, high: int) -> Fraction:
    """The largest value of a concave function on the whole numbers from low to high."""
    while low < high:
        middle = (low + high) // 2
        if profit(middle + 1) > profit(middle):
            low = middle + 1
        else:
            high = middle
    return profit(low)

"""The pricing system of the paper's Figure 2: from the published orders to a price.

It stands beside the ledger.  For the two mechanisms that the paper's particle swarm can
search it uses the swarm; the exact price is kept beside it, so that the report can say
how far the search came.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gridloom.chaincode.energy.rules.prices import GridPrices

from . import swarm
from .energy_day import EnergyDay
from .followers import Followers
from .period import Outcome, Regime, solve_period
from .pricing import MECHANISMS

_SEARCHES = {
    "nash_bargain": swarm.nash_bargain_price,
    "stackelberg_buyer": swarm.stackelberg_buyer_price,
}


@dataclass(frozen=True, slots=True)
class PricedHour:
    """outcome: the model's hour at the price found; exact_price: in closed form, yuan per
    kWh; price: what is announced, micro-yuan per kWh, None without trade."""

    outcome: Outcome
    exact_price: float | None
    price: int | None

    @property
    def seller_load(self) -> dict[int, int]:
        """Load each seller chooses in answer to the price, Wh by user number."""
        loads = zip(self.outcome.sellers, self.outcome.seller_load, strict=True)
        return {position + 1: round(load * 1000) for position, load in loads}


Pricer = Callable[[EnergyDay, int], PricedHour]
"""Prices an hour of a day."""


def announced(outcome: Outcome, exact_price: float | None, grid: GridPrices) -> PricedHour:
    """What of a model's hour is announced: whole micro-yuan within the grid's prices."""
    if outcome.price is None:
        return PricedHour(outcome, None, None)
    if outcome.regime is Regime.SURPLUS:
        return PricedHour(outcome, outcome.price, grid.compromise)
    price = round(outcome.price * 1_000_000)
    return PricedHour(outcome, exact_price, min(max(price, grid.sell), grid.buy))


def price_hour(scenario: EnergyDay, hour: int, mode: str, seed: int) -> PricedHour:
    """Price an hour of the scenario under a mechanism; deterministic for a seed."""
    period = scenario.period(hour)
    search = _SEARCHES.get(mode)

    def find(followers: Followers) -> float:
        rng = np.random.default_rng([seed, hour])
        return search(followers, rng) if search else MECHANISMS[mode](followers)

    outcome = solve_period(period, mode, search=find)
    exact = None
    if outcome.regime is Regime.DEFICIT:
        exact = MECHANISMS[mode](period.followers())
    return announced(outcome, exact, scenario.grid)

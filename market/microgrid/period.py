"""One hour of the market: who sells, at what price, who gets how much.

Paper 003, eqs. (3)-(15), with the readings of its restated model: net = g - e; net >= 0
sells, net < 0 buys.  The regime follows the *initial* e_net: with a surplus the price is
p_a and nobody changes load; when energy is short a mechanism sets the price and sellers
answer it.  Without sellers or without buyers nothing is traded inside and there is no
price.  Eq. (13) is capped: nobody gets more than his demand.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ..tariff import Tariff
from .followers import Floats, Followers
from .pricing import DEFAULT_MODE, MECHANISMS

_BALANCE = 1e-9  # kWh: a smaller shortage is the rounding of the sum, not a shortage


class Regime(StrEnum):
    """What the initial balance of the hour makes of it."""

    DEFICIT = "deficit"
    SURPLUS = "surplus"
    NO_TRADE = "no_trade"


@dataclass(frozen=True, slots=True)
class Period:
    """An hour before trading.

    pv, load: kWh per user, same length, >= 0; band: sellers may move their load by this
    share of it, None for anything from 0 to their generation; lam: yuan per user (only
    sellers' entries count), None for p_s (1 + load), which makes the initial load the
    best one at the outside tariff.
    """

    pv: tuple[float, ...]
    load: tuple[float, ...]
    tariff: Tariff
    band: float | None = None
    lam: tuple[float, ...] | None = None

    @property
    def net(self) -> tuple[float, ...]:
        """Net output per user, kWh (eq. 5)."""
        return tuple(g - e for g, e in zip(self.pv, self.load, strict=True))

    @property
    def sellers(self) -> tuple[int, ...]:
        """Positions of the users with net >= 0."""
        return tuple(i for i, net in enumerate(self.net) if net >= 0)

    @property
    def buyers(self) -> tuple[int, ...]:
        """Positions of the users with net < 0."""
        return tuple(i for i, net in enumerate(self.net) if net < 0)

    @property
    def e_net(self) -> float:
        """Net output of the microgrid, kWh (eq. 7)."""
        return float(sum(self.net))

    @property
    def regime(self) -> Regime:
        """Decided by the initial balance."""
        if not self.sellers or not self.buyers:
            return Regime.NO_TRADE
        return Regime.SURPLUS if self.e_net >= -_BALANCE else Regime.DEFICIT

    def followers(self) -> Followers:
        """The sellers facing the buyers' demand; the period must have both."""
        own = list(self.sellers)
        pv, load = np.asarray(self.pv)[own], np.asarray(self.load)[own]
        low, high = np.zeros_like(pv), pv
        if self.band is not None:
            low, high = (1 - self.band) * load, np.minimum((1 + self.band) * load, pv)
        lam = self.tariff.sell * (1 + load) if self.lam is None else np.asarray(self.lam)[own]
        demand = sum(self.load[j] - self.pv[j] for j in self.buyers)
        return Followers(pv, low, high, lam[None, :], np.ones(1), float(demand), self.tariff)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An hour after trading; kWh and yuan, one entry per seller or per buyer in order."""

    sellers: tuple[int, ...]
    buyers: tuple[int, ...]
    e_net: float
    regime: Regime
    price: float | None
    seller_load: tuple[float, ...]
    seller_internal: tuple[float, ...]
    seller_to_grid: tuple[float, ...]
    buyer_internal: tuple[float, ...]
    buyer_from_grid: tuple[float, ...]
    buyer_cost: tuple[float, ...]
    seller_revenue: tuple[float, ...]


def solve_period(
    period: Period,
    mode: str = DEFAULT_MODE,
    *,
    search: Callable[[Followers], float] | None = None,
) -> Outcome:
    """Trade the hour under a mechanism of pricing.MECHANISMS; KeyError if mode is none.

    search replaces the mechanism's exact price by another way to find it (the swarm).
    """
    mechanism = search or MECHANISMS[mode]
    load: Floats = np.asarray([period.load[i] for i in period.sellers], dtype=np.float64)
    price: float | None = None
    if period.regime is Regime.SURPLUS:
        price = period.tariff.compromise
    elif period.regime is Regime.DEFICIT:
        followers = period.followers()
        price = mechanism(followers)
        load = followers.loads(price)[0]
    return _settle(period, price, load)


def _settle(period: Period, price: float | None, load: Floats) -> Outcome:
    """Eq. (13) with its cap, and the money that follows from it."""
    tariff = period.tariff
    supply = np.asarray([period.pv[i] for i in period.sellers], dtype=np.float64) - load
    demand = np.asarray([period.load[j] - period.pv[j] for j in period.buyers], dtype=np.float64)
    offered, wanted = float(supply.sum()), float(demand.sum())
    traded = min(offered, wanted) if price is not None else 0.0
    sold = supply * (traded / offered) if offered > 0 else np.zeros_like(supply)
    bought = demand * (traded / wanted) if wanted > 0 else np.zeros_like(demand)
    to_grid, from_grid = supply - sold, demand - bought
    at = price if price is not None else 0.0
    return Outcome(
        sellers=period.sellers,
        buyers=period.buyers,
        e_net=period.e_net,
        regime=period.regime,
        price=price,
        seller_load=_tuple(load),
        seller_internal=_tuple(sold),
        seller_to_grid=_tuple(to_grid),
        buyer_internal=_tuple(bought),
        buyer_from_grid=_tuple(from_grid),
        buyer_cost=_tuple(at * bought + tariff.buy * from_grid),
        seller_revenue=_tuple(at * sold + tariff.sell * to_grid),
    )


def _tuple(values: Sequence[float] | Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)

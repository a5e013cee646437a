"""Which price an hour may have (paper 003, inequality 8 and the surplus rule).

(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Regime(StrEnum):
    """What the balance of the published orders makes of an hour."""

    DEFICIT = "deficit"
    SURPLUS = "surplus"
    NO_TRADE = "no_trade"


@dataclass(frozen=True, slots=True)
class GridPrices:
    """The grid's prices for an hour, micro-yuan per kWh, 0 < sell < buy.

    sell: p_s, what the grid pays; buy: p_b, what it asks.
    """

    sell: int
    buy: int

    @property
    def compromise(self) -> int:
        """p_a, the price of an hour with surplus; half a micro-yuan is dropped."""
        return (self.sell + self.buy) // 2

    def admits(self, price: int) -> bool:
        """Whether p_s <= price <= p_b."""
        return self.sell <= price <= self.buy


def regime_of(supply: int, demand: int, *, sellers: int, buyers: int) -> Regime:
    """The regime for total supply and demand (Wh) of that many sellers and buyers."""
    if not sellers or not buyers:
        return Regime.NO_TRADE
    return Regime.SURPLUS if supply >= demand else Regime.DEFICIT

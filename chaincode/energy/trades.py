"""What matchmaking leaves on the ledger (paper 003, Table 5).

Field names are the table's own; energy in Wh, prices in micro-yuan per kWh.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass

from .rules.prices import GridPrices, Regime


@dataclass(frozen=True, slots=True)
class PriceAnnouncement:
    """The hour's internal price, and the balance of orders it was set for (Wh)."""

    delivery_time: int
    price: int
    regime: Regime
    supply: int
    demand: int


@dataclass(frozen=True, slots=True)
class TradePath:
    """Table 5: the energy one seller delivers to one buyer, and the money for it.

    amount: micro-yuan; the amounts of an hour's paths add up to the value of its traded
    energy exactly.
    """

    su_address: str
    su_id: int
    bu_address: str
    bu_id: int
    transaction_volume: int
    transaction_price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Share:
    """What matchmaking made of one order: ordered, and traded inside (Wh)."""

    unit_id: int
    address: str
    ordered: int
    traded: int


@dataclass(frozen=True, slots=True)
class HourMatch:
    """An hour after matchmaking; price is None when nothing could be traded inside.

    sellers, buyers, paths: in order of the units' ids.
    """

    delivery_time: int
    price: int | None
    grid_sell_price: int
    grid_buy_price: int
    sellers: list[Share]
    buyers: list[Share]
    paths: list[TradePath]

    @property
    def grid(self) -> GridPrices:
        """p_s and p_b."""
        return GridPrices(self.grid_sell_price, self.grid_buy_price)

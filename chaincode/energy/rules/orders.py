"""Orders and trades of one interval as every clearing rule sees them, in integers.

Energy is in Wh, a price in micro-units of the community's currency per kWh (micro-yuan in
the papers' days).  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """What an order wants."""

    BUY = "buy"
    SELL = "sell"


class Order(NamedTuple):
    """energy > 0; price: the limit, highest a buyer pays or lowest a seller takes;
    sequence: its place among the interval's orders as the ledger received them."""

    party: str
    side: Side
    energy: int
    price: int
    sequence: int

    def admits(self, price: int) -> bool:
        """Whether the order's limit allows a trade at price."""
        return price <= self.price if self.side is Side.BUY else price >= self.price


class Trade(NamedTuple):
    """Energy (> 0) from a seller to a buyer.

    pays, earns: the buyer's and the seller's price.  They differ only where the mechanism
    keeps a spread, which goes to the operator; pays >= earns then.
    """

    seller: str
    buyer: str
    energy: int
    pays: int
    earns: int


class Cleared(NamedTuple):
    """An interval's trades; price: the one price of all of them, None if there is none."""

    trades: tuple[Trade, ...]
    price: int | None

    @property
    def energy(self) -> int:
        """Wh traded inside."""
        return sum(trade.energy for trade in self.trades)


NOTHING = Cleared((), None)
"""No trade took place."""


def sides(orders: Sequence[Order]) -> tuple[list[Order], list[Order]]:
    """Buyers' orders, then sellers', each as they came."""
    ordered = sorted(orders, key=lambda order: order.sequence)
    buying = [order for order in ordered if order.side is Side.BUY]
    return buying, [order for order in ordered if order.side is Side.SELL]

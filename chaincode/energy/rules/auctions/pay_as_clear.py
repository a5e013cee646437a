"""Uniform-price double auction: everybody trades at the price where the curves cross.

The k-double auction with k = 1/2: the middle of the prices that clear the market, half a
micro-unit dropped (Wilson, Econometrica 53, 1985; Chatterjee and Samuelson, Operations
Research 31, 1983).  Whoever trades, trades within his limit.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import NOTHING, Cleared, Order, Trade
from ..prices import GridPrices
from .crossing import cross


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval, all at one price."""
    crossing = cross(orders)
    if crossing.low is None or crossing.high is None:
        return NOTHING
    price = (crossing.low + crossing.high) // 2
    trades = (
        Trade(pair.ask.party, pair.bid.party, pair.energy, price, price) for pair in crossing.pairs
    )
    return Cleared(tuple(trades), price)

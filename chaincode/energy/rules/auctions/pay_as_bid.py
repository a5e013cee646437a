"""Discriminatory double auction: every buyer pays his bid, every seller earns his ask.

The same orders trade as under pay_as_clear; the spread of each pair is the operator's, so
the budget is balanced weakly (Nicolaisen et al., IEEE Trans. Evolutionary Computation 5,
2001, call the opposite sharing of the spread the midpoint rule).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import Cleared, Order, Trade
from ..prices import GridPrices
from .crossing import cross


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval, each side at its own limit."""
    trades = (
        Trade(pair.ask.party, pair.bid.party, pair.energy, pair.bid.price, pair.ask.price)
        for pair in cross(orders).pairs
    )
    return Cleared(tuple(trades), None)

"""Continuous double auction: orders meet the book one after the other as they arrive.

An arriving order trades with the best standing orders of the other side, older ones first
at the same limit, at the standing order's price, as long as its own limit admits it; the
rest of it then stands in the book itself (Friedman and Rust, The Double Auction Market,
1993).  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ..orders import Cleared, Order, Side, Trade
from ..prices import GridPrices

_Standing = tuple[int, int, Order, int]
"""Urgency, sequence, the order, and what is left of it."""


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval in the order they came about."""
    books: dict[Side, list[_Standing]] = {Side.BUY: [], Side.SELL: []}
    trades: list[Trade] = []
    for order in sorted(orders, key=lambda order: order.sequence):
        other = books[Side.SELL if order.side is Side.BUY else Side.BUY]
        left = order.energy
        while left and other and order.admits(other[0][2].price):
            urgency, sequence, standing, offered = heappop(other)
            energy = min(left, offered)
            trades.append(_trade(order, standing, energy))
            left -= energy
            if offered > energy:
                heappush(other, (urgency, sequence, standing, offered - energy))
        if left:
            urgency = -order.price if order.side is Side.BUY else order.price
            heappush(books[order.side], (urgency, order.sequence, order, left))
    return Cleared(tuple(trades), None)


def _trade(arrived: Order, standing: Order, energy: int) -> Trade:
    buys = arrived.side is Side.BUY
    seller, buyer = (standing, arrived) if buys else (arrived, standing)
    return Trade(seller.party, buyer.party, energy, standing.price, standing.price)

"""Sharing at one given price: the shorter side trades all, the longer one pro rata.

Both sides' shares are apportioned to the orders whose limits admit the price (largest
remainder), and then joined into trades in the order of the ledger, one seller after the
other, which needs fewer trades than there are orders.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..amounts import apportion
from ..orders import NOTHING, Cleared, Order, Trade, sides


def share(orders: Sequence[Order], price: int) -> Cleared:
    """Trade what can be traded at price."""
    buying, selling = sides([order for order in orders if order.admits(price)])
    if not buying or not selling:
        return NOTHING
    wanted = [order.energy for order in buying]
    offered = [order.energy for order in selling]
    traded = min(sum(wanted), sum(offered))
    bought, sold = apportion(traded, wanted), apportion(traded, offered)
    trades: list[Trade] = []
    buyer, lacking = 0, bought[0]
    for order, share_of_seller in zip(selling, sold, strict=True):
        left = share_of_seller
        while left:
            energy = min(left, lacking)
            if energy:
                trades.append(Trade(order.party, buying[buyer].party, energy, price, price))
            left -= energy
            lacking -= energy
            if not lacking and left:
                buyer += 1
                lacking = bought[buyer]
    return Cleared(tuple(trades), price)

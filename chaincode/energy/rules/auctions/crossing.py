"""Where the demand curve crosses the supply curve, and who trades there.

Buyers by falling, sellers by rising limit, ties by time.  Best meets best as long as the
buyer's limit is not below the seller's; so the traded energy is the largest for which
marginal buyer and marginal seller still agree.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..orders import Order, sides


class Pair(NamedTuple):
    """A buyer's and a seller's order that meet, and how much of them (Wh, > 0)."""

    bid: Order
    ask: Order
    energy: int


class Crossing(NamedTuple):
    """pairs: best first; low, high: the prices at which exactly this energy trades, None
    without pairs."""

    pairs: tuple[Pair, ...]
    low: int | None
    high: int | None


def cross(orders: Sequence[Order]) -> Crossing:
    """Match the orders of an interval by price, then time."""
    buying, selling = sides(orders)
    bids = sorted(buying, key=lambda order: (-order.price, order.sequence))
    asks = sorted(selling, key=lambda order: (order.price, order.sequence))
    pairs: list[Pair] = []
    bid = ask = 0
    bid_left = bids[0].energy if bids else 0
    ask_left = asks[0].energy if asks else 0
    while bid < len(bids) and ask < len(asks) and bids[bid].price >= asks[ask].price:
        energy = min(bid_left, ask_left)
        pairs.append(Pair(bids[bid], asks[ask], energy))
        bid_left -= energy
        ask_left -= energy
        if not bid_left:
            bid += 1
            bid_left = bids[bid].energy if bid < len(bids) else 0
        if not ask_left:
            ask += 1
            ask_left = asks[ask].energy if ask < len(asks) else 0
    if not pairs:
        return Crossing((), None, None)
    # What stands first in line unserved bounds the price from the other side; where it is
    # the rest of a served order, that order sets the price itself.
    low, high = pairs[-1].ask.price, pairs[-1].bid.price
    if bid < len(bids):
        low = max(low, bids[bid].price)
    if ask < len(asks):
        high = min(high, asks[ask].price)
    return Crossing(tuple(pairs), low, high)

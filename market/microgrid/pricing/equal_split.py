"""The price at which buyers and sellers gain the same amount over the grid's prices.

Buyer gain (p_b - p) q(p) minus seller gain is >= 0 at p_s; while S <= D it is concave
and <= 0 at p_b, so it has one downward zero, the price.  Where supply outgrows demand
sellers may give up load for energy that then earns only p_s, and never gain as much as
the buyers: then it is the price at which the difference is smallest.  If nothing is ever
offered all gains are zero, and it is p_a, the limit for a supply that does not react.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import numpy as np

from ..followers import Floats, Followers
from .scan import downward_crossings

_POINTS = 1001
_ZOOMS = 4  # each narrows the range 500 times


def price(followers: Followers) -> float:
    """p* with buyer gain = seller gain, or as nearly as can be."""

    def excess(prices: Floats) -> Floats:
        gains = followers.gains(prices)
        return gains.buyers - gains.sellers

    crossings = downward_crossings(excess, followers)
    if crossings.size:
        return float(crossings[-1])
    low, high = followers.tariff.sell, followers.tariff.buy
    if not followers.traded(np.asarray([high]))[0]:
        return followers.tariff.compromise
    for _ in range(_ZOOMS):
        grid = np.linspace(low, high, _POINTS)
        best = int(np.argmin(excess(grid)))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, _POINTS - 1)]
    return float((low + high) / 2)

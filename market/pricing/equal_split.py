"""The price at which buyers and sellers gain the same amount over the grid's prices.

Buyer gain (p_b - p) q(p) minus seller gain is >= 0 at p_s and <= 0 at p_b; the price is
its last zero in between (the only one while S <= D, where the difference is concave).
If nothing is ever offered both gains are zero everywhere; the answer is p_a, the limit
for a supply that does not react to the price.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Floats, Followers
from .scan import downward_crossings


def price(followers: Followers) -> float:
    """p* with buyer gain = seller gain."""

    def excess(prices: Floats) -> Floats:
        gains = followers.gains(prices)
        return gains.buyers - gains.sellers

    crossings = downward_crossings(excess, followers)
    return float(crossings[-1]) if crossings.size else followers.tariff.compromise

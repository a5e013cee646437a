"""The Nash bargain between the buyers' side and the sellers' side (the default).

p* = argmax F(p) = (buyer gain)(seller gain) on [p_s, p_b], where
  buyer gain  = (p_b - p) q(p)
  seller gain = realised utility - utility at p_s  (the integral of S from p_s to p
                while S <= D).
With lam = p_s (1 + e0) and S <= D, ln F is strictly concave and falls to -inf at both
ends, so the optimum is inside and unique; with any other lam, or S > D, several local
optima may exist, so every one is found (F' changes sign) and the best is taken.
If nothing is ever offered, F = 0 everywhere; the answer is p_a, the limit for a supply
that does not react to the price.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import numpy as np

from ..followers import Floats, Followers
from .scan import downward_crossings


def objective(followers: Followers, prices: Floats) -> Floats:
    """F(p): the product of the (expected) gains, yuan squared."""
    gains = followers.gains(prices)
    return np.asarray(gains.buyers * gains.sellers, dtype=np.float64)


def price(followers: Followers) -> float:
    """p* = argmax F."""
    crossings = downward_crossings(
        lambda prices: followers.gains(prices).slope_of_product, followers
    )
    if not crossings.size:
        return followers.tariff.compromise
    return float(crossings[np.argmax(objective(followers, crossings))])

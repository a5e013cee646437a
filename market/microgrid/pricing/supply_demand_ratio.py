"""Prices from the ratio r = min(1, S(p_s) / D), without any game, for comparison.

Liu et al. (IEEE Trans. Power Syst. 32, 2017): p = p_s p_b / ((p_b - p_s) r + p_s),
which is p_b without supply and p_s when supply meets demand; and its straight line
p = p_b - (p_b - p_s) r.  S is the sellers' answer to p_s.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Followers


def ratio(followers: Followers) -> float:
    """r in [0, 1], expected over the sellers' types."""
    offered = float(followers.weight @ followers.supply(followers.tariff.sell))
    return min(1.0, offered / followers.demand)


def price(followers: Followers) -> float:
    """The hyperbola of Liu et al."""
    p_s, p_b = followers.tariff.sell, followers.tariff.buy
    return p_s * p_b / ((p_b - p_s) * ratio(followers) + p_s)


def linear_price(followers: Followers) -> float:
    """The straight line between the same two ends."""
    p_s, p_b = followers.tariff.sell, followers.tariff.buy
    return p_b - (p_b - p_s) * ratio(followers)

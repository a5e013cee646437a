"""The equilibrium that eqs. (14) and (15) of paper 003 define when read to the letter.

With the sellers' loads held fixed the buyers' bill C(p) = p q + p_b (D - q) has
dC/dp = q > 0, so the buyers' best price is the lowest one: p* = p_s, e* = e*(p_s).  On
the open interval of (8) there is no equilibrium at all.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Followers


def price(followers: Followers) -> float:
    """p* = p_s."""
    return followers.tariff.sell

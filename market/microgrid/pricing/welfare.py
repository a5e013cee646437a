"""The price that makes buyers' and sellers' total surplus largest.

While energy is short every kWh a seller gives up saves a kWh bought at p_b, so sellers
should face p_b itself; the price is a transfer between the two sides otherwise.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Followers


def price(followers: Followers) -> float:
    """p* = p_b."""
    return followers.tariff.buy

"""The price at which the sellers' answer meets the demand: S(p) = D.

S never falls in p.  If even p_b does not draw enough energy the price is p_b; if p_s
already does, it is p_s.  On the piece where S crosses D the solution of A - B/p = D is
p = B / (A - D); bisection finds it to the last bit, whatever the pieces.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from ..followers import Followers


def price(followers: Followers) -> float:
    """The lowest p in [p_s, p_b] with (expected) S(p) >= D, else p_b."""
    tariff, demand = followers.tariff, followers.demand

    def offered(at: float) -> float:
        return float(followers.weight @ followers.supply(at))

    if offered(tariff.sell) >= demand:
        return tariff.sell
    if offered(tariff.buy) < demand:
        return tariff.buy
    low, high = tariff.sell, tariff.buy
    while low < (middle := (low + high) / 2) < high:
        low, high = (low, middle) if offered(middle) >= demand else (middle, high)
    return high

"""Buyers lead with a price, sellers answer: the cheapest bill, found exactly.

On each piece q(p) = A - B/p, hence C(p) = p_b D - (p_b - p)(A - B/p) with C'' > 0 and
its minimum at p = sqrt(p_b B / A), clipped to the piece.  The best of the finitely many
pieces' minima and ends is the global one.  Ties go to the lowest price.
(Fabric counterpart: none.)
"""

from __future__ import annotations

import math

import numpy as np

from ..followers import Followers


def price(followers: Followers) -> float:
    """p* = argmin of the (expected) bill over [p_s, p_b]."""
    candidates: set[float] = set()
    for piece in followers.pieces():
        candidates.update((piece.low, piece.high))
        if piece.a > 0 and piece.b > 0:
            best = math.sqrt(followers.tariff.buy * piece.b / piece.a)
            candidates.add(min(max(best, piece.low), piece.high))
    prices = np.asarray(sorted(candidates))
    return float(prices[np.argmin(followers.bill(prices))])

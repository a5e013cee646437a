"""The cheapest way to buy any quantity, and whether a purchase keeps the price cap.

Paper 004, eqs. (6) and (7): a supplier's kWh costs his price plus transmission; the average
delivered price of what is bought must not exceed the cap.  Buying in order of the delivered
price is cheapest for every quantity, so C(Q) is convex and piecewise linear; it ends where
the average reaches the cap or capacity is exhausted.  Of equally dear suppliers the earlier
one comes first.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .storage import Exact


class Point(NamedTuple):
    """A quantity and what it costs."""

    quantity: Fraction
    cost: Fraction


def breakpoints(
    delivered: Sequence[Fraction], capacity: Sequence[Fraction], cap: Fraction
) -> list[Point]:
    """The corners of C(Q) from (0, 0) to the largest quantity the cap admits.

    delivered, capacity: per supplier, >= 0; cap: highest average.
    """
    corners = [Point(Fraction(0), Fraction(0))]
    for i in sorted(range(len(delivered)), key=lambda i: delivered[i]):
        quantity, cost = corners[-1]
        taken = capacity[i]
        if delivered[i] > cap:
            room = cap * quantity - cost  # what the cheaper ones have left below the cap
            taken = min(taken, room / (delivered[i] - cap))
        if taken > 0:
            corners.append(Point(quantity + taken, cost + delivered[i] * taken))
        if taken < capacity[i]:
            break
    return corners


def cheapest(delivered: Sequence[Exact], capacity: Sequence[Exact], quantity: Exact) -> Exact:
    """C(Q): the least that quantity can cost; quantity <= sum of capacity."""
    cost, left = quantity - quantity, quantity
    for i in sorted(range(len(delivered)), key=lambda i: delivered[i]):
        taken = min(capacity[i], left)
        cost += delivered[i] * taken
        left -= taken
    return cost


def keeps_cap(cost: Exact, quantity: Exact, cap: Exact) -> bool:
    """Eq. (7): whether the average delivered price is at most the cap; nothing bought does."""
    return bool(cost <= cap * quantity)

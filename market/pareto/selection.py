"""Whole suppliers only: the literal reading of paper 004's eq. (6), by trying every choice.

A choice m costs the sum of its unit prices psi (as printed), sells the sum of its E, and its
average delivered price must keep the cap of eq. (7).  Numbers are compared as the decimals
they are written as.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from .offers import Offers, exact

MOST_SUPPLIERS = 20
"""Two to the power of this many choices are compared."""


class Choice(NamedTuple):
    """A non-dominated choice: sum of prices, quantity, and who is in (0 or 1 each)."""

    price: float
    quantity: float
    suppliers: tuple[int, ...]


def discrete_front(offers: Offers) -> list[Choice]:
    """Choices that no other one beats, cheapest first; the empty choice is none.

    Of choices equal in both sums the first in lexicographic order stands.
    """
    prices = _subset_sums([exact(price) for price in offers.price])
    sizes = _subset_sums([exact(size) for size in offers.capacity])
    pairs = zip(offers.capacity, offers.exact_delivered, strict=True)
    rooms = _subset_sums([exact(size) * (exact(offers.cap) - cost) for size, cost in pairs])
    able = [i for i, room in enumerate(rooms.sums) if room >= 0 and sizes.sums[i] > 0]
    able.sort(key=lambda i: (prices.sums[i], -sizes.sums[i], i))
    front: list[Choice] = []
    most = 0
    for i in able:
        if sizes.sums[i] > most:
            most = sizes.sums[i]
            members = tuple(int(digit) for digit in f"{i:0{len(offers.price)}b}")
            front.append(Choice(prices.of(i), sizes.of(i), members))
    return front


class _Sums(NamedTuple):
    """Sums over all subsets in whole multiples of 1 / unit.

    Entry i belongs to the binary digits of i, the first value's digit first.
    """

    sums: list[int]
    unit: int

    def of(self, subset: int) -> float:
        return float(Fraction(self.sums[subset], self.unit))


def _subset_sums(values: Sequence[Fraction]) -> _Sums:
    unit = math.lcm(*(value.denominator for value in values))
    sums = [0]
    for value in reversed(values):
        whole = int(value * unit)
        sums += [whole + rest for rest in sums]
    return _Sums(sums, unit)

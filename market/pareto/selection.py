"""Whole suppliers only: the literal reading of paper 004's eq. (6), by trying every choice.

A choice m costs the sum of its unit prices psi (as printed), sells the sum of its E, and its
average delivered price must keep the cap of eq. (7).  Numbers are compared as the decimals
they are written as: as whole multiples of their common unit.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .offers import Offers, exact

MOST_SUPPLIERS = 20
"""Two to the power of this many choices are compared."""

_FITS = 1 << 62  # larger sums are kept as Python's own numbers


class Choice(NamedTuple):
    """A non-dominated choice: sum of prices, quantity, and who is in (0 or 1 each)."""

    price: float
    quantity: float
    suppliers: tuple[int, ...]


def discrete_front(offers: Offers) -> list[Choice]:
    """Choices that no other one beats, cheapest first; the empty choice is none.

    Of choices equal in both sums the first in lexicographic order stands.
    """
    capacity, cap = [exact(size) for size in offers.capacity], exact(offers.cap)
    prices = _subset_sums([exact(price) for price in offers.price])
    sizes = _subset_sums(capacity)
    pairs = zip(capacity, offers.exact_delivered, strict=True)
    rooms = _subset_sums([size * (cap - cost) for size, cost in pairs])
    able = np.flatnonzero((rooms.sums >= 0) & (sizes.sums > 0))
    if not able.size:
        return []
    able = able[_cheapest_first(prices.sums[able], sizes.sums[able])]
    most = np.maximum.accumulate(sizes.sums[able])
    front = able[np.concatenate([[True], most[1:] > most[:-1]])]
    digits = len(offers.price)
    return [
        Choice(prices.of(i), sizes.of(i), tuple(map(int, f"{i:0{digits}b}")))
        for i in front.tolist()
    ]


class _Sums(NamedTuple):
    """Sums over all subsets in whole multiples of 1 / unit.

    Entry i belongs to the binary digits of i, the first value's digit first.
    """

    sums: npt.NDArray[Any]
    unit: int

    def of(self, subset: int) -> float:
        return int(self.sums[subset]) / self.unit  # rounded once


def _subset_sums(values: Sequence[Fraction]) -> _Sums:
    unit = math.lcm(*(value.denominator for value in values))
    whole = [value.numerator * (unit // value.denominator) for value in values]
    fits = sum(map(abs, whole)) < _FITS
    sums: npt.NDArray[Any] = np.zeros(1, dtype=np.int64 if fits else object)
    for value in reversed(whole):
        sums = np.concatenate([sums, value + sums])
    return _Sums(sums, unit)


def _cheapest_first(prices: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The order by price, then by size downwards, then as they are."""
    if prices.dtype == sizes.dtype == np.int64:
        return np.lexsort((-sizes, prices))
    places = sorted(range(len(prices)), key=lambda i: (prices[i], -sizes[i]))
    return np.asarray(places, dtype=np.intp)

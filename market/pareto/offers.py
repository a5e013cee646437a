"""What suppliers offer, and what a purchase of it costs (paper 004, eqs. (6) and (7)).

f1 = sum (psi_i + psibar_i) x_i is to be small, f2 = sum x_i large, 0 <= x_i <= E_i, and the
average delivered price f1 / f2 must not exceed the cap (0.5 yuan per kWh in the paper).
(Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PRICE_CAP = 0.5
"""Yuan per kWh, eq. (7)."""


_HAIR = 1e-12


class Values(NamedTuple):
    """Objectives of many purchases: shape (purchases,) each."""

    cost: Floats
    quantity: Floats


@dataclass(frozen=True)
class Offers:
    """Suppliers' offers, one entry each: prices in yuan per kWh, capacity in MWh, all >= 0.

    price: psi, the on-grid price; transmission: psibar; capacity: E; cap: highest average
    delivered price.  Costs are in thousand yuan (MWh times yuan per kWh).
    """

    price: tuple[float, ...]
    transmission: tuple[float, ...]
    capacity: tuple[float, ...]
    cap: float = PRICE_CAP

    @cached_property
    def delivered(self) -> Floats:
        """psi + psibar of each supplier."""
        return np.asarray([float(price) for price in self.exact_delivered])

    @cached_property
    def merit_order(self) -> npt.NDArray[np.intp]:
        """The suppliers from the cheapest delivered price to the dearest."""
        return np.argsort(self.delivered, kind="stable")

    @cached_property
    def exact_delivered(self) -> tuple[Fraction, ...]:
        """psi + psibar of each supplier, in the decimals as written."""
        pairs = zip(self.price, self.transmission, strict=True)
        return tuple(exact(price) + exact(way) for price, way in pairs)

    def values(self, purchases: Floats) -> Values:
        """Cost and quantity of purchases of shape (purchases, suppliers)."""
        return Values(purchases @ self.delivered, purchases.sum(axis=1))

    def curtail(self, purchases: Floats) -> Floats:
        """Purchases cut back to the cap, the dearest supplier first.

        The cut leaves everything cheaper untouched and ends a hair below the cap, so that no
        rounding lies above it; a purchase within the cap stays as it is.
        """
        order = self.merit_order
        rise = self.delivered[order] - self.cap
        taken = purchases[:, order]
        room = -np.cumsum(taken * rise, axis=1)  # left below the cap after each supplier
        before = np.concatenate([np.zeros((len(taken), 1)), room[:, :-1]], axis=1)
        dear = rise > 0
        most = np.maximum(before[:, dear], 0.0) / (rise[dear] * (1 + _HAIR))
        taken[:, dear] = np.minimum(taken[:, dear], most)
        kept = np.empty_like(taken)
        kept[:, order] = taken
        return kept


def exact(number: float) -> Fraction:
    """The decimal that the number is written as."""
    return Fraction(repr(number))

"""Sellers' answer to a price, in closed form, and what both sides gain by it.

Seller i earns u_i = lam_i ln(1 + e_i) + p (g_i - e_i)  (paper 003, eq. 9), strictly
concave in the load e_i, so the best answer is dominant and needs no search:

    e_i*(p) = clip(lam_i / p - 1, lo_i, hi_i)

Supply S(p) = sum g_i - e_i*(p); traded q(p) = min(S(p), D).  Between breakpoints both
are A - B/p.  lam may be private with a discrete prior (eqs. 1-2): then every profile of
types is one row with its probability, and traded energy and gains are expectations.
Certain types are the case of a single row.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..tariff import Tariff

Floats = npt.NDArray[np.float64]

_CHUNK = 1 << 20  # largest number of (price, profile, seller) entries held at once


class Gains(NamedTuple):
    """Expected gains over trading with the grid alone, at each price (yuan)."""

    buyers: Floats
    sellers: Floats
    slope_of_product: Floats  # d(buyers * sellers)/dp


class _Answer(NamedTuple):
    """Answers to some prices, each of shape (prices, profiles)."""

    prices: Floats  # shape (prices, 1)
    traded: Floats
    utility: Floats  # with all surplus sold at p_s
    slope: Floats  # S'(p)


class Piece(NamedTuple):
    """A stretch of prices on which expected traded energy is a - b/p."""

    low: float
    high: float
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Followers:
    """The sellers of one hour, facing a demand.

    generation, low, high: kWh per seller, shape (n,); lam: yuan, shape (profiles, n);
    weight: probability of each profile, shape (profiles,); demand: kWh, > 0.
    """

    generation: Floats
    low: Floats
    high: Floats
    lam: Floats
    weight: Floats
    demand: float
    tariff: Tariff

    def loads(self, price: float) -> Floats:
        """Best answer of each seller in each profile, kWh, shape (profiles, n)."""
        return np.clip(self.lam / price - 1.0, self.low, self.high)

    def supply(self, price: float) -> Floats:
        """Energy offered in each profile, kWh, shape (profiles,)."""
        return np.asarray((self.generation - self.loads(price)).sum(axis=1), dtype=np.float64)

    def traded(self, prices: Floats) -> Floats:
        """Expected q(p) = E[min(S(p), D)] at each of prices, kWh."""
        return np.concatenate([answer.traded @ self.weight for answer in self._answers(prices)])

    def bill(self, prices: Floats) -> Floats:
        """Expected bill of all buyers, p q + p_b (D - q), yuan (eq. 12 corrected)."""
        q = self.traded(prices)
        return np.asarray(prices * q + self.tariff.buy * (self.demand - q), dtype=np.float64)

    def gains(self, prices: Floats) -> Gains:
        """What buyers save and sellers earn beyond trading at the grid's prices.

        The seller's gain is realised utility (surplus beyond D goes to the grid at p_s)
        minus the best utility at p_s.
        """
        p_s, p_b = self.tariff.sell, self.tariff.buy
        base = next(self._answers(np.asarray([p_s]))).utility
        parts: list[tuple[Floats, ...]] = []
        for p, q, utility, slope in self._answers(prices):
            q_slope = np.where(q < self.demand, slope, 0.0)
            earned = utility + (p - p_s) * q - base
            earned_slope = q - (p - p_s) * (slope - q_slope)
            columns = (q, q_slope, earned, earned_slope)
            parts.append(tuple(column @ self.weight for column in columns))
        traded, traded_slope, sellers, sellers_slope = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        margin = p_b - prices
        slope_of_product = margin * (traded_slope * sellers + traded * sellers_slope)
        return Gains(margin * traded, sellers, slope_of_product - traded * sellers)

    def pieces(self) -> list[Piece]:
        """Cut [p_s, p_b] where a load meets its bound or a supply meets the demand."""
        p_s, p_b = self.tariff.sell, self.tariff.buy
        cuts = {p_s, p_b}
        bounds = np.concatenate([self.lam / (1 + self.low), self.lam / (1 + self.high)])
        cuts.update(float(p) for p in np.unique(bounds) if p_s < p < p_b)
        edges = sorted(cuts)
        for low, high in itertools.pairwise(edges):
            a, b = self._coefficients((low + high) / 2)
            with np.errstate(divide="ignore", invalid="ignore"):
                meets = b / (a - self.demand)
            cuts.update(float(p) for p in meets if low < p < high)
        edges = sorted(cuts)
        return [self._piece(low, high) for low, high in itertools.pairwise(edges)]

    def _piece(self, low: float, high: float) -> Piece:
        middle = (low + high) / 2
        a, b = self._coefficients(middle)
        short = a - b / middle < self.demand
        expected_a = self.weight @ np.where(short, a, self.demand)
        expected_b = self.weight @ np.where(short, b, 0.0)
        return Piece(low, high, float(expected_a), float(expected_b))

    def _coefficients(self, price: float) -> tuple[Floats, Floats]:
        """A and B of S = A - B/p near price, each of shape (profiles,)."""
        wish = self.lam / price - 1.0
        inside = (wish > self.low) & (wish < self.high)
        fixed = np.where(inside, -1.0, np.clip(wish, self.low, self.high))
        a = (self.generation - fixed).sum(axis=1)
        b = np.where(inside, self.lam, 0.0).sum(axis=1)
        return a, b

    def _answers(self, prices: Floats) -> Iterator[_Answer]:
        """The sellers' answers to prices, by chunks that bound the memory."""
        step = max(1, _CHUNK // max(1, self.lam.size))
        for first in range(0, len(prices), step):
            p = prices[first : first + step, None, None]
            wish = self.lam / p - 1.0
            load = np.clip(wish, self.low, self.high)
            supply = (self.generation - load).sum(axis=2)
            utility = (self.lam * np.log1p(load)).sum(axis=2) + self.tariff.sell * supply
            inside = (wish > self.low) & (wish < self.high)
            slope = (np.where(inside, self.lam, 0.0) / p**2).sum(axis=2)
            yield _Answer(p[:, :, 0], np.minimum(supply, self.demand), utility, slope)

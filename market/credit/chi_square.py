"""Pearson's chi-square test of counts against chances.

The tail of the distribution has a closed form for whole degrees of freedom, so no
statistics library is needed.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, exp, gamma, sqrt
from typing import NamedTuple


class ChiSquare(NamedTuple):
    """p: the chance of a statistic as large as this if the chances are right."""

    statistic: float
    degrees: int
    p: float


def chi_square(counts: Sequence[int], chances: Sequence[float]) -> ChiSquare:
    """Test counts against chances > 0 that add up to 1."""
    total = sum(counts)
    statistic = sum(
        (count - total * chance) ** 2 / (total * chance)
        for count, chance in zip(counts, chances, strict=True)
    )
    degrees = len(counts) - 1
    return ChiSquare(statistic, degrees, tail(statistic, degrees))


def tail(statistic: float, degrees: int) -> float:
    """The chance that a chi-square variable exceeds the statistic."""
    half = statistic / 2
    if degrees % 2:
        steps = range((degrees - 1) // 2)
        rest: float = sum(half ** (i + 0.5) / gamma(i + 1.5) for i in steps)
        return erfc(sqrt(half)) + exp(-half) * rest
    terms: list[float] = [half**i / gamma(i + 1) for i in range(degrees // 2)]
    return exp(-half) * sum(terms)

"""Which candidate matches best: paper 001, section 4.2, Table 1's weights.

The paper prints the weights only.  Read as: every attribute is scaled to [0, 1] over the
candidates (a column without differences counts 1), price and distance the other way
round, and the score is the weighted mean.  Exact, so that a tie is a tie; it goes to the
first candidate.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TypeAlias

Rational: TypeAlias = Fraction | int

MINIMISED = frozenset({"l", "p"})
WEIGHTS: Mapping[str, Fraction] = {
    name: Fraction(tenths, 10)
    for name, tenths in {"c": 6, "q": 8, "r": 5, "l": 4, "p": 5, "s": 6, "n": 6}.items()
}
"""Table 1: capacity, credit, renewable, position, price, volume, stability."""


@dataclass(frozen=True, slots=True)
class Scores:
    """One score in [0, 1] for each candidate: parts over whole, without rounding."""

    parts: tuple[int, ...]
    whole: int

    @property
    def best(self) -> int:
        """The position of the highest score, the first of equals."""
        return max(range(len(self.parts)), key=lambda i: self.parts[i])

    def __getitem__(self, position: int) -> Fraction:
        return Fraction(self.parts[position], self.whole)

    def __len__(self) -> int:
        return len(self.parts)


def matching_scores(
    candidates: Sequence[Mapping[str, Rational]],
    weights: Mapping[str, Fraction] = WEIGHTS,
    minimised: frozenset[str] = MINIMISED,
) -> Scores:
    """Score at least one candidate; weights are >= 0 and not all zero."""
    scale = lcm(*[weight.denominator for weight in weights.values()])
    columns = {name: _whole([each[name] for each in candidates]) for name in weights}
    bounds = {name: (min(column), max(column)) for name, column in columns.items()}
    common = lcm(*[high - low or 1 for low, high in bounds.values()])
    total = 0
    parts = [0] * len(candidates)
    for name, column in columns.items():
        low, high = bounds[name]
        weight = weights[name].numerator * (scale // weights[name].denominator)
        total += weight
        factor, base = weight * (common // (high - low or 1)), low
        if low == high:
            base = low - 1  # without differences: everybody has all of it
        elif name in minimised:
            factor, base = -factor, high
        parts = [part + factor * (value - base) for part, value in zip(parts, column, strict=True)]
    return Scores(tuple(parts), total * common)


def _whole(column: Sequence[Rational]) -> Sequence[int]:
    """The values in a unit in which all of them are whole."""
    denominator = lcm(*{value.denominator for value in column})
    if denominator == 1:
        return [value.numerator for value in column]
    return [value.numerator * (denominator // value.denominator) for value in column]

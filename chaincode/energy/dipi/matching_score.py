"""Which candidate matches best: paper 001, section 4.2, Table 1's weights.

The paper prints the weights only.  Read as: every attribute is scaled to [0, 1] over the
candidates (a column without differences counts 1), price and distance the other way
round, and the score is the weighted mean.  Exact, so that a tie is a tie; it goes to the
first candidate.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

MAXIMISED = frozenset({"c", "q", "r", "s", "n"})
MINIMISED = frozenset({"l", "p"})
WEIGHTS: Mapping[str, Fraction] = {
    name: Fraction(tenths, 10)
    for name, tenths in {"c": 6, "q": 8, "r": 5, "l": 4, "p": 5, "s": 6, "n": 6}.items()
}
"""Table 1: capacity, credit, renewable, position, price, volume, stability."""


def matching_scores(
    candidates: Sequence[Mapping[str, Fraction]],
    weights: Mapping[str, Fraction] = WEIGHTS,
    minimised: frozenset[str] = MINIMISED,
) -> tuple[Fraction, ...]:
    """One score in [0, 1] for each candidate; weights are >= 0 and not all zero."""
    scores = [Fraction(0)] * len(candidates)
    for attribute, weight in weights.items():
        column = [candidate[attribute] for candidate in candidates]
        for i, scaled in enumerate(_scaled(column, inverted=attribute in minimised)):
            scores[i] += weight * scaled
    total = sum(weights.values(), Fraction(0))
    return tuple(points / total for points in scores)


def best_match(scores: Sequence[Fraction]) -> int:
    """The position of the highest score, the first of equals."""
    return max(range(len(scores)), key=lambda i: scores[i])


def _scaled(column: Sequence[Fraction], *, inverted: bool) -> list[Fraction]:
    low, high = min(column), max(column)
    if low == high:
        return [Fraction(1)] * len(column)
    if inverted:
        return [(high - value) / (high - low) for value in column]
    return [(value - low) / (high - low) for value in column]

"""The quote nearest to a target, exactly, from decimal numbers.

Features are measured in units of their scales.  Decimals become whole numbers first, so
what is equally far in the quotes' own digits is equally far here, and the lowest id wins;
the search is the ledger's own k-d tree.  (Paper 002, II.C.8; Fabric counterpart: none.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from gridloom.chaincode.energy.learning.kd_tree import KdTree, Point

Features = Sequence[float]


class Nearest(NamedTuple):
    """The winning quote and its distance, in units of the scales."""

    id: str
    distance: float


class Quotes:
    """Quotes of one number of features, ready for many searches.

    features: by id; scales: the unit of each feature, > 0.
    """

    def __init__(self, features: Mapping[str, Features], scales: Features) -> None:
        exact = {name: [Fraction(repr(x)) for x in own] for name, own in features.items()}
        units = [Fraction(repr(scale)) for scale in scales]
        self._grids = [
            math.lcm(*(own[axis].denominator for own in exact.values()))
            for axis in range(len(units))
        ]
        self._shares = [
            1 / (grid * unit) ** 2 for grid, unit in zip(self._grids, units, strict=True)
        ]
        self._points = [Point(name, self._whole(own)) for name, own in exact.items()]
        self._trees: dict[tuple[int, ...], KdTree] = {}

    def nearest(self, target: Features) -> Nearest | None:
        """The quote nearest to target, None if there is no quote."""
        exact = [Fraction(repr(x)) for x in target]
        finer = tuple(
            math.lcm(place.denominator, grid) // grid
            for place, grid in zip(exact, self._grids, strict=True)
        )
        found = self._tree(finer).nearest(
            [
                int(place * grid * more)
                for place, grid, more in zip(exact, self._grids, finer, strict=True)
            ]
        )
        if found is None:
            return None
        return Nearest(found.id, math.sqrt(Fraction(found.squared) / self._common(finer)[1]))

    def _whole(self, own: Sequence[Fraction]) -> tuple[int, ...]:
        return tuple(int(place * grid) for place, grid in zip(own, self._grids, strict=True))

    def _common(self, finer: tuple[int, ...]) -> tuple[list[int], int]:
        """Whole weights of the axes, and the factor by which they are too large."""
        shares = [share / (more * more) for share, more in zip(self._shares, finer, strict=True)]
        factor = math.lcm(*(share.denominator for share in shares))
        return [int(share * factor) for share in shares], factor

    def _tree(self, finer: tuple[int, ...]) -> KdTree:
        """The tree on a grid fine enough for a target; targets of the same digits share it."""
        if finer not in self._trees:
            points = [
                Point(name, tuple(x * more for x, more in zip(at, finer, strict=True)))
                for name, at in self._points
            ]
            self._trees[finer] = KdTree(points, self._common(finer)[0])
        return self._trees[finer]

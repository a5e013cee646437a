"""A k-d tree over quotes in whole numbers: the nearest one, exactly.

Paper 002, section II.C.8: quotes are put into a k-d tree and the one nearest to the target
wins.  Distances are squares of integers, so no rounding can make peers disagree; of equally
near quotes the lowest id wins, whatever the shape of the tree.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

_LEAF = 8  # quotes that are compared one by one rather than divided


class Point(NamedTuple):
    """A quote as the tree sees it: a name and its coordinates."""

    id: str
    at: tuple[int, ...]


class Found(NamedTuple):
    """The nearest point and its weighted squared distance."""

    id: str
    squared: int


class _Branch(NamedTuple):
    axis: int
    split: int  # the left side has no larger coordinate, the right side no smaller one
    left: _Branch | list[Point]
    right: _Branch | list[Point]


def weights_of(scales: Sequence[int]) -> tuple[int, ...]:
    """Weights that make squared distances comparable: axis i counts in units of scales[i] > 0.

    The weighted square is the square in those units times the product of all scales squared.
    """
    whole = 1
    for scale in scales:
        whole *= scale * scale
    return tuple(whole // (scale * scale) for scale in scales)


class KdTree:
    """Points of one dimension, divided at the median of the widest axis.

    weights: one per axis, > 0; the squared distance is the sum of weight times difference
    squared.  Ids must differ.
    """

    def __init__(self, points: Sequence[Point], weights: Sequence[int]) -> None:
        self._weights = tuple(weights)
        self._root = self._build(list(points))

    def nearest(self, target: Sequence[int], without: Collection[str] = ()) -> Found | None:
        """The point nearest to target, None if there is none but those without."""
        best: tuple[int, str] | None = None
        waiting: list[tuple[int, _Branch | list[Point]]] = [(0, self._root)]
        while waiting:
            bound, node = waiting.pop()
            if best is not None and bound > best[0]:
                continue
            while isinstance(node, _Branch):
                offset = target[node.axis] - node.split
                near, far = (node.left, node.right) if offset <= 0 else (node.right, node.left)
                waiting.append((self._weights[node.axis] * offset * offset, far))
                node = near
            for point in node:
                candidate = (self._squared(point.at, target), point.id)
                if (best is None or candidate < best) and point.id not in without:
                    best = candidate
        return None if best is None else Found(best[1], best[0])

    def _squared(self, at: Sequence[int], target: Sequence[int]) -> int:
        total = 0
        for weight, here, there in zip(self._weights, at, target, strict=True):
            total += weight * (here - there) * (here - there)
        return total

    def _build(self, points: list[Point]) -> _Branch | list[Point]:
        if len(points) <= _LEAF:
            return points
        axis = max(range(len(self._weights)), key=lambda i: self._spread(points, i))
        points.sort(key=lambda point: point.at[axis])
        middle = len(points) // 2
        return _Branch(
            axis,
            points[middle].at[axis],
            self._build(points[:middle]),
            self._build(points[middle:]),
        )

    def _spread(self, points: list[Point], axis: int) -> int:
        coordinates = [point.at[axis] for point in points]
        width = max(coordinates) - min(coordinates)
        return self._weights[axis] * width * width

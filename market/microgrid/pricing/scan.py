"""Sign changes of a smooth function, found by cells and closed in all at once.

Cells never straddle a breakpoint of the followers' answer, so the function is smooth
inside each.  Within a cell Chandrupatla's method (Advances in Engineering Software 28,
1997) takes an inverse quadratic step where the function looks like one and halves the
cell where it does not, so a jump at a cell's end is found as well.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..followers import Floats, Followers

_CELLS = 512  # over the whole price range
_LEAST_CELLS = 16  # of a piece
_STEPS = 80  # halving alone needs 50 to reach a price's last bit
_RELATIVE = 2e-16  # of a price: as close as numbers are


def downward_crossings(function: Callable[[Floats], Floats], followers: Followers) -> Floats:
    """Prices where function goes from > 0 to <= 0, ascending; also across breakpoints."""
    pieces = followers.pieces()
    cells = max(_LEAST_CELLS, _CELLS // len(pieces))
    grids = [np.linspace(piece.low, piece.high, cells + 1)[:-1] for piece in pieces]
    grid = np.concatenate([*grids, [followers.tariff.buy]])
    values = function(grid)
    left = np.flatnonzero((values[:-1] > 0) & (values[1:] <= 0))
    if not left.size:
        return grid[left]
    return _close_in(
        function,
        _Points(grid[left], values[left]),
        _Points(grid[left + 1], values[left + 1]),
    )


class _Points(NamedTuple):
    """Prices, and the function there."""

    x: Floats
    f: Floats

    def where(self, condition: npt.NDArray[np.bool_], other: _Points) -> _Points:
        """These where the condition holds, the others elsewhere."""
        return _Points(np.where(condition, self.x, other.x), np.where(condition, self.f, other.f))


def _close_in(function: Callable[[Floats], Floats], above: _Points, below: _Points) -> Floats:
    """Where function changes sign in each bracket; it is > 0 at above, <= 0 at below."""
    newest, other = above, below
    share = np.full_like(above.x, 0.5)  # of the way from newest to other
    for _ in range(_STEPS):
        x = newest.x + share * (other.x - newest.x)
        point = _Points(x, function(x))
        same = (point.f > 0) == (newest.f > 0)
        former = newest.where(same, other)
        other, newest = other.where(same, newest), point
        width = np.abs(other.x - newest.x)
        tolerance = 2 * _RELATIVE * np.abs(newest.x)
        if bool(((width <= 2 * tolerance) | (newest.f == 0)).all()):
            break
        least = np.minimum(tolerance / np.maximum(width, tolerance), 0.5)
        share = np.clip(_share(newest, other, former), least, 1 - least)
    return other.where(np.abs(other.f) < np.abs(newest.f), newest).x


def _share(b: _Points, a: _Points, c: _Points) -> Floats:
    """Inverse quadratic interpolation where Chandrupatla's criterion admits it, else 1/2.

    b: the newest points; a: those on the other side; c: the ones before.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        xi, phi = (b.x - a.x) / (c.x - a.x), (b.f - a.f) / (c.f - a.f)
        admitted = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        step = b.f / (a.f - b.f) * c.f / (a.f - c.f)
        step += (c.x - b.x) / (a.x - b.x) * b.f / (c.f - b.f) * a.f / (c.f - a.f)
    return np.where(admitted & np.isfinite(step), step, 0.5)

"""Sign changes of a smooth function, found by cells and closed in by bisection.

Cells never straddle a breakpoint of the followers' answer, so the function is smooth
inside each.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..followers import Floats, Followers

_CELLS = 2048  # over the whole price range
_HALVINGS = 60  # of a cell: below one ulp of any price


def downward_crossings(function: Callable[[Floats], Floats], followers: Followers) -> Floats:
    """Prices where function goes from > 0 to <= 0, ascending; also across breakpoints."""
    pieces = followers.pieces()
    cells = max(4, _CELLS // len(pieces))
    grids = [np.linspace(piece.low, piece.high, cells + 1)[:-1] for piece in pieces]
    grid = np.concatenate([*grids, [followers.tariff.buy]])
    values = function(grid)
    left = np.flatnonzero((values[:-1] > 0) & (values[1:] <= 0))
    low, high = grid[left], grid[left + 1]
    if not left.size:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        positive = function(middle) > 0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    return np.asarray((low + high) / 2, dtype=np.float64)

"""No market: everybody trades with the grid alone, the comparison every bill needs.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import NOTHING, Cleared, Order
from ..prices import GridPrices


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Nothing is traded inside."""
    return NOTHING

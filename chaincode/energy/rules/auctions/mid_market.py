"""Mid-market rate: what is shared inside costs the middle of the grid's two prices.

Long et al., "Peer-to-peer energy trading in a community microgrid", IEEE PES General
Meeting 2017, eqs. for the MMR: with generation G and demand D the shorter side trades
all of its energy at (p_s + p_b) / 2, the longer side the same amount at that price and
its rest with the grid, which together is the paper's mixed price of the longer side.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import Cleared, Order
from ..prices import GridPrices
from .pool import share


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval, all at the middle price."""
    return share(orders, grid.compromise)

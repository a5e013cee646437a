"""Bill sharing: energy inside is free, the community's bill with the grid is shared.

Long et al., "Peer-to-peer energy trading in a community microgrid", IEEE PES General
Meeting 2017, eqs. for bill sharing: consumers share the cost of what the community
imports by their demand, producers the income from what it exports by their surplus.
That is a pool at price zero.  Producers may be worse off than alone; members who do not
accept that state a limit above zero and stay outside.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import Cleared, Order
from ..prices import GridPrices
from .pool import share


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval, all at zero."""
    return share(orders, 0)

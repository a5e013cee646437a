"""Supply-demand ratio: the scarcer the energy inside, the nearer its price is to p_b.

Liu et al., "Energy-Sharing Model With Price-Based Demand Response for Microgrids of
Peer-to-Peer Prosumers", IEEE Trans. Power Systems 32, 2017: with R = min(1, S / D),

    p_sell = p_s p_b / ((p_b - p_s) R + p_s),    p_buy = p_sell R + p_b (1 - R)

A buyer who gets the share R of his demand at p_sell and the rest from the grid at p_b
pays p_buy on average, so the trades are at p_sell.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence

from ..orders import NOTHING, Cleared, Order, sides
from ..prices import GridPrices
from .pool import share


def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
    """Trades of an interval, all at p_sell rounded half up."""
    buying, selling = sides(orders)
    if not buying or not selling:
        return NOTHING
    demand = sum(order.energy for order in buying)
    supply = min(sum(order.energy for order in selling), demand)
    numerator = grid.sell * grid.buy * demand
    denominator = (grid.buy - grid.sell) * supply + grid.sell * demand
    return share(orders, (2 * numerator + denominator) // (2 * denominator))

"""The automatic auction on any community: bids nearest to a target become trades.

Every seller in order of his limit; the target is a price between the grid's two and what he
has left; the nearest bid that admits his limit trades at its own price (the ledger's rule,
chaincode/energy/learning/matching).  Distances count the grid's margin and the largest order as
one.  (Paper 002, II.C.8; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.chaincode.energy.learning.matching import Yardstick, match
from gridloom.chaincode.energy.learning.parties import Flow, Side
from gridloom.chaincode.energy.learning.stages import Quote, Stage
from gridloom.chaincode.energy.rules.orders import Cleared, Order, Trade, sides
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..community import Community
from ..errors import ScenarioError
from ..mechanism import Mechanism

MIDDLE = 0.5
"""Where between the grid's prices the target lies unless said otherwise."""


def make(parameters: Mapping[str, object], community: Community) -> Mechanism:
    """The mechanism; parameters: target, 0 at the grid's feed-in price, 1 at its retail price."""
    target = parameters.get("target", MIDDLE)
    unknown = sorted(set(parameters) - {"target"})
    if unknown:
        raise ScenarioError("mechanism nearest_quote", unknown[0], "is not known")
    if isinstance(target, bool) or not isinstance(target, int | float) or not 0 <= target <= 1:
        raise ScenarioError("mechanism nearest_quote", "target", f"{target!r} is not in [0, 1]")

    def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
        buying, selling = sides(orders)
        if not buying or not selling:
            return Cleared((), None)
        price = grid.sell + round(target * (grid.buy - grid.sell))
        yardstick = Yardstick(grid.buy - grid.sell, max(order.energy for order in orders))
        made = match(
            [_quote(order, Side.SELL) for order in selling],
            [_quote(order, Side.BUY) for order in buying],
            price,
            yardstick,
            0,
        )
        return Cleared(
            tuple(Trade(o.seller, o.buyer, o.energy, o.price, o.price) for o in made), None
        )

    return clear


def _quote(order: Order, side: Side) -> Quote:
    return Quote(order.party, 0, Stage.REAL_TIME, Flow.GU, side, order.energy, order.price, 0)

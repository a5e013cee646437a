"""The two request algorithms on any community: short users ask nodes that have a surplus.

Buyers ask in the order of their orders; the sellers' offers are the stores, the difference of
buses is the distance; both sides trade at the middle of the grid's prices if their limits admit
it (the ledger's rule, chaincode/energy/distribution/requests).
(Paper 004, section 3.1; Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gridloom.chaincode.energy.distribution.requests import Scheme, serve
from gridloom.chaincode.energy.rules.orders import Cleared, Order, Trade, sides
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..community import Community
from ..errors import ScenarioError
from ..mechanism import Mechanism


def make(scheme: Scheme, parameters: Mapping[str, object], community: Community) -> Mechanism:
    """The mechanism of a scheme; it has no parameters."""
    for name in parameters:
        raise ScenarioError(f"mechanism {scheme.value}", name, "is not known")
    buses = {user.name: user.bus for user in community.users}

    def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
        price = grid.compromise
        buying, selling = (
            [order for order in side if order.admits(price)] for side in sides(orders)
        )
        stores = [order.energy for order in selling]
        trades: list[Trade] = []
        for order in buying:
            away = [abs(buses[order.party] - buses[offer.party]) for offer in selling]
            served = serve(scheme, [*stores, 0], [*away, 0], len(stores), order.energy)
            stores = list(served.stores[:-1])
            trades += [
                Trade(selling[leg.node].party, order.party, leg.energy, price, price)
                for leg in served.legs
            ]
        return Cleared(tuple(trades), price if trades else None)

    return clear

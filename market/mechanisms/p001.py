"""Mechanisms of paper 001, credit matching.

`credit_matching` serves buyers by price, then by place in the queue; each takes the seller
that scores best by Table 1's weights, at that seller's price (chaincode/energy/dipi/matching
does the same on channel JY1).  A user's credit is the scenario's, 100 unless it says
otherwise; capacity and renewable are his devices', position his bus.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from gridloom.chaincode.energy.dipi.matching import PlacedBid, Standing, match_orders
from gridloom.chaincode.energy.dipi.records import Bid, Offer
from gridloom.chaincode.energy.rules.orders import NOTHING, Cleared, Order, Trade, sides
from gridloom.chaincode.energy.rules.prices import GridPrices

from ..community import Community, DeviceKind, User
from ..errors import ScenarioError
from ..mechanism import Mechanism, MechanismEntry, Parameters

_MICRO = 10**6
_FULL = 100 * _MICRO
_RENEWABLE = (DeviceKind.PV, DeviceKind.WIND)


def _make(parameters: Parameters, community: Community) -> Mechanism:
    credits_ = _credits(parameters, community)
    numbers = {name: number for number, name in enumerate(community.names)}

    def clear(orders: Sequence[Order], grid: GridPrices) -> Cleared:
        buying, selling = sides(orders)
        if not buying or not selling:
            return NOTHING
        offers = [
            _offer(order, numbers[order.party], community.users[numbers[order.party]])
            for order in sorted(selling, key=lambda order: numbers[order.party])
        ]
        bids = [
            PlacedBid(
                Bid(number, 0, order.energy, order.price, community.users[number].bus),
                order.sequence,
            )
            for order in buying
            for number in [numbers[order.party]]
        ]
        standings = {
            offer.su_id: Standing(credits_[community.names[offer.su_id]], _FULL) for offer in offers
        }
        matches = match_orders(offers, bids, standings, sum(order.energy for order in orders))
        trades = [
            Trade(
                community.names[match.su_id],
                community.names[match.bu_id],
                match.energy,
                match.price,
                match.price,
            )
            for match in matches
        ]
        prices = {trade.pays for trade in trades}
        return Cleared(tuple(trades), prices.pop() if len(prices) == 1 else None)

    return clear


def _offer(order: Order, number: int, user: User) -> Offer:
    capacity = sum(device.power for device in user.devices if device.kind in _RENEWABLE)
    return Offer(number, 0, order.energy, order.price, capacity, int(capacity > 0), user.bus)


def _credits(parameters: Parameters, community: Community) -> dict[str, int]:
    """Millionths of a point by user."""
    source = "mechanism credit_matching"
    unknown = set(parameters) - {"credits"}
    if unknown:
        raise ScenarioError(source, min(unknown), "is not known; there is credits")
    stated = parameters.get("credits", {})
    if not isinstance(stated, Mapping):
        raise ScenarioError(source, "credits", f"{stated!r} is no mapping of users to points")
    credits_ = dict.fromkeys(community.names, _FULL)
    for name, points in stated.items():
        if name not in credits_:
            raise ScenarioError(source, f"credits.{name}", "there is no such user")
        is_number = isinstance(points, int | float) and not isinstance(points, bool)
        if not is_number or not 0 <= points <= 100:
            raise ScenarioError(source, f"credits.{name}", f"{points!r} is not in [0, 100]")
        credits_[name] = int(Fraction(str(points)) * _MICRO)
    return credits_


MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType(
    {
        "credit_matching": MechanismEntry(
            "best seller by credit and six more weights, at the seller's price",
            "Zhang, Table 1 and section 4.2",
            "random",
            _make,
        )
    }
)

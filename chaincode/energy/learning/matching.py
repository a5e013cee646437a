"""The automatic auction: quotes nearest to the target become orders (paper 002, II.C.8).

Sellers come in order of their lowest price, then of their names.  For each, the buyers' quotes
stand in a k-d tree over price and energy; the target is the announced price and what the
seller has left.  The nearest quote gets an order at its own price, again and again until
nothing is left to sell or nobody to buy.  A quote below a seller's lowest price is no choice.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .kd_tree import KdTree, Point, weights_of
from .parties import Flow
from .payments import payment
from .stages import Quote, Stage


@dataclass(frozen=True, slots=True)
class SmartOrder:
    """An order made by the ledger: who delivers how much to whom, for how much.

    energy: Wh; price: micro-yuan per kWh; amount: what the buyer pays after the subsidy,
    micro-yuan.
    """

    hour: int
    stage: Stage
    flow: Flow
    seller: str
    buyer: str
    energy: int
    price: int
    amount: int


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The units of distance between quotes: micro-yuan per kWh, and Wh; both > 0."""

    price: int
    energy: int


def match(
    offers: Sequence[Quote], bids: Sequence[Quote], target: int, yardstick: Yardstick, subsidy: int
) -> list[SmartOrder]:
    """Orders between one flow's offers and bids in one stage.

    target: micro-yuan per kWh; subsidy: s in micro-kWh per yuan, used where the flow has one.
    """
    wanted = {bid.party: bid.energy for bid in bids}
    orders: list[SmartOrder] = []
    for offer in sorted(offers, key=lambda quote: (quote.price, quote.party)):
        able = {
            bid.party: bid for bid in bids if wanted[bid.party] > 0 and bid.price >= offer.price
        }
        left = offer.energy
        for name in _nearest_first(able, wanted, left, target, yardstick):
            bid, energy = able[name], min(left, wanted[name])
            rate = subsidy if offer.flow.subsidised else 0
            orders.append(
                SmartOrder(
                    offer.hour, offer.stage, offer.flow, offer.party, name, energy, bid.price,
                    payment(energy, bid.price, rate),
                )
            )  # fmt: skip
            wanted[name] -= energy
            left -= energy
    return orders


def _nearest_first(
    able: dict[str, Quote], wanted: dict[str, int], left: int, target: int, yardstick: Yardstick
) -> list[str]:
    """The buyers in the order in which they win, until nothing is left to sell."""
    tree = KdTree(
        [Point(name, (bid.price, wanted[name])) for name, bid in able.items()],
        weights_of((yardstick.price, yardstick.energy)),
    )
    winners: list[str] = []
    while left > 0:
        found = tree.nearest((target, left), without=winners)
        if found is None:
            break
        winners.append(found.id)
        left -= min(left, wanted[found.id])
    return winners

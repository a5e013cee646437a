"""How a period's requests are decided: deliveries, their cost, and what still waits.

Waiting requests come first, oldest first; then the period's own, from the node whose turn it
is (period modulo the number of nodes), so that nobody is always first [X: the paper does not
say].  A delivery costs C_b n + C_t Dis (eq. 4): the basic fee is the supplier's, the
transmission fee the operator's.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..rules.amounts import value_of
from .requests import Scheme, serve

_METRES_PER_KM = 1_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """Energy from a supplier to a requester, decided in a period.

    asked_in: the period of the request; distance: metres; basic, transmission: the two parts
    of the cost, micro-yuan.
    """

    period: int
    asked_in: int
    requester: int
    supplier: int
    energy: int
    distance: int
    basic: int
    transmission: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What nobody could deliver: on the waiting list since the period it was asked in."""

    asked_in: int
    node: int
    energy: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A decided period.

    order: nodes as their requests were served; inside: Wh each took from its own store;
    stores: Wh every node holds afterwards, by number.
    """

    period: int
    order: list[int]
    inside: list[int]
    deliveries: list[Delivery]
    waiting: list[Waiting]
    stores: list[int]


@dataclass(frozen=True, slots=True)
class Statement:
    """A node over all decided periods: Wh delivered and received, micro-yuan earned and paid."""

    node: int
    delivered: int
    received: int
    earned: int
    paid: int


@dataclass(frozen=True, slots=True)
class Fees:
    """C_b in micro-yuan per kWh, C_t in micro-yuan per km."""

    basic: int
    transmission: int


def turn(period: int, nodes: int, requests: Sequence[Waiting]) -> list[Waiting]:
    """A period's own requests in the order in which they are served."""
    return sorted(requests, key=lambda request: (request.node - period) % nodes)


def decide(
    period: int,
    queue: Sequence[Waiting],
    *,
    scheme: Scheme,
    stores: Sequence[int],
    distances: Sequence[Sequence[int]],
    fees: Fees,
) -> Decision:
    """Serve a queue of requests, one after the other.

    stores: what every node holds, Wh; distances: metres between all nodes.
    """
    held = list(stores)
    inside: list[int] = []
    deliveries: list[Delivery] = []
    waiting: list[Waiting] = []
    for request in queue:
        away = distances[request.node]
        served = serve(scheme, held, away, request.node, request.energy)
        held = list(served.stores)
        inside.append(served.inside)
        deliveries += [
            Delivery(
                period, request.asked_in, request.node, leg.node, leg.energy, away[leg.node],
                value_of(leg.energy, fees.basic),
                (fees.transmission * away[leg.node] + _METRES_PER_KM // 2) // _METRES_PER_KM,
            )
            for leg in served.legs
        ]  # fmt: skip
        if served.waiting:
            waiting.append(Waiting(request.asked_in, request.node, served.waiting))
    order = [request.node for request in queue]
    return Decision(period, order, inside, deliveries, waiting, held)


def statement(node: int, decisions: Sequence[Decision]) -> Statement:
    """What the decided periods did to a node."""
    every = [delivery for decision in decisions for delivery in decision.deliveries]
    gave = [delivery for delivery in every if delivery.supplier == node]
    got = [delivery for delivery in every if delivery.requester == node]
    return Statement(
        node,
        delivered=sum(delivery.energy for delivery in gave),
        received=sum(delivery.energy for delivery in got),
        earned=sum(delivery.basic for delivery in gave),
        paid=sum(delivery.basic + delivery.transmission for delivery in got),
    )

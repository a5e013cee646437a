"""The order in which sealed orders count: drawn by lot once nobody can order any more.

A chaincode cannot see where in the chain an order stands, and a client's timestamp is his
own.  So the operator commits to a secret lot when he opens, and reveals it when the gate
is closed: orders then come in the sequence of SHA-256(lot, party).  No bidder knew the
lot when he ordered, and the operator cannot choose it after he has seen the orders.
(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from .orders import Order


def commitment_of(lot: str) -> str:
    """What is published of a lot beforehand: SHA-256, hex."""
    return sha256(lot.encode()).hexdigest()


def arrange(lot: str, orders: Iterable[Order]) -> tuple[Order, ...]:
    """The orders with their sequence, by it; lot: the revealed secret."""
    drawn = sorted(
        orders, key=lambda order: sha256(f"{lot}/{order.side}/{order.party}".encode()).digest()
    )
    return tuple(order._replace(sequence=place) for place, order in enumerate(drawn))

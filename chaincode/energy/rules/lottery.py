"""The order in which sealed orders count: drawn by lot once nobody can order any more.

A chaincode cannot see where in the chain an order stands, and a client's timestamp is his
own.  So the transaction that closes the gate draws: orders come in the sequence of
SHA-256(its id, party), which no bidder knew when he ordered.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from .orders import Order


def arrange(lot: str, orders: Iterable[Order]) -> tuple[Order, ...]:
    """The orders with their sequence, by it; lot: the closing transaction's id."""
    drawn = sorted(
        orders, key=lambda order: sha256(f"{lot}/{order.side}/{order.party}".encode()).digest()
    )
    return tuple(order._replace(sequence=place) for place, order in enumerate(drawn))

"""The text of an order that a unit signs, and the check of the signature.

An order is signed with ECDSA over the SHA-256 of this text by the key of the unit's
certificate.  The text names channel, hour and revision, so a signature fits one order
only: neither another hour's nor an earlier version can be replayed.
(Fabric counterpart: none; a transaction's own signature proves who submitted, not what
was ordered once the order is read from the ledger.)
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ADDRESS_BYTES = 20


class Action(StrEnum):
    """What a signed order text asks for."""

    PUBLISH = "publish"
    MODIFY = "modify"
    WITHDRAW = "withdraw"


def order_text(
    *,
    channel: str,
    action: Action,
    unit: str,
    address: str,
    delivery_time: int,
    energy: int,
    price: int,
    revision: int,
) -> bytes:
    """The canonical text; energy in Wh, price in micro-yuan per kWh, unit like BU3."""
    lines = (
        "microgrid order, version 1",
        f"channel={channel}",
        f"action={action.value}",
        f"unit={unit}",
        f"address={address}",
        f"delivery_time={delivery_time}",
        f"energy_wh={energy}",
        f"price_micro_yuan_per_kwh={price}",
        f"revision={revision}",
    )
    return "\n".join(lines).encode()


def address_of(public_key: bytes) -> str:
    """A unit's account address: 40 hex digits of the SHA-256 of its DER public key."""
    return hashlib.sha256(public_key).digest()[:ADDRESS_BYTES].hex()


def is_signed_by(public_key: bytes, text: bytes, signature: bytes) -> bool:
    """Whether signature (DER) over text verifies under an EC public key (DER)."""
    key = serialization.load_der_public_key(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True

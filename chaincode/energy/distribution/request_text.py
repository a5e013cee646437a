"""The text of an energy request: what is hashed and signed (paper 004, section 3, steps 1, 2).

The requester sends the SHA-256 of the text and its signature; whoever sees the request can
hash the text again and check the signature with the node's public key.  The text names
channel, node and period, so that it fits one request only.
(Fabric counterpart: none; see order_text.)
"""

from __future__ import annotations

import hashlib


def request_text(*, channel: str, node: int, period: int, energy: int) -> bytes:
    """The canonical text; energy in Wh."""
    lines = (
        "distribution network request, version 1",
        f"channel={channel}",
        f"node={node}",
        f"period={period}",
        f"energy_wh={energy}",
    )
    return "\n".join(lines).encode()


def digest_of(text: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text).hexdigest()

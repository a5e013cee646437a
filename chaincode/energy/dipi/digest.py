"""Digests by which one chain recognises what another has recorded.

SHA-256 over a canonical text with a line for each entry, so that anybody who has the
entries can compute it.  (Fabric counterpart: none.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple

from .records import Match, SettledTrade


def digest_of(period: int, entries: Sequence[Match | SettledTrade]) -> str:
    """Hex digest of a period's matches or trades, in their order."""
    kind = type(entries[0]).__name__ if entries else "nothing"
    lines = [f"period {period}: {kind}"]
    lines += [" ".join(map(str, astuple(entry))) for entry in entries]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

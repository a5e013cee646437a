"""Mechanisms of paper 002, the learning market.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..learning import nearest_quote
from ..mechanism import MechanismEntry

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType(
    {
        "nearest_quote": MechanismEntry(
            "the automatic auction: quotes nearest to a target",
            "Liu and Zhou, II.C.8",
            "random",
            nearest_quote.make,
        )
    }
)

"""Mechanisms of paper 002, the learning market.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..mechanism import MechanismEntry

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType({})

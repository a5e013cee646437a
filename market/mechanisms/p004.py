"""Mechanisms of paper 004, the active distribution network.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..mechanism import MechanismEntry

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType({})

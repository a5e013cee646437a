"""Mechanisms of paper 000, decisions on evidence.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..mechanism import MechanismEntry

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType({})

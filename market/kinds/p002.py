"""Case kinds of paper 002, the learning market.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..cases import Kind

KINDS: Mapping[str, Kind] = MappingProxyType({})

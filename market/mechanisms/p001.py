"""Mechanisms of paper 001, credit and proof of credit.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..mechanism import MechanismEntry

MECHANISMS: Mapping[str, MechanismEntry] = MappingProxyType({})

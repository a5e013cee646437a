"""Studies of paper 001, credit and proof of credit.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..scenario import Scenario
from ..study import Study

STUDIES: Mapping[str, Study] = MappingProxyType({})
SCENARIOS: tuple[Scenario, ...] = ()

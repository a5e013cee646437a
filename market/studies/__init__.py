"""All studies and built-in scenarios by name, one module for each paper.

See study.py for how one is added.  (Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..scenario import Scenario
from ..study import Study
from . import community, p000, p001, p002, p003, p004

_MODULES = (community, p000, p001, p002, p003, p004)

STUDIES: Mapping[str, Study] = MappingProxyType(
    {name: study for module in _MODULES for name, study in module.STUDIES.items()}
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {scenario.name: scenario for module in _MODULES for scenario in module.SCENARIOS}
)

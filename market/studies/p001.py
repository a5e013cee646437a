"""Studies of paper 001, credit and proof of credit.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..credit import paper_study
from ..scenario import Scenario
from ..study import Study

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "paper-001": Study(
            "paper 001: its tables and figures, printed and ours; mining by credit",
            paper_study.run,
            {"blocks": 5000, "bits": 6, "temperature": 10},
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("paper-001", "paper-001", "paper 001: every table and figure, printed and ours"),
)

"""Studies of paper 001, credit and proof of credit.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..credit import paper_study
from ..dipi import study
from ..scenario import Scenario
from ..study import Study

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "dipi": Study(
            "paper 001: scheduling, trading and credit on three channels",
            study.run,
            {"periods": 6, "sellers": 3, "buyers": 3, "alpha": 0.2, "reliability": 0.85},
        ),
        "paper-001": Study(
            "paper 001: its tables and figures, printed and ours; mining by credit",
            paper_study.run,
            {"blocks": 5000, "bits": 6, "temperature": 10},
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("dipi", "dipi", "paper 001: six periods through its three chains"),
    Scenario("paper-001", "paper-001", "paper 001: every table and figure, printed and ours"),
)

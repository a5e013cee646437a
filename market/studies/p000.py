"""Studies of paper 000, decisions on evidence.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..baas import paper_study, study
from ..scenario import Scenario
from ..study import Study

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "baas": Study(
            "paper 000: decisions on evidence and the security check, on chaincode baas",
            study.run,
            {
                "periods": 12,
                "record": 30,
                "line_limit": 210_000,
                "eps1": 0.05,
                "eps2": 0.3,
                "highest_conflict": 0.95,
            },
        ),
        "paper-000": Study(
            "paper 000: its table and figures, printed and ours",
            paper_study.run,
            {"decisions": 60, "observations": 20},
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("baas", "baas", "paper 000: twelve periods of decisions and trades on the ledger"),
    Scenario("paper-000", "paper-000", "paper 000: every table and figure, printed and ours"),
)

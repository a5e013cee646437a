"""Studies of paper 003, the consortium microgrid.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..microgrid import day_study, paper_study
from ..scenario import Scenario
from ..study import Study

STUDIES: Mapping[str, Study] = MappingProxyType(
    {
        "microgrid": Study(
            "paper 003: a day on its five chaincodes, with forecasts and private types",
            day_study.run,
            {
                "day": "paper",
                "mode": "nash_bargain",
                "forecast": "none",
                "private_types": {"spread": 0.2, "types": 3, "objective": "nash_bargain"},
            },
        ),
        "paper-003": Study(
            "paper 003: every table and figure, printed and ours, under every pricing mode",
            paper_study.run,
            {},
        ),
    }
)

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("microgrid", "microgrid", "paper 003: its twelve hours on the ledger"),
    Scenario(
        "microgrid-forecast",
        "microgrid",
        "paper 003: orders by persistence forecast, error compensation by the meters",
        parameters={"forecast": "persistence"},
    ),
    Scenario(
        "microgrid-private-types",
        "microgrid",
        "paper 003: the Bayesian game, sellers' preferences private",
        parameters={"private_types": {"spread": 0.2, "types": 3}},
    ),
    Scenario("paper-003", "paper-003", "paper 003: every table and figure, printed and ours"),
)

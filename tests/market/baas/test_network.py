"""market/baas on a real network: three organisations' peers come to the same decisions."""

import pytest

from gridloom.cli.market_network import on_ledger
from gridloom.market.cases import Fields
from gridloom.market.errors import ScenarioError
from gridloom.market.studies import STUDIES
from gridloom.market.study import Run
from harness.market_runs import run_of

pytestmark = pytest.mark.network


def test_decisions_and_security_checks_are_endorsed_by_every_organisation():
    parameters = {"periods": 2, "record": 5, "line_limit": 200_000}
    run = Run(
        Fields("test", parameters, ScenarioError), 0, lambda what, done, total: None, on_ledger
    )
    on_network = STUDIES["baas"].run(run)
    in_memory = STUDIES["baas"].run(run_of(parameters))
    assert on_network.tables == in_memory.tables
    assert on_network.metrics == in_memory.metrics

"""The studies paper_002 and paper_004: what is printed beside what the equations give."""

import pytest

from gridloom.market.report import write
from gridloom.market.scenario import Scenario
from gridloom.market.studies import SCENARIOS, STUDIES
from harness.market_runs import run_of
from harness.shared import shared


def metrics_of(study, **parameters):
    result = STUDIES[study].run(run_of(parameters, seed=1))
    return result, {metric.name: metric.value for metric in result.metrics}


def test_the_printed_prices_of_noon_leave_every_seller_something_to_gain():
    result, values = metrics_of("paper_002")
    printed = dict(
        line.split(",")
        for line in shared("papers", "tables", "p002_prices_1200.csv").read_text().split()[1:]
    )
    noon = next(table for table in result.tables if table.name == "noon")
    assert {row[0]: row[1] for row in noon.rows} == {k: float(v) for k, v in printed.items()}
    assert all(row[6] > 0.01 for row in noon.rows)
    assert values["balance"] < 1e-9
    assert values["vertex_error"] <= 1e-6
    assert values["elastic_error"] < 5e-5


def test_the_settled_archive_is_accepted_and_the_plain_flight_says_how_near_it_comes():
    _, values = metrics_of("paper_004")
    assert values["settled_members"] >= 100
    assert values["settled_covered"] >= 0.98
    assert values["settled_gap"] <= 1e-3
    assert values["plain_covered"] >= 0.98
    assert 1e-3 < values["plain_gap"] < 2e-2
    assert all(values[f"{name}_dearest"] <= 0.5 for name in ("plain", "with_exchange", "settled"))


@pytest.mark.parametrize("name", ["paper-002", "paper-004"])
def test_the_scenarios_are_listed(name):
    assert SCENARIOS[name].study in STUDIES


QUICK = {"particles": 20, "iterations": 5}


@pytest.mark.parametrize(
    ("study", "parameters"),
    [
        ("learning", {"hours": 2, "colony": {"ants": 5, "iterations": 5}, "ledger": True,
                      "game": {"regret": 1e3}}),
        ("distribution", {"hours": 2, "swarm": QUICK, "ledger": True}),
        ("distribution_balance", {"nodes": 3, "periods": 3, "ledger": True}),
        ("distribution_delay", {"participants": [2], "rounds": 1}),
        ("paper_002", {"colony": {"ants": 5, "iterations": 5}}),
        ("paper_004", {}),
    ],
)  # fmt: skip
def test_the_same_seed_gives_the_same_bytes(study, parameters, tmp_path):
    scenario = Scenario("twice", study, seed=1, parameters=parameters)
    for folder in ("one", "again"):
        result, _ = metrics_of(study, **parameters)
        written = write(result, scenario, tmp_path / folder)
    for path in written:
        if not path.name.startswith(("measured", "delays")):
            assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name
    page = (tmp_path / "one" / "report.html").read_text()
    assert "src=" not in page

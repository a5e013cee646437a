"""market/microgrid/day_study and paper_study: paper 003 through `gridloom market run`."""

from pathlib import Path

import numpy as np
import pytest

from gridloom.market.errors import ProfileError, ScenarioError
from gridloom.market.microgrid.energy_day import paper_day
from gridloom.market.microgrid.forecasts import noisy, persistence
from gridloom.market.microgrid.paper_study import fit
from gridloom.market.microgrid.pricing import MECHANISMS
from gridloom.market.report import write
from gridloom.market.studies import SCENARIOS, STUDIES
from harness.market_runs import run_of


def metrics_of(result):
    return {metric.name: metric.value for metric in result.metrics}


@pytest.mark.parametrize("name", ["microgrid-forecast", "microgrid-private-types"])
def test_a_scenarios_files_are_the_seeds_alone(name, tmp_path):
    scenario = SCENARIOS[name]
    for folder in ("one", "again"):
        result = STUDIES["microgrid"].run(run_of(scenario.parameters, seed=2))
        written = write(result, scenario, tmp_path / folder)
    for path in written:
        if not path.name.startswith("measured"):
            assert path.read_bytes() == (tmp_path / "one" / path.name).read_bytes(), path.name
    assert metrics_of(result)["imbalance"] == 0


def test_the_papers_day_costs_what_the_model_says():
    metrics = metrics_of(STUDIES["microgrid"].run(run_of({})))
    assert metrics["bill"] == pytest.approx(198.776828, abs=1e-3)
    assert metrics["saving"] == pytest.approx(4.307, abs=1e-3)
    assert metrics["shortfall"] == 0


def test_a_forecast_that_errs_is_compensated_by_who_erred():
    metrics = metrics_of(STUDIES["microgrid"].run(run_of({"forecast": "persistence"})))
    assert metrics["shortfall"] > 1
    # p_b for every missing kWh
    assert metrics["shortfall_cost"] == pytest.approx(0.85 * metrics["shortfall"], abs=1e-4)


def test_a_folder_may_bring_its_own_forecast(tmp_path):
    (tmp_path / "load.csv").write_text("hour,a,b\n9,0,5\n")
    (tmp_path / "generation.csv").write_text("hour,a,b\n9,3,0\n")
    (tmp_path / "forecast.csv").write_text("hour,a,b\n9,4,0\n")
    metrics = metrics_of(STUDIES["microgrid"].run(run_of({"day": "."}, folder=tmp_path)))
    assert metrics["shortfall"] == 1
    assert metrics["shortfall_cost"] == 0.85


def test_persistence_foretells_an_hour_from_the_one_before_and_the_sky():
    day = paper_day()
    foretold = persistence(day)
    assert foretold.delivered == day.generation
    assert foretold.generation[0] == day.generation[0]
    morning, noon = foretold.generation[1][0], foretold.generation[5][0]
    assert morning > day.generation[0][0]  # the sun rises
    assert noon == pytest.approx(day.generation[4][0], rel=0.05)  # and hardly moves at noon


def test_a_noisy_forecast_is_unbiased_and_never_negative():
    day = paper_day()
    foretold = np.array(
        [noisy(day, 0.3, np.random.default_rng(seed)).generation for seed in range(200)]
    )
    assert (foretold >= 0).all()
    actual = np.array(day.generation)
    assert foretold.mean(axis=0)[5] == pytest.approx(actual[5], rel=0.1)


def test_the_fit_of_the_bargain_is_what_the_restated_model_says():
    found = fit(paper_day(), "nash_bargain")
    assert found.price_mean == pytest.approx(0.0168, abs=5e-5)
    assert found.load == pytest.approx(0.152, abs=5e-4)
    assert found.bought == pytest.approx(0.097, abs=6e-4)
    assert fit(paper_day(), "literal_nash").bill == pytest.approx(191.607, abs=5e-4)


def test_the_papers_document_has_the_modes_as_they_come_out():
    lines = (Path(__file__).parents[3] / "docs" / "papers.md").read_text().splitlines()
    day, checked = paper_day(), 0
    for line in lines:
        mode, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        mode = mode.removesuffix(" (default)")
        if mode in MECHANISMS and len(cells) == 7:
            found = fit(day, mode)
            ours = (found.price_mean, found.price_largest, found.load, found.bought, found.bill)
            printed = [float(cell) for cell in cells[:5]]
            assert printed == pytest.approx(ours, abs=6e-4), mode
            checked += 1
    assert checked == len(MECHANISMS)


def test_the_papers_arithmetic_comes_out_as_the_papers_document_says():
    result = STUDIES["paper-003"].run(run_of({}))
    metrics = metrics_of(result)
    assert metrics["revenue_ratio_printed"] == pytest.approx(1.061, abs=5e-4)
    assert metrics["revenue_ratio_bound"] == pytest.approx(1.241, abs=5e-4)
    assert metrics["impossible_caliper_rows"] == 7
    caliper = next(table for table in result.tables if table.name == "table14")
    assert [row[0] for row in caliper.rows if row[-1] == "no"] == list(range(20, 27))


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"days": 1}, "days: is not known"),
        ({"mode": "barter"}, "mode: 'barter' is none of"),
        ({"forecast": "oracle"}, "forecast: 'oracle' is none of"),
        ({"forecast": -1}, "forecast: -1 is not in"),
        ({"private_types": {"types": 99}}, "private_types.types: 99 is not in"),
        ({"private_types": {"spread": 2}}, "private_types.spread: 2 is not in"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_named(parameters, says):
    with pytest.raises(ScenarioError, match=says):
        STUDIES["microgrid"].run(run_of(parameters))


def test_a_folder_without_a_day_is_named(tmp_path):
    with pytest.raises(ProfileError, match=r"load\.csv: does not exist"):
        STUDIES["microgrid"].run(run_of({"day": "mine"}, folder=tmp_path))

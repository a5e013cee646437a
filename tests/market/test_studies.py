"""market/studies: every built-in scenario runs, and its report is the seed's alone."""

import json

import pytest

from gridloom.market.compare import combine
from gridloom.market.errors import ScenarioError
from gridloom.market.report import write
from gridloom.market.scenario import Scenario, read_scenario
from gridloom.market.studies import SCENARIOS, STUDIES
from harness.market_runs import run_of

SMALL = {"households": 4, "minutes": 60}
STREETS = [name for name, one in SCENARIOS.items() if one.study == "community"]


def result_of(parameters, seed=0, **options):
    return STUDIES["community"].run(run_of(parameters, seed=seed, **options))


def test_every_scenario_names_a_study_and_known_parameters():
    for scenario in SCENARIOS.values():
        assert scenario.study in STUDIES
        assert set(scenario.parameters) <= set(STUDIES[scenario.study].defaults)
        assert scenario.title


@pytest.mark.parametrize("name", STREETS)
def test_streets_run_and_are_the_seeds_alone(name):
    parameters = {**SCENARIOS[name].parameters, "community": SMALL, "forecast_error": 0.1}
    one, again = result_of(parameters, seed=7), result_of(parameters, seed=7)
    assert (one.metrics, one.tables, one.plots) == (again.metrics, again.tables, again.plots)


@pytest.mark.parametrize("name", ["street-continuous", "street-ledger"])
def test_a_scenarios_files_are_the_seeds_alone(name, tmp_path):
    scenario = SCENARIOS[name]
    parameters = {**scenario.parameters, "community": SMALL, "forecast_error": 0.1}
    for folder in ("one", "again"):
        result = result_of(parameters, seed=7)
        written = write(result, scenario, tmp_path / folder)
    for path in written:
        if not path.name.startswith("measured"):
            other = tmp_path / "one" / path.name
            assert path.read_bytes() == other.read_bytes(), path.name
    assert {path.name for path in written} >= {"report.html", "summary.json", "bills.csv"}


def test_the_ledger_comes_to_what_the_rule_computes_here():
    plain = result_of({"community": SMALL})
    on_ledger = result_of({"community": SMALL, "ledger": True})
    assert on_ledger.metrics == plain.metrics
    assert on_ledger.tables == plain.tables
    assert on_ledger.measured["transactions"] > 3 * 24
    assert not plain.has_measurements


def test_another_seed_gives_another_day():
    assert result_of({"community": SMALL}, 1).tables != result_of({"community": SMALL}, 2).tables


def test_progress_reaches_its_total():
    told = []
    result_of({"community": SMALL}, progress=lambda *step: told.append(step))
    assert told[-1] == ("trading", 24, 24)


def test_summary_json_says_what_reproduces_it(tmp_path):
    scenario = Scenario("mine", "community", seed=3, parameters={"community": SMALL})
    write(result_of(scenario.parameters, 3), scenario, tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["seed"], summary["study"]) == (3, "community")
    assert summary["parameters"] == {"community": SMALL}
    assert set(summary["versions"]) == {"python", "gridloom", "numpy", "matplotlib"}
    assert {metric["name"] for metric in summary["metrics"]} >= {"welfare", "co2", "worse_off"}


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    scenario = SCENARIOS["street-mid-market"]
    write(result_of({"community": SMALL, "mechanism": "mid_market"}), scenario, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 3
    assert "src=" not in page
    assert "<link" not in page
    assert "<script" not in page


def test_a_feeder_that_is_too_small_is_named_in_the_report():
    result = result_of({"community": {**SMALL, "feeder_kw": 0.1}})
    (violations,) = (m.value for m in result.metrics if m.name == "violations")
    assert violations > 0
    assert any("transformer: power" in remark for remark in result.remarks)


def test_prices_may_differ_from_hour_to_hour():
    by_hour = [0.2] * 12 + [0.4] * 12
    result = result_of({"community": SMALL, "tariff": {"buy": by_hour}, "mechanism": "mid_market"})
    price = next(plot for plot in result.plots if plot.name == "price")
    assert list(price.series[1].y) == by_hour


def test_results_compare_side_by_side():
    results = {
        name: result_of({"community": SMALL, "mechanism": name})
        for name in ("mid_market", "grid_only")
    }
    together = combine(results)
    metrics, *others = together.tables
    assert [column.name for column in metrics.columns[2:4]] == ["mid_market", "grid_only"]
    bills = next(table for table in others if table.name == "bills")
    assert [row[0] for row in bills.rows] == ["mid_market"] * 4 + ["grid_only"] * 4
    price = next(plot for plot in together.plots if plot.name == "price")
    assert [series.label for series in price.series] == [
        "mid_market: inside", "grid_only: inside", "grid sells", "grid buys",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"communty": {}}, "communty: is not known"),
        ({"community": {"houses": 3}}, "community.houses: is not known"),
        ({"community": 3}, "community: 3 is no mapping"),
        ({"community": {"households": 0}}, "community.households: 0 is not in"),
        ({"community": {"households": True}}, "community.households: True is not a whole"),
        ({"community": {"pv": 1.5}}, "community.pv: 1.5 is not in"),
        ({"community": {"pv": float("nan")}}, "community.pv: nan is not in"),
        ({"community": {"minutes": 7}}, "community.minutes: 7 does not divide an hour"),
        ({"community": {"folder": "x", "unit": "MWh"}}, "community.unit: 'MWh' is none of"),
        ({"community": {"feeder_kw": -1}}, "community.feeder_kw: -1 is not in"),
        ({"tariff": {"sell": 0.4}}, "tariff.sell: 0.4 is not below buy = 0.3"),
        ({"tariff": {"buy": [0.3, 0.2]}}, "tariff.buy: has 2 prices, not one or 24"),
        ({"tariff": {"buy": [0.3] * 23 + [0.01]}}, "tariff.sell: 0.08 is not .* in hour 23"),
        ({"tariff": {"buy": [0.3] * 23 + ["x"]}}, "tariff.buy.23: 'x' is not a number"),
        ({"tariff": {"sell": "cheap"}}, "tariff.sell: 'cheap' is not a number"),
        ({"co2": {"grid": -1}}, "co2.grid: -1 is not in"),
        ({"mechanism": "barter"}, "mechanism: 'barter' is none of"),
        ({"mechanism": {"name": "barter"}}, "mechanism.name: 'barter' is none of"),
        ({"bidding": "shout"}, "bidding: 'shout' is none of open"),
        ({"forecast_error": 2}, "forecast_error: 2 is not in"),
        ({"ledger": "yes"}, "ledger: 'yes' is neither true nor false"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_named(parameters, says):
    with pytest.raises(ScenarioError, match=says):
        result_of({"community": SMALL, **parameters})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "is no YAML"),
        ("- 1", "is no mapping"),
        ("study: community\nsede: 3", "sede: is not known"),
        ("seed: 3", "study: is missing"),
        ("study: community\nseed: -1", "seed: -1 is no whole number"),
        ("study: community\nname: ../x", "name: '../x' is not of letters"),
        ("study: 3", "study: 3 is no text"),
        ("study: community\nparameters: 3", "parameters: is no mapping"),
    ],
)
def test_a_scenario_file_that_cannot_be_meant_is_refused(tmp_path, text, says):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError, match=says):
        read_scenario(path)


def test_a_scenario_file_may_bring_its_own_data(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "load.csv").write_text("time,ann,bob\n0,1.5,0\n1,0.1,0\n")
    (tmp_path / "data" / "generation.csv").write_text("time,bob\n0,1\n1,2\n")
    (tmp_path / "mine.yaml").write_text(
        "study: community\nparameters: {community: {folder: data}, mechanism: mid_market}\n"
    )
    scenario = read_scenario(tmp_path / "mine.yaml")
    assert scenario.name == "mine"
    result = result_of(scenario.parameters, folder=scenario.folder)
    traded = next(metric for metric in result.metrics if metric.name == "traded")
    assert traded.value == 1.1

"""cli/market: gridloom market, as a person calls it."""

import json

import pytest
from typer.testing import CliRunner

from gridloom.cli.market import app

SMALL = ["--set", "community={households: 4, minutes: 60}"]


def call(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def test_list_shows_scenarios_mechanisms_and_studies():
    shown = call("list").stdout
    assert "street-mid-market" in shown
    assert "Long et al. 2017" in shown
    assert "forecast_error: 0" in call("list", "--studies").stdout


def test_run_writes_a_report_and_says_where(tmp_path):
    answer = call("run", "street-mid-market", "--out", tmp_path, "--seed", 5, *SMALL)
    assert answer.exit_code == 0
    assert str(tmp_path / "report.html") in answer.stdout.replace("\n", "")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["seed"], summary["scenario"]) == (5, "street-mid-market")


def test_compare_writes_each_report_and_one_of_all(tmp_path):
    names = ("street-mid-market", "street-grid-only")
    answer = call("compare", *names, "--out", tmp_path, *SMALL)
    assert answer.exit_code == 0
    assert all((tmp_path / name / "report.html").exists() for name in names)
    assert (tmp_path / "metrics.csv").read_text().startswith("metric,unit,street-mid-market,")


def test_a_parameter_inside_another_can_be_set(tmp_path):
    call("run", "street-grid-only", "--out", tmp_path, *SMALL, "--set", "tariff.buy=0.5")
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["parameters"]["tariff"] == {"buy": 0.5}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere"], "neither a YAML file nor one of"),
        (["run", "street-grid-only", "--set", "x"], "not NAME=VALUE"),
        (["run", "street-grid-only", "--set", "x=["], "--set"),
        (["compare", "street-grid-only", "street-grid-only"], "two scenarios are called"),
    ],
)
def test_what_cannot_be_meant_is_said(arguments, says):
    answer = call(*arguments)
    assert answer.exit_code == 2
    assert says in " ".join(answer.stderr.replace("│", " ").split())


def test_a_wrong_parameter_is_an_error_with_its_name(run):
    answer = run("market run street-grid-only --set tariff.sell=9")
    assert answer.status == 1
    assert "street-grid-only: tariff.sell: 9 is not below buy = 0.3" in answer.err


@pytest.mark.network
def test_a_day_is_traded_on_a_network_of_three_organisations(tmp_path):
    answer = call("run", "street-ledger", "--out", tmp_path, *SMALL)
    assert answer.exit_code == 0
    measured = json.loads((tmp_path / "measured.json").read_text())
    assert measured["blocks"] > 3
    assert measured["bytes"] > 100_000

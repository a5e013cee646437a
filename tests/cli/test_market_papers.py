"""cli/market: the chaincodes of papers 002 and 004 on a network of three organisations."""

import json

import pytest
from typer.testing import CliRunner

from gridloom.cli.market import app

pytestmark = pytest.mark.network


def run(scenario, folder, *parameters):
    changes = [word for parameter in parameters for word in ("--set", parameter)]
    arguments = ["run", scenario, "--out", str(folder), *changes]
    answer = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert answer.exit_code == 0
    measured = json.loads((folder / "measured.json").read_text())
    return " ".join(answer.stdout.split()), measured


def test_quotes_become_the_same_orders_on_the_ledger(tmp_path):
    colony = "colony={ants: 12, iterations: 60}"
    said, measured = run("learning-ledger", tmp_path, "hours=4", colony)
    assert "every order and every violation there is the one reported here" in said
    assert measured["transactions"] > 4 * 10


def test_requests_and_purchases_are_decided_on_the_ledger(tmp_path):
    _, measured = run("distribution-delay", tmp_path, "participants=[2, 5]", "rounds=1")
    assert set(measured) == {"requests_2", "requests_5", "purchase_2", "purchase_5"}
    assert all(own["p95"] >= own["p50"] > 0 for own in measured.values())
    assert (tmp_path / "delays.csv").read_text().startswith("way,participants,rounds,trades")

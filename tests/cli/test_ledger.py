"""``gridloom ledger verify`` as a person or a script runs it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridloom.cli import app
from gridloom.common import blocks
from gridloom.protos.common import common_pb2
from harness.auditing import golden_blocks
from harness.shared import shared
from harness.snapshots import golden_snapshot


def verify(*arguments: str | Path):
    return CliRunner().invoke(app, ["ledger", "verify", *map(str, arguments)])


@pytest.fixture
def forged(tmp_path: Path) -> Path:
    ledger = golden_blocks(20)
    blocks.set_metadata(ledger[7], common_pb2.TRANSACTIONS_FILTER, b"\x0a")
    blocks.set_metadata(ledger[9], common_pb2.TRANSACTIONS_FILTER, b"\x0b")
    for block in ledger:
        (tmp_path / f"{block.header.number}").write_bytes(block.SerializeToString())
    return tmp_path


def test_a_real_ledger_without_a_difference_ends_with_status_0(tmp_path):
    result = verify(shared("golden", "blocks", "peer"), "--json", tmp_path / "report.json")
    assert result.exit_code == 0
    assert "channel golden1: 66 blocks (0 to 65)" in result.stdout
    assert "no differences" in result.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["differences"] == []
    assert [block["number"] for block in report["blocks"]] == [*range(66)]


def test_the_first_difference_is_named_and_the_status_is_1(forged, tmp_path):
    result = verify(forged, "--json", tmp_path / "report.json")
    assert result.exit_code == 1
    expected = "block 7, transaction 0: code: recorded ENDORSEMENT_POLICY_FAILURE, computed VALID"
    assert f"first difference: {expected}" in result.stdout
    assert "2 differences" in result.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert [difference["block"] for difference in report["differences"]] == [7, 9]
    assert report["blocks"][7]["txs"][0]["code"] == "VALID"
    assert report["blocks"][7]["txs"][0]["recorded_code"] == "ENDORSEMENT_POLICY_FAILURE"


def test_the_report_may_go_to_standard_output_alone(forged):
    result = verify(forged, "--json", "-")
    assert json.loads(result.stdout)["differences"]
    assert "first difference" in result.stderr


def test_nothing_to_audit_is_a_wrong_argument(tmp_path):
    result = verify(tmp_path)
    assert result.exit_code == 2
    assert "no blocks here" in result.stderr


def test_an_audit_may_begin_with_a_snapshot():
    result = verify(shared("golden", "blocks", "peer"), "--snapshot", golden_snapshot())
    assert result.exit_code == 0
    assert "0 blocks (none readable)" in result.stdout


def test_an_unknown_state_database_is_a_wrong_argument():
    result = verify(shared("golden", "blocks", "peer"), "--state-database", "redis")
    assert result.exit_code == 2
    assert "goleveldb or CouchDB" in result.stderr

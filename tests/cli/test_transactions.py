"""invoke, query, events, blocks and the chaincode commands on a running network."""

import json
import os
import signal
import subprocess

import pytest

from harness.network import GRIDLOOM, PROBE, SHELF, edited

pytestmark = pytest.mark.network


@pytest.fixture
def on_network(run, network):
    return lambda line: run(line, network.home.path)


def test_invoke_prints_the_result_and_says_where_it_was_committed(on_network, settled):
    outcome = on_network("invoke probe put lamp brass")
    assert (outcome.status, outcome.out) == (0, "brass\n")
    assert "VALID in block " in outcome.err
    assert on_network("query probe get lamp").out == "brass\n"
    settled()
    assert on_network("query probe:Probe get lamp --org Org2 --user Admin").out == "brass\n"


def test_transient_data_and_endorsers_can_be_given(on_network):
    outcome = on_network(
        "invoke probe transient -t secret=a=b -t other=c --endorse Org1 --endorse Org2"
    )
    assert json.loads(outcome.out) == {"other": "c", "secret": "a=b"}


def test_a_failing_transaction_is_told_with_the_chaincodes_words(on_network):
    outcome = on_network("invoke probe fail 'no sun today'")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: ABORTED: failed to endorse transaction")
    assert "chaincode response 500, no sun today" in outcome.err


def test_a_transaction_found_invalid_ends_with_status_1(on_network):
    outcome = on_network("invoke probe put lamp brass --endorse Org1")
    assert (outcome.status, outcome.out) == (1, "")
    assert "ENDORSEMENT_POLICY_FAILURE in block" in outcome.err


@pytest.mark.parametrize(
    ("line", "status", "message"),
    [
        ("query nope get", 1, "no peers available to evaluate chaincode nope in channel mychannel"),
        ("query probe get a --channel nope", 2, "no channel 'nope'; there is: mychannel"),
        ("query probe get a --org Org9", 2, "no organisation 'Org9'; there is: Org1, Org2"),
        ("query probe get a --user Eve", 1, "no such user; there are Admin, User1"),
        ("invoke probe put a b --transient secret", 2, "'secret' is not KEY=VALUE"),
        ("invoke probe put a b --endorse Org9", 2, "no organisation 'Org9'"),
        ("query probe get", 1, "get"),
        ("invoke probe", 2, "Missing argument 'function'"),
        ("chaincode deploy ./missing", 2, "'./missing' does not exist"),
        ("chaincode approve probe --package-id nope:1 --sequence 9", 1, "sequence 9"),
        ("chaincode install description.yaml", 2, "does not exist"),
        ("blocks --from -1", 2, "--from"),
    ],
)
def test_a_mistake_is_told_in_one_line(on_network, line, status, message):
    outcome = on_network(line)
    assert (outcome.status, outcome.out) == (status, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    if status == 1:
        assert outcome.err.startswith("Error: ")


def test_something_that_is_no_package_cannot_be_installed(on_network, tmp_path):
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    for line in ("chaincode install bad.tar.gz", "chaincode deploy bad.tar.gz"):
        outcome = on_network(line)
        assert outcome.status == 1
        assert "error reading as gzip stream: gzip: invalid header" in outcome.err


def test_blocks_are_listed_with_codes_and_stop_at_the_newest(on_network):
    lines = on_network("blocks").out.splitlines()
    assert lines[0] == "block 0"
    assert lines[1].split()[:2] == ["VALID", "config"]
    assert lines[3].split()[:3] == ["VALID", "endorser", "transaction"]
    assert on_network("blocks --from 99999").out == ""


def test_events_are_json_lines(on_network):
    assert on_network("invoke probe emit dawn 06:12").status == 0
    outcome = on_network("events probe --from 0 --limit 1")
    event = json.loads(outcome.out)
    assert (event["event"], event["payload"]) == ("dawn", "06:12")
    assert event["block"] > 0
    assert len(event["transaction"]) == 64


def test_ctrl_c_ends_following_quietly(network):
    with subprocess.Popen(
        [*GRIDLOOM, "blocks", "--follow", "--dir", str(network.home.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout.readline() == "block 0\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "")


def test_the_lifecycle_goes_step_by_step(on_network, settled, tmp_path):
    package_id = on_network(
        f"chaincode package {SHELF} --label steps_1 -o steps.tar.gz"
    ).out.strip()
    assert package_id.startswith("steps_1:")
    assert on_network("chaincode install steps.tar.gz").out.strip() == package_id
    approve = f"chaincode approve steps --package-id {package_id} --version 1 --init-required"
    assert "Org1MSP approved steps sequence 1" in on_network(approve).out
    settled()
    early = on_network("chaincode commit steps --version 1 --init-required")
    assert early.out == "approvals: Org1MSP yes, Org2MSP no\n"
    assert early.status == 1
    assert "Org2MSP approved steps" in on_network(f"{approve} --org Org2").out
    settled()
    committed = on_network("chaincode commit steps --version 1 --init-required")
    assert "committed steps sequence 1" in committed.out
    settled()
    assert "has not been initialized" in on_network("invoke steps put a b").err
    assert on_network("invoke steps init Ann --init").out == "Ann\n"
    listed = on_network("chaincode list").out
    assert "channel mychannel: steps version 1 sequence 1\n" in listed
    assert package_id in listed


def test_deploying_again_upgrades(on_network, tmp_path):
    source = tmp_path / "shelf2"
    assert "sequence 1, is on channel" in on_network(f"chaincode deploy {SHELF} --name again").out
    edited(SHELF, source, "EDITION = 1", "EDITION = 2")
    assert "sequence 2" in on_network(f"chaincode deploy {source} --name again --version 2").out
    assert on_network("query again edition").out == "2\n"


def test_a_package_of_the_same_source_always_has_the_same_id(run, tmp_path):
    first = run(f"chaincode package {PROBE} -o one.tar.gz").out
    assert first == run(f"chaincode package {PROBE} -o two.tar.gz").out
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()
    service = run("chaincode package --service localhost:9999 --label s_1")
    assert service.out.startswith("s_1:")
    assert (tmp_path / "s_1.tar.gz").exists()
    assert run("chaincode package").status == 2
    assert run(f"chaincode package {PROBE} --service a:1").status == 2

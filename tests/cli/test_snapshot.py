"""gridloom ledger snapshot on a running network."""

import json
import time

import pytest

from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from harness.network import PROBE, NetworkProcess, gridloom

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A running network with the probe on it: it has blocks to come."""
    with NetworkProcess(tmp_path_factory.mktemp("snapshots") / "home") as network:
        deployed = gridloom("chaincode", "deploy", PROBE, folder=network.home.path)
        assert deployed.returncode == 0, deployed.stderr
        yield network


@pytest.fixture
def on_network(run, network):
    return lambda line: run(f"ledger snapshot {line}", network.home.path)


@pytest.fixture
def height(run, network):
    """The number of blocks on Org1's peer."""

    def height():
        shown = run("status", network.home.path).out
        line = next(line for line in shown.splitlines() if "org1" in line)
        return int(line.split("height ")[1].split()[0])

    return height


def folder_of(network, peer="peer0.org1.example.com"):
    return network.home.path / "peers" / peer / "snapshots" / "completed" / "mychannel"


def wait_for(folder):
    while not folder.exists():
        time.sleep(0.02)
    return folder


def test_a_snapshot_of_the_newest_block_is_on_the_peers_disk(on_network, network, height):
    newest = height() - 1
    outcome = on_network("request")
    assert (outcome.status, outcome.out) == (0, "Snapshot request submitted successfully\n")
    folder = wait_for(folder_of(network) / str(newest))
    assert StoredSnapshot.open(folder).last.number == newest
    again = on_network("request")
    assert (again.status, again.out) == (1, "")
    assert again.err == (
        "Error: failed to submit the request: rpc error: code = Unknown desc = "
        f"snapshot already generated for block number {newest}\n"
    )


def test_peers_of_a_channel_make_equal_snapshots(on_network, run, network, height):
    due = height()
    for org in ("Org1", "Org2"):
        assert on_network(f"request --block {due} --org {org} --peer peer0").status == 0
    assert on_network("pending").out == (f"Successfully got pending snapshot requests: [{due}]\n")
    assert run("invoke probe put a b", network.home.path).status == 0
    names = ("peer0.org1.example.com", "peer0.org2.example.com")
    folders = [wait_for(folder_of(network, name) / str(due)) for name in names]
    first, second = (
        json.loads((folder / "_snapshot_additional_metadata.json").read_text())
        for folder in folders
    )
    assert first == second
    # a request is forgotten a moment after its snapshot is there
    while on_network("pending").out != "Successfully got pending snapshot requests: []\n":
        time.sleep(0.02)


def test_a_request_is_withdrawn(on_network):
    assert on_network("request -b 100000").status == 0
    assert on_network("request -b 200000").status == 0
    shown = on_network("pending").out
    assert shown == "Successfully got pending snapshot requests: [100000 200000]\n"
    outcome = on_network("cancel -b 100000")
    assert (outcome.status, outcome.out) == (0, "Snapshot request cancelled successfully\n")
    outcome = on_network("cancel -b 100000")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.endswith("desc = no snapshot request exists for block number 100000\n")
    assert on_network("cancel -b 200000").status == 0


def test_a_peer_that_takes_part_already_does_not_join_again(on_network, network, tmp_path):
    wait_for(folder_of(network))
    (snapshot, *_) = sorted(folder_of(network).iterdir())
    outcome = on_network(f"join {snapshot}")
    assert (outcome.status, outcome.out) == (1, "")
    assert f"could not join a channel from the snapshot at {snapshot}" in outcome.err
    assert "already exists with state [ACTIVE]" in network.errors
    begun = on_network(f"join {snapshot} --no-wait")
    assert begun.out.startswith("The joinbysnapshot operation is in progress.")
    while on_network("status").out != "No joinbysnapshot operation is in progress\n":
        time.sleep(0.02)
    outcome = on_network(f"join {tmp_path}/nothing")
    assert outcome.status == 1
    assert (
        f"cannot create ledger from snapshot {tmp_path}/nothing: error opening dir" in outcome.err
    )
    assert on_network("status").out == "No joinbysnapshot operation is in progress\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("request --peer peer9", "no peer 'peer9'; there is: peer0.org1.example.com"),
        ("request --org Org9", "no organisation 'Org9'"),
        ("request --block -1", "Invalid value for '--block'"),
        ("cancel --block 0", "Invalid value for '--block'"),
        ("cancel", "Missing option '--block'"),
        ("pending --channel nosuch", "no channel 'nosuch'"),
    ],
)
def test_a_mistake_is_told_in_one_line(on_network, line, message):
    outcome = on_network(line)
    assert (outcome.status, outcome.out) == (2, "")
    assert message in outcome.err

"""When snapshots are made: now, at a block to come, after a restart; and what is refused."""

import logging
import threading

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.snapshots import requests
from gridloom.peer.ledger.snapshots.errors import SnapshotFailed, SnapshotRefused
from gridloom.peer.ledger.snapshots.export import snapshot_folder
from gridloom.peer.ledger.sqlite import SqliteStore
from harness.ledger import commit
from harness.snapshots import wait_for_snapshots


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def ledger(store, tmp_path):
    """A ledger of blocks 0 to 5."""
    ledger = Ledger("ch", store, snapshots=tmp_path)
    for _ in range(6):
        commit(ledger, [])
    yield ledger
    ledger.close()


@pytest.fixture
def held(monkeypatch):
    """Snapshots are not written before this event is set."""
    held, real = threading.Event(), requests.write_snapshot

    def wait(root, view):
        assert held.wait(250)
        return real(root, view)

    monkeypatch.setattr(requests, "write_snapshot", wait)
    yield held
    held.set()


def made(tmp_path):
    folder = snapshot_folder(tmp_path, "ch", 0).parent
    return sorted(int(path.name) for path in folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("number", [0, 5])
def test_the_newest_block_is_taken_at_once(ledger, tmp_path, number):
    ledger.request_snapshot(number)
    wait_for_snapshots(ledger)
    assert made(tmp_path) == [5]
    assert ledger.pending_snapshots() == []


def test_a_block_to_come_is_taken_when_it_comes(ledger, tmp_path):
    for number in (8, 7, 2**63):
        ledger.request_snapshot(number)
    assert ledger.pending_snapshots() == [7, 8, 2**63]
    for expected in ([], [7], [7, 8], [7, 8]):
        commit(ledger, [])
        wait_for_snapshots(ledger)
        assert made(tmp_path) == expected
    assert ledger.pending_snapshots() == [2**63]


def test_what_cannot_be_taken_is_refused_in_fabrics_words(ledger):
    ledger.request_snapshot(9)
    for number, words in [
        (4, "requested snapshot for block number 4 cannot be less than the last committed"
            " block number 5"),
        (9, "duplicate snapshot request for block number 9"),
    ]:  # fmt: skip
        with pytest.raises(SnapshotRefused) as refused:
            ledger.request_snapshot(number)
        assert str(refused.value) == words
        assert (refused.value.channel_id, refused.value.number) == ("ch", number)
    assert ledger.pending_snapshots() == [9]


@pytest.mark.parametrize("number", [0, 5])
def test_a_snapshot_is_made_once(ledger, number):
    ledger.request_snapshot(5)
    wait_for_snapshots(ledger)
    with pytest.raises(SnapshotRefused, match=r"^snapshot already generated for block number 5$"):
        ledger.request_snapshot(number)


def test_a_request_can_be_withdrawn_until_it_is_worked_on(ledger, held):
    ledger.request_snapshot(9)
    ledger.cancel_snapshot(9)
    assert ledger.pending_snapshots() == []
    with pytest.raises(SnapshotRefused, match=r"^no snapshot request exists for block number 9$"):
        ledger.cancel_snapshot(9)
    ledger.request_snapshot(0)
    with pytest.raises(SnapshotRefused, match=r"^duplicate snapshot request for block number 5$"):
        ledger.request_snapshot(0)
    under_way = "^cannot cancel the snapshot request because it is under processing$"
    with pytest.raises(SnapshotRefused, match=under_way):
        ledger.cancel_snapshot(5)
    held.set()
    wait_for_snapshots(ledger)
    with pytest.raises(SnapshotRefused, match="no snapshot request exists"):
        ledger.cancel_snapshot(5)


def test_blocks_are_committed_while_a_snapshot_is_made(ledger, held, tmp_path):
    ledger.request_snapshot(0)
    ledger.request_snapshot(6)
    for _ in range(3):
        commit(ledger, [])
    assert ledger.height == 9
    assert ledger.pending_snapshots() == [5, 6]
    held.set()
    wait_for_snapshots(ledger)
    assert made(tmp_path) == [5, 6]


def test_closing_finishes_what_is_being_made(ledger, held, tmp_path):
    ledger.request_snapshot(0)
    threading.Timer(0.05, held.set).start()
    ledger.close()
    assert made(tmp_path) == [5]


def test_a_request_survives_a_restart(tmp_path):
    def opened():
        return Ledger("ch", SqliteStore(tmp_path / "ledger.db"), snapshots=tmp_path)

    ledger = opened()
    commit(ledger, [])
    ledger.request_snapshot(2)
    ledger.request_snapshot(3)
    ledger.close()
    ledger = opened()
    assert ledger.pending_snapshots() == [2, 3]
    commit(ledger, [])
    commit(ledger, [])
    ledger.close()
    assert made(tmp_path) == [2]
    ledger = opened()
    assert ledger.pending_snapshots() == [3]
    ledger.close()


def test_what_was_due_when_the_peer_was_killed_is_made_when_it_starts(ledger, store, tmp_path):
    store.add_snapshot_request(5)
    again = Ledger("ch", store, snapshots=tmp_path)
    wait_for_snapshots(again)
    assert made(tmp_path) == [5]
    assert store.snapshot_requests() == []
    again.close()


def test_what_was_complete_when_the_peer_was_killed_is_not_made_again(ledger, store, tmp_path):
    ledger.request_snapshot(0)
    wait_for_snapshots(ledger)
    store.add_snapshot_request(5)
    again = Ledger("ch", store, snapshots=tmp_path)
    assert again.pending_snapshots() == store.snapshot_requests() == []
    again.close()


def test_what_can_no_longer_be_made_is_said_and_forgotten(ledger, store, tmp_path, caplog):
    store.add_snapshot_request(3)
    again = Ledger("ch", store, snapshots=tmp_path)
    assert again.pending_snapshots() == store.snapshot_requests() == []
    assert "the snapshot of block 3 was not complete when this peer stopped" in caplog.text
    assert made(tmp_path) == []
    again.close()


@pytest.mark.parametrize("error", [SnapshotFailed("there", "disk full"), ZeroDivisionError("oh")])
def test_a_failure_is_said_and_the_request_is_gone(ledger, monkeypatch, caplog, error):
    def fail(root, view):
        raise error

    monkeypatch.setattr(requests, "write_snapshot", fail)
    ledger.request_snapshot(0)
    ledger._snapshots.close()
    assert ledger.pending_snapshots() == []
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "channel ch: the snapshot of block 5 failed" in record.message
    assert bool(record.exc_info) == isinstance(error, ZeroDivisionError)


def test_a_store_that_gives_no_snapshot_does_not_stop_the_commit(ledger, store, monkeypatch):
    ledger.request_snapshot(6)
    real = store.snapshot

    def fail_after_the_block():
        if store.height == 7:
            raise StoreFailed("db", "too many connections")
        return real()

    monkeypatch.setattr(store, "snapshot", fail_after_the_block)
    assert commit(ledger, []).number == 6
    assert ledger.height == 7
    assert ledger.pending_snapshots() == []


def test_a_peer_without_a_folder_makes_none(store):
    ledger = Ledger("ch", store)
    commit(ledger, [])
    for call in (ledger.request_snapshot, ledger.cancel_snapshot):
        with pytest.raises(SnapshotRefused, match="no folder for snapshots"):
            call(0)
    assert ledger.pending_snapshots() == []

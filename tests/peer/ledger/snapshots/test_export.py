"""Writing snapshots: the real peer's files, from one moment, all at once or not at all."""

import os
import threading

import pytest

from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.snapshots import export
from gridloom.peer.ledger.snapshots.errors import SnapshotFailed
from gridloom.peer.ledger.snapshots.export import LedgerView, snapshot_folder, write_snapshot
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.ledger.state_database import StateDatabase
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.store import LastBlock
from gridloom.peer.ledger.update_batch import UpdateBatch
from harness.golden_channel import CHANNEL, GoldenPeer
from harness.ledger import commit, endorsed, golden_block, simulate, write
from harness.snapshots import contents, golden_snapshot, take_snapshot, wait_for_snapshots
from harness.store_conformance import record


@pytest.mark.parametrize("storage", ["memory", "disk"])
async def test_our_own_replay_leaves_the_real_peers_files(tmp_path, storage):
    place = "memory" if storage == "memory" else tmp_path / "ledgers"
    peer = GoldenPeer(place, tmp_path / "snapshots")
    await peer.commit_up_to(66)
    folder = take_snapshot(peer.channel.ledger, tmp_path / "snapshots")
    assert contents(folder) == contents(golden_snapshot())
    assert folder == tmp_path / "snapshots" / "completed" / "golden1" / "65"
    await peer.close()


async def test_a_snapshot_is_of_its_block_while_others_are_committed(tmp_path, monkeypatch, taken):
    held, real = threading.Event(), export._write_files

    def wait(folder, view):
        assert held.wait(250)
        real(folder, view)

    monkeypatch.setattr(export, "_write_files", wait)
    for storage in ("memory", tmp_path / "ledgers"):
        held.clear()
        peer = GoldenPeer(storage, tmp_path / f"of {str(storage)[-3:]}")
        ledger = peer.channel.ledger
        for number in (3, 30):
            ledger.request_snapshot(number)
        await peer.commit_up_to(66)
        assert ledger.pending_snapshots() == [3, 30]
        held.set()
        wait_for_snapshots(ledger)
        for number in (3, 30):
            folder = snapshot_folder(tmp_path / f"of {str(storage)[-3:]}", CHANNEL, number)
            assert contents(folder) == contents(taken[number])
        await peer.close()


def test_private_cleartext_stays_out_and_hashes_are_in(taken):
    snapshot = StoredSnapshot.open(taken[65])
    namespaces = {namespace for namespace, _, _ in snapshot.bootstrap(lambda _: False).state}
    assert "gold$$hcollBoth" in namespaces
    assert not any("$$p" in namespace for namespace in namespaces)


def small_view(store, channel_id="ch"):
    ledger = Ledger(channel_id, store)
    commit(ledger, [])
    write(ledger, ("k", b"1"), ("", b"2"))
    last = LastBlock(1, ledger.last_hash, bytes(32), ledger.commit_hash)
    return LedgerView(channel_id, last, store.snapshot(), lambda: store.tx_ids(2), lambda: ())


def test_lists_without_entries_have_no_files(tmp_path):
    view = small_view(MemoryStore())
    folder = write_snapshot(tmp_path, view)
    assert sorted(contents(folder)) == [
        "_snapshot_additional_metadata.json",
        "_snapshot_signable_metadata.json",
        "public_state.data",
        "public_state.metadata",
        "txids.data",
        "txids.metadata",
    ]
    assert not list((tmp_path / "temp").iterdir())
    entries = list(StoredSnapshot.open(folder)._state("public_state"))
    assert [(ns, key, entry.value) for ns, key, entry in entries] == [
        ("cc", b"", b"2"),
        ("cc", b"k", b"1"),
    ]
    assert entries[0][2].version == Version(1, 0)


def test_ids_come_by_length_and_then_in_byte_order_each_once(tmp_path):
    ledger = Ledger("ch", MemoryStore(), snapshots=tmp_path)
    commit(ledger, [])
    results = simulate(ledger, lambda s: s.set_state("cc", "k", b"v")).public
    ids = ["b", "aa", "a", "é", "a", "zzz", "~"]
    for tx_id in ids:
        commit(ledger, [endorsed(results, tx_id)])
    snapshot = StoredSnapshot.open(take_snapshot(ledger, tmp_path))
    assert list(snapshot.bootstrap(lambda _: False).tx_ids) == ["a", "b", "~", "aa", "é", "zzz"]
    ledger.close()


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    view = small_view(MemoryStore())
    for name in ("_publish", "write_tx_ids", "write_state", "_write_synced"):
        with monkeypatch.context() as patch:
            patch.setattr(export, name, full)
            with pytest.raises(SnapshotFailed, match="No space left on device"):
                write_snapshot(tmp_path, view)
        assert not list((tmp_path / "temp").iterdir())
        assert not snapshot_folder(tmp_path, "ch", 1).exists()
    assert write_snapshot(tmp_path, view).exists()


def test_a_snapshot_is_never_replaced(tmp_path):
    view = small_view(MemoryStore())
    before = contents(write_snapshot(tmp_path, view))
    with pytest.raises(SnapshotFailed, match="not empty"):
        write_snapshot(tmp_path, view)
    assert contents(snapshot_folder(tmp_path, "ch", 1)) == before
    assert not list((tmp_path / "temp").iterdir())


def test_everything_is_synced_before_it_is_published(tmp_path, monkeypatch):
    steps = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (steps.append("sync"), fsync(fd)))
    monkeypatch.setattr(os, "rename", lambda a, b: (steps.append("rename"), rename(a, b)))
    write_snapshot(tmp_path, small_view(MemoryStore()))
    # six files, their folder, the folder of channels; then the name itself
    assert steps == ["sync"] * 8 + ["rename", "sync"]


def test_golden_blocks_hold_what_the_snapshot_speaks_of(taken):
    last = StoredSnapshot.open(taken[3]).last
    assert last.previous_hash == golden_block(3).header.previous_hash
    assert golden_block(4).header.previous_hash == last.block_hash


def test_a_state_by_couchdbs_rules_says_so_and_has_its_order_of_hashes(tmp_path):
    store = MemoryStore(StateDatabase.COUCHDB)
    keys = [bytes([first]) * 32 for first in (0, 100, 200, 252)]  # base64: A, Z, y, /
    batch = UpdateBatch()
    for key in keys:
        batch.put("cc", "coll", key, VersionedValue(b"v" * 32, Version(0, 0)))
    batch.put("cc", "", b"k", VersionedValue(b"1", Version(0, 0)))
    store.commit(record(0, batch=batch))
    last = LastBlock(0, bytes(32), b"", b"")
    state = store.snapshot()
    view = LedgerView("ch", last, state, tuple, tuple, store.state_database)
    snapshot = StoredSnapshot.open(write_snapshot(tmp_path, view))
    assert snapshot.metadata.state_db_type == "CouchDB"
    found = [key for _, key, _ in snapshot.bootstrap(lambda _: False).state]
    assert found == [b"k", keys[3], keys[0], keys[1], keys[2]]
    state.close()

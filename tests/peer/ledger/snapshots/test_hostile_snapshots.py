"""Snapshots that no ledger begins with: torn, incomplete, of another channel, hostile."""

import pytest

from gridloom.common.errors import GridloomError
from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.snapshots.errors import HashMismatch, SnapshotDamaged, SnapshotError
from gridloom.peer.ledger.snapshots.stored_snapshot import StoredSnapshot
from gridloom.peer.ledger.state_db import Version
from gridloom.peer.validation.message_validation import read_committed
from harness.ledger import golden_block
from harness.snapshots import (
    chunks,
    copied,
    counted,
    forged,
    golden_snapshot,
    history_key,
    state_entry,
)

FILES = sorted(path.name for path in golden_snapshot().iterdir() if path.name[0] != "_")


def refuse(provider, folder, error=SnapshotError, match=None):
    """Neither opened nor joined, and nothing is left."""
    with pytest.raises(error, match=match):
        provider.create_from_snapshot(StoredSnapshot.open(folder))
    assert provider.list() == []
    assert [path for path in folder.parent.rglob("*") if path.name == "golden1"] == []


@pytest.mark.parametrize("name", FILES)
def test_a_changed_torn_or_missing_file_is_told_by_its_name(provider, tmp_path, name):
    folder = copied(golden_snapshot(), tmp_path / "torn")
    data = (folder / name).read_bytes()
    for wrong in (data[:-1], data + b"x", bytes([data[0], data[1] ^ 1]) + data[2:], b""):
        (folder / name).write_bytes(wrong)
        refuse(provider, folder, HashMismatch, rf"^hash mismatch for file \[{name}\]. Expected")
    (folder / name).unlink()
    refuse(provider, folder, SnapshotDamaged, f"{name}: No such file or directory")


def test_a_missing_folder_is_told(provider, tmp_path):
    refuse(provider, tmp_path / "nowhere", SnapshotDamaged, "No such file or directory")


def without(name):
    return lambda document: document["snapshot_files_raw_hashes"].pop(name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_whose_hash_is_not_given_is_not_trusted(provider, tmp_path, name):
    refuse(provider, forged(tmp_path, edit=without(name)), SnapshotDamaged, "_signable_metadata")


def test_pairs_that_are_not_there_are_empty(provider, tmp_path):
    names = [name for name in FILES if not name.startswith("public_state")]
    folder = forged(tmp_path, dict.fromkeys(names))
    ledger = provider.create_from_snapshot(StoredSnapshot.open(folder))
    assert list(ledger.collection_history()) == []
    assert not ledger.has_transaction(read_committed(golden_block(20))[0].tx_id)


def test_further_files_are_held_to_their_hashes(provider, tmp_path):
    folder = forged(tmp_path, {"notes.txt": b"made on Friday"})
    (folder / "notes.txt").write_bytes(b"made on Monday")
    refuse(provider, folder, HashMismatch, "notes.txt")


def test_a_snapshot_of_a_renamed_channel_is_refused(tmp_path):
    def rename(document):
        document["channel_name"] = "other"

    snapshot = StoredSnapshot.open(forged(tmp_path, edit=rename))
    with pytest.raises(SnapshotDamaged, match="the snapshot is of channel 'golden1'"):
        snapshot.config()


def public(*entries, rows=None):
    return {
        "public_state.data": chunks(*entries),
        "public_state.metadata": counted(*(rows or [(b"cc", len(entries))])),
    }


def config_state(value):
    return {
        "public_state.data": chunks(state_entry(b"CHANNEL_CONFIG_ENV_BYTES", value)),
        "public_state.metadata": counted((b"", 1)),
    }


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (config_state(b"\xff"), "public_state.data: config: Error parsing"),
        (
            {
                "public_state.data": chunks(state_entry()),
                "public_state.metadata": counted((b"a", 1)),
            },
            "holds no channel configuration",
        ),
    ],
)
def test_a_snapshot_without_a_configuration_is_refused(tmp_path, files, reason):
    snapshot = StoredSnapshot.open(forged(tmp_path, files))
    with pytest.raises(SnapshotDamaged, match=reason):
        snapshot.config()


def hashes(namespace, count=1):
    return {
        "private_state_hashes.data": chunks(state_entry()),
        "private_state_hashes.metadata": counted((namespace, count)),
    }


HOSTILE = {
    "fewer entries than counted": (public(state_entry(), rows=[(b"cc", 2)]), "unexpected EOF"),
    "more entries than counted": (
        public(state_entry(b"a"), state_entry(b"b"), rows=[(b"cc", 1)]),
        "bytes more than its metadata speak of",
    ),
    "an entry that is no record": (public(b"\x0a\xff"), "snapshot record: a number is cut off"),
    "an entry without a value": (public(state_entry(value=b"")), "key b'k' has no value"),
    "a version after the snapshot": (public(state_entry(version=Version(66, 0))), "after the"),
    "an absurd version": (public(state_entry(version=Version(1, 2**64 - 1))), "after the"),
    "the same key twice": (public(state_entry(), state_entry()), "UNIQUE|twice"),
    "private cleartext": (public(state_entry(), rows=[(b"cc$$pcoll", 1)]), "may not be there"),
    "hashes among public state": (public(state_entry(), rows=[(b"cc$$hcoll", 1)]), "not belong"),
    "public state among hashes": (hashes(b"cc"), "does not belong"),
    "cleartext among hashes": (hashes(b"cc$$hcoll$$p"), "may not be there"),
    "a namespace of nothing": (hashes(b"cc$$hcoll", 0), "may not be there"),
    "a namespace that is no text": (hashes(b"\xff$$hcoll"), "not valid UTF-8"),
    "a thousand million rows": (
        {"public_state.metadata": b"\x01\xff\xff\xff\xff\x0f"},
        "unexpected EOF",
    ),
    "another format": ({"public_state.data": b"\x02"}, "unexpected data format: 2"),
    "an empty id": (
        {"txids.data": chunks(b""), "txids.metadata": b"\x01\x01"},
        "transaction id '' is out of order",
    ),
    "an id that is no text": (
        {"txids.data": chunks(b"\xff"), "txids.metadata": b"\x01\x01"},
        "not valid UTF-8",
    ),
    "the same id twice": (
        {"txids.data": chunks(b"a", b"a"), "txids.metadata": b"\x01\x02"},
        "transaction id 'a' is out of order",
    ),
    "more ids than counted": ({"txids.metadata": b"\x01\x01"}, "bytes more than its metadata"),
    "fewer ids than counted": ({"txids.metadata": b"\x01\xff\xff\x03"}, "unexpected EOF"),
    "a count with something behind": ({"txids.metadata": b"\x01\x4e\x00"}, "1 bytes more"),
    "a definition after the snapshot": (
        {
            "confighistory.data": chunks(history_key("gold", 66), b""),
            "confighistory.metadata": b"\x01\x01",
        },
        "is no key of a collection configuration",
    ),
    "a definition of something else": (
        {"confighistory.data": chunks(b"sxyz", b""), "confighistory.metadata": b"\x01\x01"},
        "is no key of a collection configuration",
    ),
    "a definition that does not parse": (
        {
            "confighistory.data": chunks(history_key("gold", 3), b"\xff"),
            "confighistory.metadata": b"\x01\x01",
        },
        "collection config package: Error parsing",
    ),
    "the same definition twice": (
        {
            "confighistory.data": chunks(*[history_key("gold", 3), b""] * 2),
            "confighistory.metadata": b"\x01\x02",
        },
        "is out of order",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_content_with_right_hashes_leaves_nothing(provider, tmp_path, name):
    files, reason = HOSTILE[name]
    refuse(provider, forged(tmp_path, files), (SnapshotError, StoreFailed), reason)


def test_after_a_failure_the_channel_can_be_joined(provider, tmp_path):
    refuse(provider, forged(tmp_path, public(state_entry(), state_entry())), GridloomError)
    assert provider.create_from_snapshot(StoredSnapshot.open(golden_snapshot())).height == 66

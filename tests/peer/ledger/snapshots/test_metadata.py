"""The JSON files of a snapshot: written as Go writes them, read without trust."""

import json

import pytest

from gridloom.peer.ledger.snapshots.errors import HashMismatch, SnapshotDamaged
from gridloom.peer.ledger.snapshots.metadata import (
    ADDITIONAL_FILE,
    SIGNABLE_FILE,
    SnapshotMetadata,
    read_metadata,
)
from gridloom.peer.ledger.store import LastBlock
from harness.snapshots import copied, forge, golden_snapshot


@pytest.fixture
def folder(tmp_path):
    return copied(golden_snapshot(), tmp_path / "65")


def test_the_real_files_are_written_again_byte_for_byte():
    metadata = read_metadata(golden_snapshot())
    assert metadata.signable() == (golden_snapshot() / SIGNABLE_FILE).read_bytes()
    assert metadata.additional() == (golden_snapshot() / ADDITIONAL_FILE).read_bytes()
    assert (metadata.channel_id, metadata.last.number) == ("golden1", 65)


def test_a_snapshot_of_the_genesis_block_has_no_previous_and_no_commit_hash(tmp_path):
    metadata = SnapshotMetadata("ch", LastBlock(0, bytes(32), b"", b""), {"a.data": bytes(32)})
    (tmp_path / SIGNABLE_FILE).write_bytes(metadata.signable())
    (tmp_path / ADDITIONAL_FILE).write_bytes(metadata.additional())
    assert read_metadata(tmp_path) == metadata


def test_text_is_escaped_as_go_escapes_it():
    metadata = SnapshotMetadata("ch", LastBlock(0, b"", b"", b""), {"<&>\u2028é": b""})
    assert "\\u003c\\u0026\\u003e\\u2028é".encode() in metadata.signable()


def test_a_changed_metadata_file_does_not_have_the_snapshots_hash(folder):
    path = folder / SIGNABLE_FILE
    path.write_bytes(path.read_bytes().replace(b'"golden1"', b'"golden2"'))
    with pytest.raises(HashMismatch) as refused:
        read_metadata(folder)
    assert str(refused.value).startswith(
        "hash mismatch for file [_snapshot_signable_metadata.json]. Expected hash = [6427e3de"
    )


@pytest.mark.parametrize("name", [SIGNABLE_FILE, ADDITIONAL_FILE])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b" " * (1 << 21),
        b"{}",
        b'{"a": NaN}',
    ],
)
def test_what_is_no_metadata_is_refused(folder, name, data):
    (folder / name).write_bytes(data)
    with pytest.raises((SnapshotDamaged, HashMismatch)):
        read_metadata(folder)


def setting(field, value):
    def edit(document):
        document[field] = value

    return edit


HASH = "00" * 32


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (setting("channel_name", "../golden1"), "channel_name: .* illegal characters"),
        (setting("channel_name", ""), "channel_name: .* empty"),
        (setting("channel_name", "x" * 250), "longer than 249"),
        (setting("channel_name", 7), "channel_name is no text"),
        (setting("channel_name", "\ud800"), "channel_name"),
        (setting("last_block_number", -1), "last_block_number is no block number"),
        (setting("last_block_number", 65.0), "last_block_number is no block number"),
        (setting("last_block_number", True), "last_block_number is no block number"),
        (setting("last_block_number", "65"), "last_block_number is no block number"),
        (setting("last_block_number", 2**63), "last_block_number is no block number"),
        (setting("last_block_number", 10**400), "last_block_number is no block number"),
        (setting("last_block_hash", ""), "last_block_hash is no SHA-256 in hex"),
        (setting("last_block_hash", "zz" * 32), "last_block_hash is no SHA-256 in hex"),
        (setting("last_block_hash", HASH + "00"), "last_block_hash is no SHA-256 in hex"),
        (setting("previous_block_hash", ""), "previous_block_hash is no SHA-256"),
        (setting("previous_block_hash", None), "previous_block_hash is no text"),
        (setting("state_db_type", 1), "state_db_type is no text"),
        (setting("snapshot_files_raw_hashes", []), "snapshot_files_raw_hashes is no JSON object"),
        (setting("snapshot_files_raw_hashes", {"../x": HASH}), "no name of a file"),
        (setting("snapshot_files_raw_hashes", {"/etc/passwd": HASH}), "no name of a file"),
        (setting("snapshot_files_raw_hashes", {"..": HASH}), "no name of a file"),
        (setting("snapshot_files_raw_hashes", {"a\x00": HASH}), "no name of a file"),
        (setting("snapshot_files_raw_hashes", {"a": 1}), "hash of a is no SHA-256"),
    ],
)
def test_hostile_fields_are_refused_by_their_name(folder, edit, reason):
    forge(folder, edit=edit)
    with pytest.raises(SnapshotDamaged, match=f"{SIGNABLE_FILE}: .*{reason}"):
        read_metadata(folder)


@pytest.mark.parametrize("value", ["00", "zz" * 32, None, 3])
def test_a_commit_hash_is_a_hash_or_nothing(folder, value):
    forge(folder, additional={"last_block_commit_hash": value})
    with pytest.raises(SnapshotDamaged, match=f"{ADDITIONAL_FILE}: last_block_commit_hash"):
        read_metadata(folder)


def test_fields_of_later_versions_are_passed_over(folder):
    forge(folder, edit=setting("new_field", [1]), additional={"other": None})
    assert read_metadata(folder).channel_id == "golden1"
    assert json.loads((folder / SIGNABLE_FILE).read_text())["new_field"] == [1]

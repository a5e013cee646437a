"""Checkpoints: what is recorded, and the file the official SDKs share."""

import json

import pytest

from gridloom.client import ChaincodeEvent, FileCheckpointer, InMemoryCheckpointer
from gridloom.client.checkpointers import CheckpointError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint.json"


@pytest.fixture(params=["memory", "file"])
def checkpointer(request, path):
    return InMemoryCheckpointer() if request.param == "memory" else FileCheckpointer(path)


def state(checkpointer):
    return checkpointer.block_number, checkpointer.transaction_id


def test_nothing_is_recorded_at_first(checkpointer):
    assert state(checkpointer) == (None, "")


def test_a_whole_block_makes_the_next_one_the_start(checkpointer):
    checkpointer.checkpoint_transaction(7, "tx")
    checkpointer.checkpoint_block(7)
    assert state(checkpointer) == (8, "")


def test_a_transaction_stays_in_its_block(checkpointer):
    checkpointer.checkpoint_block(6)
    checkpointer.checkpoint_transaction(7, "tx")
    assert state(checkpointer) == (7, "tx")


def test_an_event_is_recorded_by_its_transaction(checkpointer):
    checkpointer.checkpoint_chaincode_event(ChaincodeEvent(9, "tx", "basic", "Created", b""))
    assert state(checkpointer) == (9, "tx")


@pytest.mark.parametrize(
    "record", [lambda c: c.checkpoint_block(0), lambda c: c.checkpoint_transaction(0, "tx")]
)
def test_a_file_is_read_again_as_it_was_left(path, record):
    first = FileCheckpointer(path)
    record(first)
    assert state(FileCheckpointer(path)) == state(first)
    assert not list(path.parent.glob("*.new"))


def test_a_file_is_written_at_once_so_that_a_wrong_path_is_noticed(path):
    FileCheckpointer(path)
    assert json.loads(path.read_text()) == {}
    with pytest.raises(FileNotFoundError):
        FileCheckpointer(path.parent / "nosuch" / "checkpoint.json")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (None, "")),
        ("{}", (None, "")),
        ('{"blockNumber": 5, "transactionId": "tx"}', (5, "tx")),  # Go
        ('{"blockNumber": 0, "transactionId": ""}', (None, "")),  # Go, before anything
        ('{"blockNumber": 0, "transactionId": "tx"}', (0, "tx")),
        ('{"blockNumber": "18446744073709551615"}', (2**64 - 1, "")),  # Node
    ],
)
def test_files_of_the_official_sdks_are_read(path, text, expected):
    path.write_text(text)
    assert state(FileCheckpointer(path)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "[" * 5000,
        '{"blockNumber": "five"}',
        '{"blockNumber": -1}',
        '{"blockNumber": [5]}',
        '{"blockNumber": Infinity}',
        '{"blockNumber": 18446744073709551616}',
    ],
)
def test_a_file_that_is_no_checkpoint_is_named_and_kept(path, text):
    path.write_text(text)
    with pytest.raises(CheckpointError) as caught:
        FileCheckpointer(path)
    assert caught.value.path == path
    assert path.read_text() == text


def test_bytes_that_are_no_text_are_no_checkpoint(path):
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CheckpointError):
        FileCheckpointer(path)

"""Telling what a file of the channel configuration holds."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import GridloomError
from gridloom.common.protolator import UnknownKind, kind_named, recognise, recognise_json
from gridloom.common.protolator.kinds import KINDS
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config, ConfigUpdate
from gridloom.protos.peer.transaction_pb2 import Transaction
from harness.shared import shared

STAGES = {
    "config": Config,
    "modified_config": Config,
    "config_block": Block,
    "config_update": ConfigUpdate,
    "config_update_in_envelope": Envelope,
}


@pytest.mark.parametrize("name", STAGES)
def test_the_stages_of_an_update_are_told_apart(name):
    folder = shared("golden", "config")
    assert type(recognise((folder / f"{name}.pb").read_bytes())) is STAGES[name]
    assert recognise_json(json.loads((folder / f"{name}.json").read_text())) is STAGES[name]


def test_every_block_is_known_for_one():
    for path in sorted(shared("golden", "blocks", "orderer").glob("*.pb")):
        assert type(recognise(path.read_bytes())) is Block, path


@pytest.mark.parametrize("data", [b"", b"\xff", b'{"payload": {}}', b"hello"])
def test_what_is_none_of_them_is_an_error(data):
    with pytest.raises(UnknownKind, match="name one of block, config"):
        recognise(data)


@pytest.mark.parametrize("tree", [None, [], {}, 7, {"payload": {}, "extra": 1}])
def test_json_that_is_none_of_them_is_an_error(tree):
    with pytest.raises(UnknownKind):
        recognise_json(tree)


def test_kinds_have_short_names_and_all_messages_full_ones():
    assert kind_named("block") is KINDS["block"] is Block
    assert kind_named("common.Block") is Block
    assert kind_named("protos.Transaction") is Transaction
    for name in ("Block", "common.Nothing", "os.path", "../x", "common."):
        with pytest.raises(UnknownKind):
            kind_named(name)


@given(st.binary(max_size=60))
def test_garbage_is_an_error_or_a_message_never_a_crash(data):
    with suppress(GridloomError):
        recognise(data)

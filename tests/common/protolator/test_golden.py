"""Gridloom's JSON against that of a real network's ``configtxlator``."""

import json

import pytest
from google.protobuf.message import Message

from gridloom.common.protolator import Json, assign, decode, encode, render
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config, ConfigUpdate
from harness.shared import shared

STAGES: dict[str, type[Message]] = {
    "config": Config,
    "modified_config": Config,
    "config_update": ConfigUpdate,
    "config_block": Block,
}
"""The stages of a config update that exist as message and as JSON."""


def golden_block(number: int) -> Block:
    return Block.FromString(shared("golden", "blocks", "peer", f"{number:03}.pb").read_bytes())


def stage(name: str) -> tuple[bytes, Json]:
    folder = shared("golden", "config")
    return (folder / f"{name}.pb").read_bytes(), json.loads((folder / f"{name}.json").read_text())


@pytest.mark.parametrize("number", range(66))
def test_a_block_becomes_the_text_that_configtxlator_writes(number):
    text = shared("golden", "blocks", "json", f"{number:03}.json").read_text()
    assert render(decode(golden_block(number))) == text


@pytest.mark.parametrize("number", range(66))
def test_a_block_comes_back_from_its_text(number):
    text = shared("golden", "blocks", "json", f"{number:03}.json").read_text()
    block = encode(Block, json.loads(text))
    assert render(decode(block)) == text
    if number not in (0, 50):  # Go wrote the maps of a configuration in an order of its own
        assert block == golden_block(number)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_of_a_config_update_is_the_same_as_message_and_as_json(name):
    data, tree = stage(name)
    assert decode(STAGES[name].FromString(data)) == tree
    assert decode(encode(STAGES[name], tree)) == tree


def test_an_update_is_encoded_byte_for_byte():
    data, tree = stage("config_update")
    assert encode(ConfigUpdate, tree).SerializeToString(deterministic=True) == data


def test_an_envelope_written_by_hand_is_encoded_byte_for_byte():
    data, tree = stage("config_update_in_envelope")
    assert encode(Envelope, tree).SerializeToString(deterministic=True) == data


def test_the_modified_configuration_is_one_assignment_away():
    _, tree = stage("config")
    assign(tree, "channel_group.groups.Orderer.values.BatchTimeout.value.timeout", "1s")
    assert tree == stage("modified_config")[1]

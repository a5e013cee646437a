"""What administrators hand in: forms, blocks and updates over HTTP, messages as JSON, paths."""

from __future__ import annotations

import json
import logging

import pytest

from gridloom.client.admin.config_update import check_signatures, signers_of
from gridloom.common.channel import changes
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.multipart import Part, read_form, write_form
from gridloom.common.protolator import (
    assign,
    decode,
    encode,
    kind_named,
    recognise,
    recognise_json,
)
from gridloom.common.wire import parse
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.node import Orderer
from gridloom.orderer.participation import participation
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config
from harness.fuzz import fuzz, fuzz_async, fuzz_text
from harness.ordering import change_orderer, genesis, orderer_signer, set_timeout
from harness.shared import shared
from harness.web import Direct

CHANNELS = "/participation/v1/channels"
SMALL = 5_000
"""Inputs of a target whose seeds are large, or that is slow: others mutate the same parts."""


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.CRITICAL, logger="gridloom")


def golden(name: str) -> bytes:
    return shared("golden", "config", name).read_bytes()


def test_forms():
    content_type, body = write_form([Part("config-block", "config.block", b"\x0a\x00\r\n--x")])
    fuzz(lambda data: read_form(content_type, data), [body])
    fuzz_text(lambda text: read_form(text, body), [content_type])


def test_messages_as_json():
    update = golden("config_update_in_envelope.pb")
    fuzz(lambda data: decode(parse(Envelope, data)), [update])
    blocks = [shared("golden", "blocks", "peer", f"{n:03}.pb").read_bytes() for n in (3, 12, 50)]
    fuzz(lambda data: decode(parse(Block, data)), blocks, inputs=SMALL * 2)
    fuzz(recognise, [update, golden("config_update.pb")], inputs=SMALL * 2)


def test_json_as_messages():
    def read(text: str) -> None:
        tree = json.loads(text)
        encode(recognise_json(tree), tree)

    texts = [
        golden(name).decode() for name in ("config_update.json", "config_update_in_envelope.json")
    ]
    fuzz_text(read, texts, refusals=(ValueError, RecursionError))  # of json.loads
    fuzz_text(lambda name: encode(kind_named(name), {}), ["common.Config", "block"], inputs=SMALL)


def test_paths():
    tree = {"groups": {"a.b": [{"port": 1}]}}
    fuzz_text(lambda path: assign(tree, path, 1), ['$.groups["a.b"][0].port', ".groups.x"])


def test_updates_that_were_sent_around():
    bundle = ChannelBundle.from_config_block(genesis())
    update = change_orderer(genesis(), set_timeout("1s"), admins=("Org1MSP", "OrdererMSP"))

    def read(data: bytes) -> None:
        envelope = parse(Envelope, data)
        signers_of(envelope)
        check_signatures(envelope, bundle)

    fuzz(read, [update.SerializeToString()])


def test_revocation_lists_and_organizations_in_a_configuration():
    def read(data: bytes) -> None:
        config = parse(Config, data)
        changes.add_revocations(config, "Org1MSP", [b"list"])
        changes.set_acls(config, {"peer/Propose": "Admins"})
        changes.set_batch(config, changes.BatchChange(max_message_count=1))

    fuzz(read, [golden("config.pb")], inputs=SMALL)


async def test_blocks_to_join_with_and_updates_over_http():
    orderer = Orderer(orderer_signer(), "OrdererMSP", MemoryStorage(), cutting=CuttingMode.IDLE)
    web = Direct(participation(orderer.registrar))

    async def hand_in(method: str, name: str, data: bytes) -> None:
        content_type, body = write_form([Part(name, "file", data)])
        answer = await web(method, CHANNELS, body, {"Content-Type": content_type})
        assert answer.status in {201, 400, 403, 405}, answer

    block = genesis()
    await fuzz_async(
        lambda data: hand_in("POST", "config-block", data),
        [block.SerializeToString()],
        inputs=SMALL,
    )
    update = change_orderer(block, set_timeout("1s")).SerializeToString()
    await fuzz_async(
        lambda data: hand_in("PUT", "config-update-envelope", data), [update], inputs=SMALL
    )
    await orderer.stop()

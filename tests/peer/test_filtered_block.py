"""Filtered blocks against those a real peer delivered, and blocks that have none."""

import json

import pytest
from google.protobuf.json_format import MessageToDict

from gridloom.common.errors import MalformedMessage
from gridloom.peer.filtered_block import filtered_block
from gridloom.protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    Block,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
)
from harness.golden_channel import BLOCKS, peer_block
from harness.shared import shared


def golden() -> list[dict]:
    return json.loads(shared("golden", "filtered_per_block.json").read_text())


@pytest.mark.parametrize("number", range(BLOCKS))
def test_a_real_block_has_the_real_short_form(number):
    assert MessageToDict(filtered_block(peer_block(number))) == golden()[number]["filtered"]


def test_no_event_payload_leaves_the_peer():
    events = [
        action.chaincode_event
        for number in range(BLOCKS)
        for transaction in filtered_block(peer_block(number)).filtered_transactions
        for action in transaction.transaction_actions.chaincode_actions
    ]
    assert events
    assert all(event.event_name and not event.payload for event in events)


def block(*entries: bytes) -> Block:
    made = Block()
    made.data.data.extend(entries)
    return made


def envelope(data: bytes = b"", header_type: int = ENDORSER_TRANSACTION) -> bytes:
    channel_header = ChannelHeader(type=header_type, channel_id="c", tx_id="t")
    header = Header(channel_header=channel_header.SerializeToString())
    return Envelope(
        payload=Payload(header=header, data=data).SerializeToString()
    ).SerializeToString()


def test_entries_without_envelope_or_header_are_left_out():
    headless = Envelope(payload=Payload(data=b"x").SerializeToString()).SerializeToString()
    filtered = filtered_block(block(b"\xff", headless, envelope()))
    assert [transaction.txid for transaction in filtered.filtered_transactions] == ["t"]


@pytest.mark.parametrize(
    "entry", [Envelope(payload=b"\xff").SerializeToString(), envelope(b"\xff")], ids=str
)
def test_an_undecodable_payload_or_transaction_leaves_no_short_form(entry):
    with pytest.raises(MalformedMessage):
        filtered_block(block(entry))


def test_unknown_header_types_are_passed_on_as_numbers():
    (transaction,) = filtered_block(block(envelope(b"\xff", 77))).filtered_transactions
    assert transaction.type == 77

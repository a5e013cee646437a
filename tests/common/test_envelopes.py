"""Envelopes, against what a real Fabric network signed and hashed."""

import json
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from gridloom.common import envelopes
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2
from gridloom.protos.peer import proposal_pb2, proposal_response_pb2, transaction_pb2
from harness.shared import shared

INDEX = json.loads(shared("golden", "index.json").read_text())
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


class Ada:
    serialized = b"Ada's identity"

    def sign(self, message: bytes) -> bytes:
        return b"signed by Ada: " + sha256(message).digest()


def golden_transactions() -> list[tuple[dict, common_pb2.Envelope]]:
    found = []
    for entry in INDEX["blocks"]:
        block = parse(common_pb2.Block, shared("golden", entry["file"]).read_bytes(), "block")
        for transaction in entry["transactions"]:
            raw = block.data.data[transaction["index"]]
            assert sha256(raw).hexdigest() == transaction["envelope_sha256"]
            found.append((transaction, parse(common_pb2.Envelope, raw, "envelope")))
    return found


def test_transaction_ids_of_real_transactions_are_recomputed() -> None:
    checked = 0
    for transaction, envelope in golden_transactions():
        if transaction["type"] != common_pb2.ENDORSER_TRANSACTION:
            continue
        opened = envelopes.open_envelope(envelope)
        header = opened.signature_header
        computed = envelopes.transaction_id(header.nonce, header.creator)
        wrong_id = transaction["validation_name"] == "BAD_PROPOSAL_TXID"
        assert (computed == opened.channel_header.tx_id) == (not wrong_id)
        checked += 1
    assert checked > 50


def test_proposal_hashes_of_real_transactions_are_recomputed() -> None:
    checked = 0
    for transaction, envelope in golden_transactions():
        if "proposal_hash" not in transaction or transaction["validation_code"] != 0:
            continue
        opened = envelopes.open_envelope(envelope)
        action = parse(transaction_pb2.Transaction, opened.payload.data, "transaction").actions[0]
        payload = parse(transaction_pb2.ChaincodeActionPayload, action.payload, "action payload")
        endorsed = parse(
            proposal_response_pb2.ProposalResponsePayload,
            payload.action.proposal_response_payload,
            "response payload",
        )
        computed = envelopes.proposal_hash(
            opened.payload.header.channel_header, action.header, payload.chaincode_proposal_payload
        )
        assert computed == endorsed.proposal_hash
        assert computed.hex() == transaction["proposal_hash"]
        checked += 1
    assert checked > 30


def test_transient_data_is_dropped_before_hashing() -> None:
    full = proposal_pb2.ChaincodeProposalPayload(input=b"input", TransientMap={"secret": b"x"})
    bare = proposal_pb2.ChaincodeProposalPayload(input=b"input").SerializeToString()
    assert envelopes.without_transient(full.SerializeToString()) == bare
    assert envelopes.without_transient(bare) == bare


def test_a_signed_envelope_opens_to_what_was_put_in() -> None:
    envelope = envelopes.signed_envelope(
        common_pb2.CONFIG_UPDATE,
        "mychannel",
        b"the data",
        Ada(),
        lambda: NOON,
        b"nonce",
        tls_cert_hash=b"tls",
        epoch=3,
        extension=b"ext",
    )
    opened = envelopes.open_envelope(envelope)
    header = opened.channel_header
    assert (header.type, header.channel_id, header.tx_id) == (2, "mychannel", "")
    assert (header.epoch, header.extension, header.tls_cert_hash) == (3, b"ext", b"tls")
    assert header.timestamp.ToDatetime(UTC) == NOON.replace(microsecond=0)
    assert opened.signature_header.nonce == b"nonce"
    assert opened.payload.data == b"the data"
    assert opened.signed_data.data == envelope.payload
    assert opened.signed_data.identity == Ada.serialized
    assert opened.signed_data.signature == Ada().sign(envelope.payload)
    assert envelopes.signed_data(envelope) == opened.signed_data


def test_a_seek_envelope_is_the_one_a_real_client_sent() -> None:
    name = "79-deliver-orderer-AtomicBroadcast_Deliver.req.pb"
    real = parse(common_pb2.Envelope, shared("golden", "wire", name).read_bytes(), "envelope")
    opened = envelopes.open_envelope(real)
    seek = parse(ab_pb2.SeekInfo, opened.payload.data, "seek info")
    moment = opened.channel_header.timestamp.ToDatetime(UTC)

    class Client:
        serialized = opened.signature_header.creator

        def sign(self, message: bytes) -> bytes:
            return real.signature

    ours = envelopes.seek_envelope(
        opened.channel_header.channel_id,
        envelopes.block_position(seek.start.specified.number),
        envelopes.block_position(seek.stop.specified.number),
        seek.behavior,
        Client(),
        lambda: moment,
        opened.signature_header.nonce,
    )
    assert ours == real


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff", "payload"),
        (b"", "header not set"),
        (common_pb2.Payload(data=b"x").SerializeToString(), "header not set"),
        (
            common_pb2.Payload(
                header=common_pb2.Header(channel_header=b"\x0a\x05")
            ).SerializeToString(),
            "channel header",
        ),
        (
            common_pb2.Payload(
                header=common_pb2.Header(signature_header=b"\x0a\x05")
            ).SerializeToString(),
            "signature header",
        ),
    ],
)
def test_a_malformed_envelope_is_an_error_that_names_the_broken_part(payload, reason) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        envelopes.open_envelope(common_pb2.Envelope(payload=payload, signature=b"s"))


def test_an_absent_channel_header_is_told_from_an_empty_one() -> None:
    header = common_pb2.Header(signature_header=b"")
    payload = common_pb2.Payload(header=header).SerializeToString()
    with pytest.raises(MalformedMessage, match="channel header not set"):
        envelopes.open_channel_header(common_pb2.Envelope(payload=payload))

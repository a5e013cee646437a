"""Which blocks a peer believes; each fault on its own, on a real orderer's block."""

import pytest

from gridloom.common import blocks
from gridloom.common.block_acceptance import accept_block
from gridloom.common.blocks import BlockError
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.protos.common.common_pb2 import Block, Envelope
from harness.consortium import consortium
from harness.golden_channel import ordered_block

BUNDLE = ChannelBundle.from_config_block(ordered_block(0))
PREVIOUS = blocks.header_hash(ordered_block(7).header)


def block_8() -> Block:
    block = Block()
    block.CopyFrom(ordered_block(8))
    return block


def accept(block: Block, bundle: ChannelBundle = BUNDLE, previous: bytes = PREVIOUS) -> None:
    accept_block(block, 8, previous, bundle)


def refused(block: Block) -> str:
    with pytest.raises(BlockError) as error:
        accept(block)
    return error.value.reason


def rehashed(block: Block) -> Block:
    block.header.data_hash = blocks.data_hash(block.data.data)
    return block


def _payload_last(entry: bytes) -> bytes:
    envelope = Envelope.FromString(entry)
    payload = Envelope(payload=envelope.payload).SerializeToString()
    return Envelope(signature=envelope.signature).SerializeToString() + payload


def test_the_next_block_of_the_chain_is_accepted():
    accept(block_8())


def test_a_block_without_header_is_refused():
    block = block_8()
    block.ClearField("header")
    assert refused(block) == "it has no header"


def test_another_number_is_refused():
    block = block_8()
    block.header.number = 9
    assert "got number 9" in refused(block)


def test_a_block_of_another_channel_is_refused():
    with pytest.raises(BlockError, match=r"channel \[golden1\] instead of \[mychannel\]"):
        accept(block_8(), consortium().bundle())


@pytest.mark.parametrize("entry", [b"", b"\xff", Envelope(payload=b"\xff").SerializeToString()])
def test_a_first_entry_that_names_no_channel_is_refused(entry):
    block = block_8()
    block.data.data[0] = entry
    assert refused(block)


def test_an_empty_block_is_refused():
    block = block_8()
    del block.data.data[:]
    assert refused(rehashed(block))


def test_a_block_without_metadata_is_refused():
    block = block_8()
    block.ClearField("metadata")
    assert refused(block) == "it has no metadata"


def test_changed_data_is_refused_by_its_hash():
    block = block_8()
    block.data.data.append(block.data.data[0])
    assert "data hash" in refused(block)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda entry: entry + b"\x00", "is invalid"),
        (lambda _: Envelope(payload=b"x").SerializeToString(), "no signature"),
        (lambda _: Envelope(signature=b"x").SerializeToString(), "no payload"),
        (_payload_last, "raw form"),
    ],
    ids=["trailing byte", "no signature", "no payload", "fields swapped"],
)
def test_entries_that_are_not_canonical_envelopes_are_refused(spoil, reason):
    block = block_8()
    block.data.data[1] = spoil(block.data.data[1])
    with pytest.raises(BlockError, match=reason):
        accept(rehashed(block))


def test_a_header_nobody_signed_is_refused():
    block = block_8()
    block.data.data.pop()
    assert "signatures are refused" in refused(rehashed(block))


@pytest.mark.parametrize("slot", [b"", b"\xff", b"\x0a\x00"])
def test_missing_and_broken_signatures_are_refused(slot):
    block = block_8()
    block.metadata.metadata[0] = slot
    assert "signatures are refused" in refused(block)


def test_a_signature_by_somebody_else_is_refused():
    block = block_8()
    blocks.sign_block(block, consortium().orderer(), b"nonce", 0)
    assert "signatures are refused" in refused(block)


def test_a_gap_in_the_chain_is_refused():
    with pytest.raises(BlockError, match="previous hash"):
        accept(block_8(), previous=b"\x00" * 32)

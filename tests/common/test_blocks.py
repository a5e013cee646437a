"""Blocks, against the blocks of a real Fabric network, byte for byte."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common import blocks
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import MalformedMessage
from gridloom.common.policies.policy import PolicyNotSatisfied, SignedData
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from harness.ordering import genesis, orderer_signer, user
from harness.shared import shared

INDEX = json.loads(shared("golden", "index.json").read_text())["blocks"]


def golden(number: int, node: str = "orderer") -> common_pb2.Block:
    data = shared("golden", "blocks", node, f"{number:03}.pb").read_bytes()
    return parse(common_pb2.Block, data, "block")


@pytest.mark.parametrize("entry", INDEX, ids=lambda entry: str(entry["number"]))
@pytest.mark.parametrize("node", ["orderer", "peer"])
def test_hashes_and_metadata_of_real_blocks_are_read(entry, node) -> None:
    block = golden(entry["number"], node)
    assert blocks.header_hash(block.header).hex() == entry["header_hash"]
    assert blocks.data_hash(block.data.data).hex() == entry["data_hash"]
    assert block.header.previous_hash.hex() == entry["previous_hash"]
    assert blocks.last_config_index(block) == entry["last_config"]
    assert blocks.channel_id(block) == "golden1"
    types = [transaction["type"] for transaction in entry["transactions"]]
    assert blocks.is_config_block(block) == (types == [common_pb2.CONFIG])
    blocks.check_data(block)
    from_peer = node == "peer"
    codes = [transaction["validation_code"] for transaction in entry["transactions"]]
    assert list(blocks.transactions_filter(block)) == (codes if from_peer else [])
    assert blocks.commit_hash(block).hex() == (entry.get("commit_hash", "") if from_peer else "")


def test_the_real_orderers_signatures_satisfy_the_channels_policy() -> None:
    bundle = ChannelBundle.from_config_block(golden(0))
    for entry in INDEX[1:]:
        block = golden(entry["number"])
        assert len(blocks.block_signatures(block)) == entry["orderer_signatures"] == 1
        blocks.verify_block_signatures(block, bundle)


def with_signature(change) -> common_pb2.Block:
    block = golden(5)
    slot = parse(common_pb2.Metadata, block.metadata.metadata[0], "metadata")
    change(block, slot)
    block.metadata.metadata[0] = slot.SerializeToString()
    return block


@pytest.mark.parametrize(
    "change",
    [
        lambda block, slot: setattr(block.header, "data_hash", sha256(b"other").digest()),
        lambda block, slot: setattr(block.header, "number", 6),
        lambda block, slot: setattr(slot, "value", b"\x0a\x02\x08\x05"),
        lambda block, slot: setattr(slot.signatures[0], "signature", b"\x30\x00"),
        lambda block, slot: slot.ClearField("signatures"),
    ],
    ids=["data hash", "number", "last config", "signature", "none"],
)
def test_whatever_the_signature_covers_cannot_be_changed(change) -> None:
    bundle = ChannelBundle.from_config_block(golden(0))
    with pytest.raises(PolicyNotSatisfied):
        blocks.verify_block_signatures(with_signature(change), bundle)


def test_a_signature_of_no_orderer_does_not_count() -> None:
    """The orderer's BlockValidation wants a writer of its own organization."""
    bundle = ChannelBundle.from_config_block(genesis())
    block = blocks.new_block(1, b"", [entry()])
    blocks.sign_block(block, user("Org1MSP", "Admin"), b"nonce", 0)
    with pytest.raises(PolicyNotSatisfied):
        blocks.verify_block_signatures(block, bundle)
    blocks.sign_block(block, orderer_signer(), b"nonce", 0)
    blocks.verify_block_signatures(block, bundle)


def test_the_metadata_of_real_blocks_is_written_again_byte_for_byte() -> None:
    """Slots 0 and 1 of every real block, given its own signature."""
    for entry in INDEX[1:]:
        real = golden(entry["number"])
        slot = parse(common_pb2.Metadata, real.metadata.metadata[0], "metadata")
        header = parse(
            common_pb2.SignatureHeader, slot.signatures[0].signature_header, "signature header"
        )

        class Orderer:
            serialized = header.creator
            signature = slot.signatures[0].signature

            def sign(self, message: bytes) -> bytes:
                return self.signature

        ours = blocks.new_block(real.header.number, real.header.previous_hash, real.data.data)
        consenter = blocks.consenter_metadata(real)
        blocks.sign_block(ours, Orderer(), header.nonce, entry["last_config"], consenter)
        assert ours.SerializeToString() == real.SerializeToString()


def test_the_genesis_block_is_written_again_byte_for_byte() -> None:
    real = golden(0)
    ours = blocks.new_block(0, b"", real.data.data)
    blocks.set_last_config(ours, 0)
    assert ours.metadata.metadata[0].hex() == "0a020a00"
    assert ours.SerializeToString() == real.SerializeToString()
    assert shared("golden", "config", "genesis.block").read_bytes() == ours.SerializeToString()


def test_solo_metadata_is_a_last_config_and_nothing_more() -> None:
    block = blocks.new_block(7, b"p" * 32, [b"e"])

    class Orderer:
        serialized = b"orderer"

        def sign(self, message: bytes) -> bytes:
            return b"signature"

    blocks.sign_block(block, Orderer(), b"nonce", 4)
    slot = parse(common_pb2.Metadata, block.metadata.metadata[0], "metadata")
    assert slot.value.hex() == "0a020804"
    assert block.metadata.metadata[1].hex() == "0a020804"
    assert list(block.metadata.metadata[2:]) == [b"", b"", b""]
    assert blocks.block_signatures(block)[0].data == (
        slot.value + slot.signatures[0].signature_header + blocks.header_bytes(block.header)
    )


@given(
    number=st.integers(0, 2**64 - 1),
    previous=st.binary(max_size=300),
    data=st.binary(max_size=70_000 // 32),
)
def test_header_bytes_are_what_a_der_reader_reads(number, previous, data) -> None:
    header = common_pb2.BlockHeader(number=number, previous_hash=previous, data_hash=data)
    rest = read_der(0x30, blocks.header_bytes(header), last=True)[0]
    integer, rest = read_der(0x02, rest)
    first, rest = read_der(0x04, rest)
    second, rest = read_der(0x04, rest, last=True)
    assert (int.from_bytes(integer, "big", signed=True), first, second) == (number, previous, data)
    assert len(integer) == 1 or integer[0] != 0 or integer[1] >= 0x80


def read_der(tag: int, data: bytes, *, last: bool = False) -> tuple[bytes, bytes]:
    assert data[0] == tag
    length, start = data[1], 2
    if length >= 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    assert not last or len(data) == start + length
    return data[start : start + length], data[start + length :]


def entry(payload: bytes = b"p", signature: bytes = b"s", more: bytes = b"") -> bytes:
    return common_pb2.Envelope(payload=payload, signature=signature).SerializeToString() + more


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], "empty block"),
        ([entry(), b"\xff"], "transaction 1 is invalid"),
        ([entry(payload=b"")], "transaction 0 has no payload"),
        ([entry(), entry(), entry(signature=b"")], "transaction 2 has no signature"),
        ([entry(more=b"\x12\x01t")], "transaction 0 has 3 trailing bytes"),
        ([b"\x12\x01s\x0a\x01p"], "transaction 0 does not match its raw form"),
    ],
)
def test_data_that_could_be_read_in_two_ways_is_refused(entries, reason) -> None:
    block = blocks.new_block(3, b"", entries)
    with pytest.raises(blocks.BlockError, match=f"block 3: {reason}") as caught:
        blocks.check_data(block)
    assert caught.value.number == 3


def test_other_data_than_the_header_hashes_is_refused() -> None:
    block = blocks.new_block(3, b"", [entry()])
    block.data.data.append(entry())
    with pytest.raises(blocks.BlockError, match="data hash differs"):
        blocks.check_data(block)


def test_missing_metadata_reads_as_empty_and_is_added_on_writing() -> None:
    block = common_pb2.Block()
    assert blocks.get_metadata(block, common_pb2.COMMIT_HASH) == b""
    assert blocks.transactions_filter(block) == b""
    assert blocks.last_config_index(block) == 0
    blocks.set_metadata(block, common_pb2.TRANSACTIONS_FILTER, b"\x00")
    assert list(block.metadata.metadata) == [b"", b"", b"\x00", b"", b""]


def test_blocks_from_before_1_4_1_are_read_from_the_deprecated_slots() -> None:
    block = blocks.new_block(9, b"", [entry()])
    value = common_pb2.LastConfig(index=6).SerializeToString()
    blocks.set_metadata(block, 1, common_pb2.Metadata(value=value).SerializeToString())
    blocks.set_metadata(block, 3, b"\x0a\x04raft")
    assert blocks.last_config_index(block) == 6
    assert blocks.consenter_metadata(block) == b"\x0a\x04raft"


def test_bft_signers_are_found_by_number_and_unknown_numbers_are_skipped() -> None:
    block = blocks.new_block(9, b"", [entry()])
    ids = [common_pb2.IdentifierHeader(identifier=n).SerializeToString() for n in (1, 2)]
    metadata = common_pb2.Metadata(value=b"value")
    for header in ids:
        metadata.signatures.add(identifier_header=header, signature=b"s")
    blocks.set_metadata(block, 0, metadata.SerializeToString())
    assert blocks.block_signatures(block, {2: b"second"}) == [
        SignedData(b"value" + ids[1] + blocks.header_bytes(block.header), b"second", b"s")
    ]
    assert [claim.identity for claim in blocks.block_signatures(block)] == [b"", b""]


def test_garbage_in_the_signature_slot_is_an_error() -> None:
    block = blocks.new_block(9, b"", [entry()])
    blocks.set_metadata(block, 0, b"\xff\xff")
    with pytest.raises(MalformedMessage, match="block metadata"):
        blocks.block_signatures(block)
    with pytest.raises(MalformedMessage):
        blocks.last_config_index(block)

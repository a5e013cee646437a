"""The bytes of a block on disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.block_file import (
    decode_block,
    encode_block,
    encode_uvarint,
    is_cut_off,
    read_uvarint,
)
from gridloom.common.blocks import new_block
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from harness.shared import shared


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "ff" * 9 + "01")],
)
def test_uvarints_are_protobufs(value, encoded) -> None:
    assert encode_uvarint(value).hex() == encoded
    assert read_uvarint(bytes.fromhex(encoded) + b"rest") == (value, len(encoded) // 2)


def test_a_uvarint_that_ends_too_early_is_told_from_one_that_is_too_long() -> None:
    assert read_uvarint(b"") is None
    assert read_uvarint(b"\xff" * 9) is None
    for too_long in (b"\xff" * 10, b"\xff" * 9 + b"\x02", b"\xff" * 12):
        with pytest.raises(MalformedMessage, match="more than 64 bits"):
            read_uvarint(too_long)


def test_the_layout_is_fabrics() -> None:
    """Number, data hash, previous hash, envelopes, metadata: Fabric's order, not protobuf's."""
    block = common_pb2.Block()
    block.header.number = 300
    block.header.data_hash = b"DD"
    block.header.previous_hash = b"PPP"
    block.data.data.extend([b"tx0", b""])
    block.metadata.metadata.extend([b"m0", b""])
    expected = b"\xac\x02" + b"\x02DD" + b"\x03PPP" + b"\x02\x03tx0\x00" + b"\x02\x02m0\x00"
    assert encode_block(block) == expected
    assert decode_block(expected) == block


@pytest.mark.parametrize("path", sorted(shared("golden", "blocks", "peer").glob("*.pb")))
def test_real_blocks_survive_the_round_trip(path) -> None:
    raw = path.read_bytes()
    block = parse(common_pb2.Block, raw, "block")
    assert decode_block(encode_block(block)).SerializeToString() == raw


@given(st.binary(max_size=200))
def test_any_bytes_are_a_block_or_a_clear_error(data) -> None:
    try:
        block = decode_block(data)
    except MalformedMessage:
        return
    assert decode_block(encode_block(block)) == block


@given(
    number=st.integers(0, 2**40),
    envelopes=st.lists(st.binary(max_size=40), min_size=1, max_size=5),
    data=st.data(),
)
def test_exactly_the_beginnings_of_a_block_count_as_cut_off(number, envelopes, data) -> None:
    body = encode_block(new_block(number, b"p" * 32, envelopes))
    cut = data.draw(st.integers(0, len(body) - 1))
    assert is_cut_off(body[:cut], number)
    assert not is_cut_off(body, number)
    assert not is_cut_off(body + b"more", number)
    assert not is_cut_off(body[: max(cut, 8)], number + 1)

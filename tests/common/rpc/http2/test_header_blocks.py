"""Header blocks: ours are read by any decoder, and any encoder's by us."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.rpc.http2 import frames
from gridloom.common.rpc.http2.frames import ErrorCode, FrameReader, Http2Error
from gridloom.common.rpc.http2.header_blocks import (
    MAX_HEADER_BYTES,
    Fields,
    HeaderReader,
    block,
    header_frames,
)

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)
NAMES = st.text(st.sampled_from("abcdefgh-"), min_size=1, max_size=12)
FIELDS = st.lists(st.tuples(NAMES, TEXT), max_size=5)


def same(fields: Fields) -> Fields:
    return fields


@given(FIELDS)
def test_what_we_write_is_what_another_decoder_reads(fields: list[tuple[str, str]]) -> None:
    assert list(hpack.Decoder().decode(block(fields))) == fields


@given(st.lists(FIELDS, max_size=8))
def test_what_an_encoder_with_a_table_writes_is_what_we_read(
    blocks: list[list[tuple[str, str]]],
) -> None:
    encoder, reader = hpack.Encoder(), HeaderReader(same)
    for fields in blocks + blocks:
        said = reader.read(encoder.encode(fields))
        assert said == [(name.encode(), value.encode()) for name, value in fields]


def test_bytes_that_mean_something_else_after_the_table_changed_are_read_again() -> None:
    encoder, reader = hpack.Encoder(), HeaderReader(same)
    reader.read(encoder.encode([("a", "1")]))
    newest = encoder.encode([("a", "1")])
    assert reader.read(newest) == [(b"a", b"1")]
    reader.read(encoder.encode([("b", "2")]))
    assert reader.read(newest) == [(b"b", b"2")]


def test_a_long_block_is_continued() -> None:
    fields = block([("a", "x" * 40_000)])
    sent = list(FrameReader(frames.LEAST_MAX_FRAME).feed(header_frames(5, fields, last=True)))
    assert [kind for kind, _, _, _ in sent] == [1, 9, 9]
    assert [flags for _, flags, _, _ in sent] == [frames.END_STREAM, 0, frames.END_HEADERS]
    assert b"".join(payload for _, _, _, payload in sent) == fields


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\xff\xff\xff", ErrorCode.COMPRESSION_ERROR),
        (b"\xc0", ErrorCode.COMPRESSION_ERROR),  # an entry that the table does not have
        (b"\x00\x7f\x01a", ErrorCode.COMPRESSION_ERROR),
        (block([("a", "x" * MAX_HEADER_BYTES)]), ErrorCode.ENHANCE_YOUR_CALM),
    ],
)
def test_what_is_no_block_ends_the_connection(sent: bytes, code: ErrorCode) -> None:
    with pytest.raises(Http2Error) as caught:
        HeaderReader(same).read(sent)
    assert (caught.value.code, caught.value.stream) == (code, 0)

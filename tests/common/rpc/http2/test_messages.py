"""gRPC's messages in DATA, in any pieces; compression is refused, as by Fabric."""

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.http2.messages import PREFIX, MessageReader
from harness.http2_wires import prefixed


def compressed(message: bytes) -> bytes:
    return PREFIX.pack(1, len(message)) + message


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 30))
def test_messages_come_out_as_they_went_in_however_they_are_cut(
    sent: list[bytes], piece: int
) -> None:
    data = b"".join(map(prefixed, sent))
    reader = MessageReader(b"identity", 100)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    assert [message for one in pieces for message in reader.feed(one)] == sent


@pytest.mark.parametrize(
    ("encoding", "data", "code", "why"),
    [
        (b"identity", prefixed(bytes(101)), Code.RESOURCE_EXHAUSTED, r"\(101 vs. 100\)"),
        (b"identity", compressed(b"x"), Code.INTERNAL, "compressed flag set with identity"),
        (b"gzip", compressed(gzip.compress(b"hello", mtime=0)), Code.UNIMPLEMENTED, "'gzip'"),
        (b"gzip", PREFIX.pack(2, 1) + b"x", Code.UNIMPLEMENTED, "'gzip'"),
    ],
)
def test_what_is_no_message_fails_the_call(
    encoding: bytes, data: bytes, code: Code, why: str
) -> None:
    with pytest.raises(RpcError, match=why) as caught:
        MessageReader(encoding, 100, Code.UNIMPLEMENTED).feed(data)
    assert caught.value.code is code


def test_a_message_in_pieces_of_a_byte_takes_no_more_than_its_bytes() -> None:
    reader = MessageReader(b"identity", 1 << 20)
    data = prefixed(bytes(100_000))
    tracemalloc.start()
    try:
        for at in range(len(data) - 1):
            reader.feed(data[at : at + 1])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3 * len(data)
    assert reader.in_message

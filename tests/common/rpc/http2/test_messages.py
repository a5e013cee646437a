"""gRPC's messages in DATA, in any pieces, compressed or not."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.http2.messages import PREFIX, MessageReader, prefixed


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
    ("encoding", "data"),
    [(b"gzip", gzip.compress(b"hello")), (b"deflate", zlib.compress(b"hello"))],
)
def test_compressed_messages_are_read(encoding: bytes, data: bytes) -> None:
    assert MessageReader(encoding, 100).feed(compressed(data)) == [b"hello"]


@pytest.mark.parametrize(
    ("encoding", "data", "code", "why"),
    [
        (b"identity", prefixed(bytes(101)), Code.RESOURCE_EXHAUSTED, r"\(101 vs. 100\)"),
        (b"gzip", compressed(gzip.compress(bytes(500))), Code.RESOURCE_EXHAUSTED, "vs. 100"),
        (b"identity", compressed(b"x"), Code.INTERNAL, "identity"),
        (b"snappy", compressed(b"x"), Code.INTERNAL, "snappy"),
        (b"gzip", compressed(b"not gzip at all"), Code.INTERNAL, "decompress"),
        (b"gzip", compressed(gzip.compress(b"hello")[:-9]), Code.INTERNAL, "too soon"),
        (b"gzip", PREFIX.pack(2, 1) + b"x", Code.INTERNAL, "compressed"),
    ],
)
def test_what_is_no_message_fails_the_call(
    encoding: bytes, data: bytes, code: Code, why: str
) -> None:
    with pytest.raises(RpcError, match=why) as caught:
        MessageReader(encoding, 100).feed(data)
    assert caught.value.code is code

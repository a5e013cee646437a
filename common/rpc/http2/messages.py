"""gRPC's messages in DATA frames: a flag for compression, four bytes of length, the message.

(grpc: doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message)
"""

from __future__ import annotations

import zlib
from struct import Struct

from ..status import Code, RpcError

PREFIX = Struct(">BI")

_WINDOW_BITS = {b"gzip": 31, b"deflate": 15}
"""zlib's names for what gRPC may compress with."""
ENCODINGS = "identity,deflate,gzip"


def prefixed(message: bytes) -> bytes:
    """Return a message as it is sent, uncompressed."""
    return PREFIX.pack(0, len(message)) + message


class MessageReader:
    """Takes messages out of the DATA of one stream.

    encoding: the ``grpc-encoding`` of the stream; largest: bytes of a message before and after
    decompression, RpcError RESOURCE_EXHAUSTED beyond.
    """

    __slots__ = ("_encoding", "_held", "_largest", "_missing")

    def __init__(self, encoding: bytes, largest: int) -> None:
        self._encoding = encoding
        self._largest = largest
        self._held: list[bytes] = []
        self._missing = 0

    @property
    def in_message(self) -> bool:
        """Whether a part of a message is there whose end is not."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete with ``data``."""
        if self._held:
            self._held.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return []
            data = b"".join(self._held)
            self._held.clear()
        messages: list[bytes] = []
        place, end = 0, len(data)
        self._missing = PREFIX.size
        while end - place >= PREFIX.size:
            compressed, length = PREFIX.unpack_from(data, place)
            if length > self._largest:
                raise self._too_large(length)
            start = place + PREFIX.size
            if end - start < length:
                self._missing += length
                break
            place = start + length
            messages.append(self._plain(compressed, data[start:place]))
        if place < end:
            self._held.append(data[place:])
            self._missing -= end - place
        return messages

    def _plain(self, compressed: int, message: bytes) -> bytes:
        if not compressed:
            return message
        bits = _WINDOW_BITS.get(self._encoding)
        if compressed != 1 or bits is None:
            raise RpcError(
                Code.INTERNAL, f"grpc: a compressed message with encoding {self._encoding!r}"
            )
        inflater = zlib.decompressobj(bits)
        try:
            plain = inflater.decompress(message, self._largest + 1)
        except zlib.error as error:
            raise RpcError(Code.INTERNAL, f"grpc: failed to decompress: {error}") from error
        if len(plain) > self._largest:
            raise self._too_large(len(plain))
        if not inflater.eof:
            raise RpcError(Code.INTERNAL, "grpc: a compressed message ends too soon")
        return plain

    def _too_large(self, size: int) -> RpcError:
        return RpcError(
            Code.RESOURCE_EXHAUSTED,
            f"grpc: received message larger than max ({size} vs. {self._largest})",
        )

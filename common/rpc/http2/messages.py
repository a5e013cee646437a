"""gRPC's messages in DATA frames: a flag for compression, four bytes of length, the message.

(grpc: doc/PROTOCOL-HTTP2.md, Length-Prefixed-Message)
"""

from __future__ import annotations

from struct import Struct

from google.protobuf.message import Message

from ..liveness import MAX_MESSAGE_BYTES
from ..status import Code, RpcError

PREFIX = Struct(">BI")

ENCODINGS = "identity"
"""Fabric's servers and clients have no compression built in either."""


def encoded(message: Message) -> bytes:
    """Return the bytes of a message to be sent; RpcError RESOURCE_EXHAUSTED if it is too large."""
    data = message.SerializeToString()
    if len(data) > MAX_MESSAGE_BYTES:
        raise RpcError(
            Code.RESOURCE_EXHAUSTED,
            f"grpc: trying to send message larger than max ({len(data)} vs. {MAX_MESSAGE_BYTES})",
        )
    return data


class MessageReader:
    """Takes messages out of the DATA of one stream.

    encoding: the ``grpc-encoding`` of the stream; largest: bytes of a message, RpcError
    RESOURCE_EXHAUSTED beyond; unknown: the code for a message that is compressed.
    """

    __slots__ = ("_encoding", "_held", "_largest", "_needed", "_unknown")

    def __init__(self, encoding: bytes, largest: int, unknown: Code = Code.INTERNAL) -> None:
        self._encoding = encoding
        self._largest = largest
        self._unknown = unknown
        self._held = bytearray()  # one: a sender may choose pieces of a byte
        self._needed = 0

    @property
    def in_message(self) -> bool:
        """Whether a part of a message is there whose end is not."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are complete with ``data``."""
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return []
            data, self._held = bytes(self._held), bytearray()
        messages: list[bytes] = []
        place, end = 0, len(data)
        needed = PREFIX.size
        while end - place >= PREFIX.size:
            compressed, length = PREFIX.unpack_from(data, place)
            if length > self._largest:
                raise self._too_large(length)
            if compressed:
                raise self._compressed()
            start = place + PREFIX.size
            if end - start < length:
                needed += length
                break
            place = start + length
            messages.append(data[start:place])
        if place < end:
            self._held += data[place:]
            self._needed = needed
        return messages

    def _compressed(self) -> RpcError:
        encoding = self._encoding.decode(errors="replace")
        if encoding == "identity":
            return RpcError(Code.INTERNAL, "grpc: compressed flag set with identity encoding")
        return RpcError(
            self._unknown, f"grpc: no decompressor is installed for grpc-encoding {encoding!r}"
        )

    def _too_large(self, size: int) -> RpcError:
        return RpcError(
            Code.RESOURCE_EXHAUSTED,
            f"grpc: received message larger than max ({size} vs. {self._largest})",
        )

"""The bytes of a block on disk, exactly as Fabric's peers and orderers write them.

A block file is a row of records, each a uvarint length and that many bytes of block: uvarint
number, data hash, previous hash, uvarint count and the envelopes, uvarint count and the
metadata slots; every byte string has its uvarint length before it.  Nothing here does I/O
(Fabric: common/ledger/blkstorage/block_serialization.go, block_stream.go).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

from gridloom.protos.common import common_pb2

from .blocks import assemble
from .errors import MalformedMessage

MAX_UVARINT = 10
"""Bytes of the longest uvarint (64 bits)."""


@lru_cache(maxsize=1 << 12)  # the envelopes of a load have few different lengths
def encode_uvarint(value: int) -> bytes:
    """``value`` (64 bits, unsigned) in groups of seven bits, lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_uvarint(data: bytes, offset: int = 0) -> tuple[int, int] | None:
    """The uvarint at ``offset`` and the offset after it; None when ``data`` ends within it.

    MalformedMessage when it has more than 64 bits.
    """
    value = shift = 0
    for position in range(offset, min(len(data), offset + MAX_UVARINT)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, position + 1
        shift += 7
    else:
        if len(data) - offset < MAX_UVARINT:
            return None
    raise MalformedMessage("block file", "a length of more than 64 bits")


def encode_block(block: common_pb2.Block) -> bytes:
    """The block's bytes; in a file their length stands before them."""
    header = block.header
    parts = [encode_uvarint(header.number)]
    _add_strings(parts, (header.data_hash, header.previous_hash))
    parts.append(encode_uvarint(len(block.data.data)))
    _add_strings(parts, block.data.data)
    parts.append(encode_uvarint(len(block.metadata.metadata)))
    _add_strings(parts, block.metadata.metadata)
    return b"".join(parts)


def _add_strings(parts: list[bytes], strings: Iterable[bytes]) -> None:
    for string in strings:
        parts += (encode_uvarint(len(string)), string)


def decode_block(body: bytes) -> common_pb2.Block:
    """The block in a record's bytes (without their length); MalformedMessage if broken."""
    reader = _Reader(body)
    number = reader.uvarint()
    hash_of_data = reader.take(reader.uvarint())
    previous_hash = reader.take(reader.uvarint())
    data = reader.strings()
    metadata = reader.strings()
    reader.end()
    return assemble(number, previous_hash, hash_of_data, data, metadata)


def decode_block_parts(body: bytes) -> common_pb2.Block | None:
    """What can be read of a broken record: the header, and what whole parts follow it.

    None if not even the header can be.  Bytes behind the block are ignored, as Fabric does.
    """
    reader = _Reader(body)
    block = common_pb2.Block()
    try:
        block.header.number = reader.uvarint()
        block.header.data_hash = reader.take(reader.uvarint())
        block.header.previous_hash = reader.take(reader.uvarint())
    except MalformedMessage:
        return None
    with suppress(MalformedMessage):
        block.data.data.extend(reader.strings())
        block.metadata.metadata.extend(reader.strings())
    return block


def is_cut_off(body: bytes, number: int) -> bool:
    """Whether ``body`` starts block ``number`` and ends before that block does.

    This tells a write that a crash cut short from bytes whose length was damaged.
    """
    reader = _Reader(body)
    try:
        if reader.uvarint() != number:
            return False
        for lengths in ((32,), (0, 32)):
            length = reader.uvarint()
            if length not in lengths:
                return False
            reader.take(length)
        reader.strings()
        reader.strings()
    except _EndOfBytes:
        return True
    except MalformedMessage:
        return False
    return False


class _EndOfBytes(MalformedMessage):
    """The bytes end before the block does."""

    def __init__(self, within: str) -> None:
        super().__init__("block", f"it ends within {within}")


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._offset = 0

    def uvarint(self) -> int:
        found = read_uvarint(self._body, self._offset)
        if found is None:
            raise _EndOfBytes("a length")
        value, self._offset = found
        return value

    def take(self, length: int) -> bytes:
        start, end = self._offset, self._offset + length
        if end > len(self._body):
            raise _EndOfBytes("a byte string")
        self._offset = end
        return self._body[start:end]

    def strings(self) -> list[bytes]:
        count = self.uvarint()
        if count > len(self._body) - self._offset:
            raise _EndOfBytes(f"{count} byte strings")
        return [self.take(self.uvarint()) for _ in range(count)]

    def end(self) -> None:
        if self._offset != len(self._body):
            raise MalformedMessage("block", "bytes are left after it")

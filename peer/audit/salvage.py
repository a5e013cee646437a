"""Blocks out of bytes that may be broken: all of it, else whatever parts can still be read.

The header of a truncated block still tells its number and hash, and its transactions can be
judged when only the metadata are damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.message import Message

from gridloom.common.block_file import decode_block, decode_block_parts, read_uvarint
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2

_LENGTH_DELIMITED = 2
_FIXED_SIZES = {1: 8, 5: 4}


class ReadBlock(NamedTuple):
    """A block, or the readable parts of one (None: not even a header); fault: "" if whole."""

    block: common_pb2.Block | None
    fault: str = ""


def read_message(data: bytes) -> ReadBlock:
    """A serialized ``common.Block``."""
    try:
        block = parse(common_pb2.Block, data, "block")
    except MalformedMessage as error:
        return ReadBlock(_salvage_message(data), str(error))
    if not block.HasField("header"):
        return ReadBlock(None, "it has no header")
    return ReadBlock(block)


def read_record(body: bytes) -> ReadBlock:
    """A block as it lies in a block file, without its length."""
    try:
        return ReadBlock(decode_block(body))
    except MalformedMessage as error:
        return ReadBlock(decode_block_parts(body), str(error))


def _salvage_message(data: bytes) -> common_pb2.Block | None:
    block = common_pb2.Block()
    parts: dict[int, Message] = {1: block.header, 2: block.data, 3: block.metadata}
    broken: set[int] = set()
    for number, content in _fields(data):
        part = parts.get(number)
        if part is None:
            continue
        try:
            part.MergeFrom(parse(type(part), content))
        except MalformedMessage:
            broken.add(number)
    if 1 in broken or not block.HasField("header"):
        return None
    for number in broken:
        block.ClearField("data" if number == 2 else "metadata")
    return block


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole length-delimited fields of a message up to its first broken one."""
    offset = 0
    while offset < len(data):
        try:
            tag = read_uvarint(data, offset)
            if tag is None:
                return
            number, wire_type = tag[0] >> 3, tag[0] & 7
            offset = tag[1]
            if wire_type in _FIXED_SIZES:
                offset += _FIXED_SIZES[wire_type]
                continue
            value = read_uvarint(data, offset)
        except MalformedMessage:
            return
        if value is None or wire_type not in {0, _LENGTH_DELIMITED}:
            return
        offset = value[1]
        if wire_type == _LENGTH_DELIMITED:
            content = data[offset : offset + value[0]]
            if len(content) < value[0]:
                return
            offset += value[0]
            yield number, content

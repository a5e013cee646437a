"""One entry of the state in a snapshot file: Fabric's message SnapshotRecord.

It never leaves these files, so it is no part of the wire's definitions and is written and
read by hand.  (Fabric: txmgmt/privacyenabledstate/snapshot_record.proto.)
"""

from __future__ import annotations

from gridloom.common.errors import MalformedMessage

from ..state_db import Version, VersionedValue

_KEY, _VALUE, _METADATA, _VERSION = 1, 2, 3, 4
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5


def encode_record(key: bytes, entry: VersionedValue) -> bytes:
    """Serialize an entry."""
    return (
        _field(_KEY, key)
        + _field(_VALUE, entry.value)
        + _field(_METADATA, entry.metadata)
        + _field(_VERSION, entry.version.to_bytes())
    )


def decode_record(data: bytes) -> tuple[bytes, VersionedValue]:
    """Parse an entry; MalformedMessage.  Fields of other numbers are skipped."""
    fields = {_KEY: b"", _VALUE: b"", _METADATA: b"", _VERSION: b""}
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _LENGTH_DELIMITED:
            size, place = _varint(data, place)
        elif number in fields or not number:
            raise _malformed(f"field {number} has wire type {kind}")
        elif kind == _VARINT:
            size, (_, place) = 0, _varint(data, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise _malformed(f"unknown wire type {kind}")
        end = place + size
        if end > len(data):
            raise _malformed("a field is cut off")
        if number in fields:
            fields[number] = data[place:end]
        place = end
    version = Version.from_bytes(fields[_VERSION])
    return fields[_KEY], VersionedValue(fields[_VALUE], version, fields[_METADATA])


def _field(number: int, content: bytes) -> bytes:
    if not content:
        return b""
    size = len(content)
    length = bytearray([number << 3 | _LENGTH_DELIMITED])
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes(length) + content


def _varint(data: bytes, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise _malformed("a number is cut off")
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & (2**64 - 1), place
    raise _malformed("a number is larger than 64 bits")


def _malformed(reason: str) -> MalformedMessage:
    return MalformedMessage("snapshot record", reason)

"""Just enough DER to read what Go's encoding/asn1 would accept, and to write it back.

Definite lengths in their shortest form only, single-byte tags; every error is ValueError
with Go's reason.  (Fabric: the encoding/asn1 of Go, as bccsp/utils and msp/cert.go use it)
"""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
SEQUENCE: Final = 0x30

_MAX_LENGTH: Final = 1 << 31


def take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Split one element off the front: (its contents, the bytes behind it)."""
    if len(data) < 2:
        raise ValueError("syntax error: sequence truncated")
    if data[0] != tag:
        raise ValueError(f"structure error: tags don't match ({tag:#04x} vs {data[0]:#04x})")
    length, start = _length(data)
    end = start + length
    if end > len(data):
        raise ValueError("syntax error: data truncated")
    return data[start:end], data[end:]


def contents(data: bytes, tag: int) -> bytes:
    """Return the first element's contents, ignoring what follows it."""
    return take(data, tag)[0]


def element(data: bytes) -> tuple[bytes, bytes]:
    """Split one whole element of any tag off the front: (header and contents, the rest)."""
    if len(data) < 2:
        raise ValueError("syntax error: sequence truncated")
    length, start = _length(data)
    if start + length > len(data):
        raise ValueError("syntax error: data truncated")
    return data[: start + length], data[start + length :]


def integer(contents: bytes) -> int:
    """Decode the contents of an INTEGER, which must be minimal."""
    if not contents:
        raise ValueError("structure error: empty integer")
    if len(contents) > 1 and (
        (contents[0] == 0 and contents[1] < 0x80) or (contents[0] == 0xFF and contents[1] >= 0x80)
    ):
        raise ValueError("structure error: integer not minimally-encoded")
    return int.from_bytes(contents, "big", signed=True)


def encode(tag: int, contents: bytes) -> bytes:
    """Wrap contents in a tag and the shortest length."""
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents


def _length(data: bytes) -> tuple[int, int]:
    """Read the length behind a one-byte tag: (length, offset of the contents)."""
    first = data[1]
    if first < 0x80:
        return first, 2
    count = first & 0x7F
    if count == 0:
        raise ValueError("syntax error: indefinite length found (not DER)")
    octets = data[2 : 2 + count]
    if len(octets) < count:
        raise ValueError("syntax error: truncated tag or length")
    if octets[0] == 0:
        raise ValueError("structure error: superfluous leading zeros in length")
    length = int.from_bytes(octets, "big")
    if length >= _MAX_LENGTH:
        raise ValueError("structure error: length too large")
    if length < 0x80:
        raise ValueError("structure error: non-minimal length")
    return length, 2 + count

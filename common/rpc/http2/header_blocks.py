"""Header blocks: written as literals that use no table, read by the hpack library (RFC 7541).

A table would save some bytes of a call and cost both sides time; without one a block of the same
fields has the same bytes in every call, so both sides can remember what they say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

from hpack import Decoder, HPACKError, OversizedHeaderListError

from .frames import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    LEAST_MAX_FRAME,
    ErrorCode,
    Http2Error,
    frame,
)

T = TypeVar("T")
Fields: TypeAlias = list[tuple[bytes, bytes]]

MAX_HEADER_BYTES = 64 * 1024
"""Largest header list of a request; grpc's servers stop at 16 KB to 16 MB."""
MAX_TRAILER_BYTES = 16 * 1024 * 1024
"""Largest of a response, as Go's clients have it: trailers hold a chaincode's message twice."""

_REMEMBERED = 512
_WORTH_REMEMBERING = 1024
"""Bytes of a block that may come again; trailers with a long message do not."""
_TABLE_UPDATE, _TABLE_UPDATE_MASK = 0x20, 0xE0
_LONG_INTEGER = 0x7F


def block(fields: Iterable[tuple[str, str]]) -> bytes:
    """Return the block of these fields, names in lower case."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def _text(text: str) -> bytes:
    data = text.encode()
    return _length(len(data)) + data


def _length(value: int) -> bytes:
    """Return an integer with a prefix of seven bits (RFC 7541, 5.1)."""
    if value < _LONG_INTEGER:
        return bytes((value,))
    encoded = bytearray((_LONG_INTEGER,))
    value -= _LONG_INTEGER
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def header_frames(stream: int, fields: bytes, *, last: bool) -> bytes:
    """Return a block as HEADERS and as many CONTINUATION as every receiver can take."""
    ending = END_STREAM if last else 0
    if len(fields) <= LEAST_MAX_FRAME:
        return frame(HEADERS, END_HEADERS | ending, stream, fields)
    pieces = [fields[at : at + LEAST_MAX_FRAME] for at in range(0, len(fields), LEAST_MAX_FRAME)]
    between = [frame(CONTINUATION, 0, stream, piece) for piece in pieces[1:-1]]
    return b"".join(
        (
            frame(HEADERS, ending, stream, pieces[0]),
            *between,
            frame(CONTINUATION, END_HEADERS, stream, pieces[-1]),
        )
    )


class HeaderReader(Generic[T]):
    """Reads the blocks of one connection, in order; read: what is made of a block's fields;
    largest: bytes of a block's fields.

    What equal bytes said is remembered for as long as the sender's table stays as it is.
    """

    def __init__(self, read: Callable[[Fields], T], largest: int = MAX_HEADER_BYTES) -> None:
        self._read = read
        self._decoder = Decoder(max_header_list_size=largest)
        self._remembered: dict[bytes, T] = {}

    def read(self, fields: bytes) -> T:
        """Return what a block says; Http2Error for the connection if it is no block."""
        known = self._remembered.get(fields)
        if known is not None:
            return known
        before = self._newest()
        try:
            decoded = self._decoder.decode(fields, raw=True)
        except OversizedHeaderListError as error:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, str(error)) from error
        except HPACKError as error:
            raise Http2Error(ErrorCode.COMPRESSION_ERROR, str(error)) from error
        said = self._read([(name, value) for name, value in decoded])
        resized = bool(fields) and fields[0] & _TABLE_UPDATE_MASK == _TABLE_UPDATE
        if resized or self._newest() is not before:
            self._remembered.clear()
        elif len(fields) <= _WORTH_REMEMBERING:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[fields] = said
        return said

    def _newest(self) -> object:
        """Return the table's newest entry: whatever a block adds is a new object."""
        entries = self._decoder.header_table.dynamic_entries
        return entries[0] if entries else None

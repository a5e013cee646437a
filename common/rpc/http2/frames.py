"""HTTP/2 frames: how they are laid out, and taking them out of a stream of bytes (RFC 9113, 4).

A frame is 24 bits of length, 8 of kind, 8 of flags, 31 of stream number, then its payload.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import TypeAlias

from ...errors import GridloomError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends first."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)

ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITISED = 0x20

LEAST_MAX_FRAME, MOST_MAX_FRAME = 16_384, 2**24 - 1
MOST_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65_535
LAST_STREAM = 2**31 - 1

HEAD = Struct(">IBI")
"""Length and kind in one number, flags, stream."""
NUMBER = Struct(">I")
SETTING = Struct(">HI")
_GOAWAY = Struct(">II")

Frame: TypeAlias = tuple[int, int, int, bytes]
"""Kind, flags, stream and payload."""


class Setting(IntEnum):
    """What SETTINGS can speak of (RFC 9113, 6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(IntEnum):
    """Why a stream or a connection ended (RFC 9113, 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Http2Error(GridloomError):
    """The other side broke the protocol; code: as GOAWAY or RST_STREAM say it.

    stream: the only one that ends for it, 0 if the connection does.
    """

    def __init__(self, code: ErrorCode, reason: str, stream: int = 0) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason
        self.stream = stream


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame's bytes."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[Setting, int]) -> bytes:
    """Return a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(SETTING.pack(*pair) for pair in values.items()))


def goaway(last: int, code: ErrorCode, reason: str) -> bytes:
    """Return a GOAWAY frame; last: the highest stream that was or may be answered."""
    return frame(GOAWAY, 0, 0, _GOAWAY.pack(last, code) + reason.encode())


def reset(stream: int, code: ErrorCode) -> bytes:
    """Return a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, NUMBER.pack(code))


def window_update(stream: int, credit: int) -> bytes:
    """Return a WINDOW_UPDATE frame; stream 0 is for the connection."""
    return frame(WINDOW_UPDATE, 0, stream, NUMBER.pack(credit))


class FrameReader:
    """Takes frames out of what arrives; largest: bytes a payload may have."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._held: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete with ``data``; iterate to the end."""
        if self._held:
            self._held.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._held)
            self._held.clear()
        place, end, size = 0, len(data), HEAD.size
        self._missing = size
        while end - place >= size:
            head, flags, stream = HEAD.unpack_from(data, place)
            length = head >> 8
            if length > self._largest:
                raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {length} bytes")
            start = place + size
            if end - start < length:
                self._missing += length
                break
            place = start + length
            yield head & 0xFF, flags, stream & LAST_STREAM, data[start:place]
        if place < end:
            self._held.append(data[place:])
            self._missing -= end - place

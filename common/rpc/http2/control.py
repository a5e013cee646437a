"""Control frames as they come in: what they say, if they may say it (RFC 9113, 6).

Every function raises Http2Error, with the stream if only that one ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from . import frames
from .frames import ErrorCode, Http2Error, Setting

_PRIORITY = Struct(">IB")
_PING = Struct(">8s")
_GOAWAY = Struct(">II")


def read_priority(number: int, payload: bytes) -> None:
    """Check the priority of a stream, which nobody heeds any more."""
    if number == 0:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "PRIORITY of the connection")
    if len(payload) != _PRIORITY.size:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY has no five bytes", number)
    _not_itself(number, payload)


def without_priority(number: int, payload: bytes) -> bytes:
    """Return the block of HEADERS that begin with a priority."""
    if len(payload) < _PRIORITY.size:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "a priority is cut off")
    _not_itself(number, payload)
    return payload[_PRIORITY.size :]


def unpadded(flags: int, payload: bytes) -> bytes:
    """Return what a DATA or HEADERS payload holds without its padding."""
    if not flags & frames.PADDED:
        return payload
    padding = payload[0] if payload else len(payload)
    if padding >= len(payload):
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "padding is longer than its frame")
    return payload[1 : len(payload) - padding]


def read_rst_stream(payload: bytes) -> int:
    """Return the error code of a RST_STREAM."""
    return _only(frames.NUMBER, payload, "RST_STREAM")


def read_settings(number: int, flags: int, payload: bytes) -> Iterator[tuple[int, int]] | None:
    """Return names and values of SETTINGS, None where ours are acknowledged."""
    if number:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "SETTINGS of a stream")
    if flags & frames.ACK:
        if payload:
            raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS are acknowledged with data")
        return None
    if len(payload) % frames.SETTING.size:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS are cut off")
    for name, value in frames.SETTING.iter_unpack(payload):
        if name == Setting.INITIAL_WINDOW_SIZE and value > frames.MOST_WINDOW:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, f"a window of {value}")
        if name == Setting.MAX_FRAME_SIZE and not _MAX_FRAMES[0] <= value <= _MAX_FRAMES[1]:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, f"frames of {value}")
        if name == Setting.ENABLE_PUSH and value > 1:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, f"ENABLE_PUSH is {value}")
    return frames.SETTING.iter_unpack(payload)


def read_ping(number: int, payload: bytes) -> None:
    """Check a PING."""
    if number:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "PING of a stream")
    _unpacked(_PING, payload, "PING")


def read_goaway(number: int, payload: bytes) -> tuple[int, int, str]:
    """Return last stream, code and reason of a GOAWAY."""
    if number:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "GOAWAY of a stream")
    last, code = _unpacked(_GOAWAY, payload[: _GOAWAY.size], "GOAWAY")
    return last & frames.LAST_STREAM, code, payload[_GOAWAY.size :].decode(errors="replace")


def read_window_update(number: int, payload: bytes) -> int:
    """Return how many bytes more may be sent."""
    credit = _only(frames.NUMBER, payload, "WINDOW_UPDATE") & frames.MOST_WINDOW
    if credit == 0:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing", number)
    return credit


_MAX_FRAMES = frames.LEAST_MAX_FRAME, frames.MOST_MAX_FRAME


def _not_itself(number: int, payload: bytes) -> None:
    if _PRIORITY.unpack_from(payload)[0] & frames.LAST_STREAM == number:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a stream depends on itself")


def _only(layout: Struct, payload: bytes, what: str) -> int:
    value: int = _unpacked(layout, payload, what)[0]
    return value


def _unpacked(layout: Struct, payload: bytes, what: str) -> tuple[int, ...]:
    if len(payload) != layout.size:
        raise Http2Error(ErrorCode.FRAME_SIZE_ERROR, f"{what} has {len(payload)} bytes")
    return layout.unpack(payload)

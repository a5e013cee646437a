"""How a call begins: the request's header block (grpc: PROTOCOL-HTTP2.md, Requests)."""

from __future__ import annotations

import re
from typing import NamedTuple

from .header_blocks import Fields, block
from .messages import ENCODINGS

_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")
_CONTENT_TYPE = re.compile(rb"application/grpc([+;].*)?$")
_REQUIRED = {b":method", b":scheme", b":path"}
_PSEUDO = {b":method", b":scheme", b":path", b":authority"}
_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"transfer-encoding",
    b"upgrade",
}
_MOST_MILLISECONDS = 99_999_999


class Opening(NamedTuple):
    """What a block opens.

    timeout: seconds; refusal: the HTTP status for what is no call of gRPC; malformed: why it is
    not even a request; trailing: whether it has no pseudo-header at all, as trailers must.
    """

    path: str = ""
    timeout: float | None = None
    encoding: bytes = b"identity"
    refusal: int = 0
    malformed: str = ""
    trailing: bool = False


def read_opening(fields: Fields) -> Opening:
    """Return what the fields of a request say."""
    said = dict(fields)
    timeout = _TIMEOUT.fullmatch(said.get(b"grpc-timeout", b"0n"))
    malformed = _malformed(fields) or ("" if timeout else "grpc-timeout is none")
    if malformed or timeout is None:
        return Opening(malformed=malformed)
    if not any(name[:1] == b":" for name, _ in fields):
        return Opening(trailing=True)
    refused = _refused(said)
    if refused:
        return Opening(refusal=refused)
    return Opening(
        path=said[b":path"].decode(errors="replace"),
        timeout=int(timeout[1]) * _UNITS[timeout[2]] if b"grpc-timeout" in said else None,
        encoding=said.get(b"grpc-encoding", b"identity"),
    )


def _refused(said: dict[bytes, bytes]) -> int:
    """Return the HTTP status that a request gets which is not gRPC's, 0 for one that is."""
    if said[b":method"] != b"POST":
        return 405
    kind = said.get(b"content-type", b"")
    return 0 if _CONTENT_TYPE.match(kind) else 415


def _malformed(fields: Fields) -> str:
    """Return what RFC 9113, 8.2 and 8.3 forbid of these fields, "" if nothing."""
    pseudo = [name for name, _ in fields if name[:1] == b":"]
    if pseudo and (len(pseudo) != len(set(pseudo)) or not _REQUIRED.issubset(pseudo)):
        return "a pseudo-header is missing or given twice"
    if pseudo != [name for name, _ in fields[: len(pseudo)]]:
        return "a pseudo-header follows others"
    for name, value in fields:
        if (name[:1] == b":" and name not in _PSEUDO) or name != name.lower() or not name:
            return f"{name!r} is no header's name"
        if name in _HOP_BY_HOP or (name == b"te" and value != b"trailers"):
            return f"{name.decode()} belongs to HTTP/1"
        if name == b":path" and not value:
            return "the path is empty"
    return ""


def opening_block(path: str, authority: str, scheme: str, timeout: float | None) -> bytes:
    """Return the block that opens a call; timeout: seconds."""
    fields = [
        (":method", "POST"),
        (":scheme", scheme),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "grpc-python-gridloom"),
        ("grpc-accept-encoding", ENCODINGS),
    ]
    if timeout is not None:
        fields.append(("grpc-timeout", _timeout(timeout)))
    return block(fields)


def _timeout(seconds: float) -> str:
    milliseconds = max(1, round(seconds * 1000))
    if milliseconds <= _MOST_MILLISECONDS:
        return f"{milliseconds}m"
    return f"{min(milliseconds // 1000, _MOST_MILLISECONDS)}S"

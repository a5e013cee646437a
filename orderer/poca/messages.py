"""What consenters say to each other, as bytes: JSON with the kind's name and its fields.

(Fabric counterpart: none; etcdraft's are raftpb.)
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from gridloom.common.errors import MalformedMessage

from .core import (
    Accept,
    Accepted,
    Ask,
    Ballot,
    Candidate,
    Decided,
    Message,
    Prepare,
    Promise,
    Reject,
    Votes,
)

_WHAT = "POCA message"
_MOST = 2**63


@dataclass(frozen=True, slots=True)
class Submit:
    """A message that a consenter has accepted for ordering (serialized envelope)."""

    envelope: bytes
    config_sequence: int
    is_config: bool


Spoken: TypeAlias = Message | Submit


def encode(message: Spoken) -> bytes:
    """A message as bytes."""
    fields = {name: _plain(getattr(message, name)) for name in message.__slots__}
    return json.dumps({"kind": type(message).__name__, **fields}).encode()


def decode(data: bytes) -> Spoken:
    """The message; MalformedMessage."""
    fields = _object(data)
    read = _READERS.get(str(fields.get("kind")))
    if read is None:
        raise MalformedMessage(_WHAT, f"unknown kind {fields.get('kind')!r}")
    try:
        return read(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMessage(_WHAT, f"{fields['kind']}: {error!r}") from error


def encode_votes(votes: Votes) -> bytes:
    """Votes as bytes to store."""
    fields = {name: _plain(getattr(votes, name)) for name in votes.__slots__}
    return json.dumps(fields).encode()


def decode_votes(data: bytes) -> Votes:
    """Stored votes; MalformedMessage."""
    fields = _object(data)
    try:
        return Votes(
            _number(fields["height"]),
            _ballot(fields["promised"]),
            _ballot(fields["accepted"]),
            _optional(fields["value"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedMessage("POCA votes", repr(error)) from error


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Candidate):
        return [_plain(value.block), _plain(value.proof)]
    return value


def _object(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(_WHAT, f"is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedMessage(_WHAT, "is no JSON object")
    return fields


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise ValueError(f"{value!r} is no number")
    return value


def _ballot(value: Any) -> Ballot:  # noqa: ANN401 - whatever JSON holds
    attempt, consenter = value
    return Ballot(_number(attempt), _number(consenter + 1) - 1)


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("is no text")
    return base64.b64decode(value, validate=True)


def _candidate(value: Any) -> Candidate:  # noqa: ANN401
    block, proof = value
    return Candidate(_bytes(block), _bytes(proof))


def _optional(value: object) -> Candidate | None:
    return None if value is None else _candidate(value)


_READERS: dict[str, Callable[[dict[str, Any]], Spoken]] = {
    "Submit": lambda f: Submit(
        _bytes(f["envelope"]), _number(f["config_sequence"]), f["is_config"] is True
    ),
    "Prepare": lambda f: Prepare(
        _number(f["height"]), _ballot(f["ballot"]), _candidate(f["candidate"])
    ),
    "Promise": lambda f: Promise(
        _number(f["height"]),
        _ballot(f["ballot"]),
        _ballot(f["accepted"]),
        _optional(f["value"]),
    ),
    "Accept": lambda f: Accept(
        _number(f["height"]), _ballot(f["ballot"]), _candidate(f["candidate"])
    ),
    "Accepted": lambda f: Accepted(_number(f["height"]), _ballot(f["ballot"])),
    "Reject": lambda f: Reject(_number(f["height"]), _ballot(f["promised"])),
    "Decided": lambda f: Decided(_number(f["height"]), _candidate(f["candidate"])),
    "Ask": lambda f: Ask(_number(f["height"])),
}

"""The dialogues of a real Fabric network, message by message (shared golden/wire)."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from gridloom.common.rpc import RpcError

from .shared import shared

M = TypeVar("M", bound=Message)


def recorded(number: int, message_type: type[M]) -> M:
    """The message with this number in its file name."""
    return message_type.FromString(_file(number, ".pb").read_bytes())


def recorded_bytes(number: int) -> bytes:
    """The bytes of the message with this number."""
    return _file(number, ".pb").read_bytes()


def _file(number: int, suffix: str) -> Path:
    (path,) = shared("golden", "wire").glob(f"{number:02}-*{suffix}")
    return path


def status_bytes(error: RpcError) -> bytes:
    """An error as a real peer would put it on the wire."""
    status = Status(code=int(error.code), message=error.message)
    for detail in error.details:
        status.details.add().Pack(detail)
    return bytes(status.SerializeToString(deterministic=True))

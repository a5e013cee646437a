"""The status of a remote call: gRPC's codes, and the error that carries one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from google.protobuf.message import Message

from ..errors import GridloomError


class Code(IntEnum):
    """gRPC's status codes, by their numbers on the wire (google/rpc/code.proto)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RpcError(GridloomError):
    """A call that ended with a status other than OK, on either side of the wire.

    code: the status; message: its text; details: protobuf messages that travel in the
    ``grpc-status-details-bin`` trailer as a google.rpc.Status, such as gateway.ErrorDetail.
    """

    def __init__(self, code: Code, message: str, details: Sequence[Message] = ()) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        self.message = message
        self.details = tuple(details)

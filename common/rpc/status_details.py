"""How an error's details travel: the ``grpc-status-details-bin`` trailer.

(grpc's convention: a google.rpc.Status that repeats code and message)
"""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status

from .status import RpcError

DETAILS_TRAILER = "grpc-status-details-bin"


def pack_details(error: RpcError) -> bytes:
    """Return the trailer's value; details that are an Any already go as they are."""
    status = Status(code=int(error.code), message=error.message)
    for detail in error.details:
        if isinstance(detail, AnyMessage):
            status.details.append(detail)
        else:
            status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def unpack_details(trailer: bytes) -> Sequence[Message]:
    """Return the details of a trailer, each an Any; none if it does not parse.

    They are an extra: the code and message stand without them.
    """
    status = Status()
    try:
        status.ParseFromString(trailer)
    except DecodeError:
        return ()
    return tuple(status.details)

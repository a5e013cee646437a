"""How a call ends: the response's headers and trailers (grpc: PROTOCOL-HTTP2.md, Responses)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple
from urllib.parse import quote, unquote

from google.protobuf.message import Message

from ..status import Code, RpcError
from ..status_details import DETAILS_TRAILER, pack_details, unpack_details
from .header_blocks import Fields, block
from .messages import ENCODINGS

_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_RESPONSE = [(":status", "200"), ("content-type", "application/grpc")]

RESPONSE = block([*_RESPONSE, ("grpc-accept-encoding", ENCODINGS)])
"""The headers of every response that has a message."""
SUCCESS = block([("grpc-status", "0")])
"""The trailers of every call that went well."""

_CUT = " ..."
"""What stands for the rest of a message that is too long."""

_HTTP_CODES = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}
"""grpc: doc/http-grpc-status-mapping.md"""


def refusal(status: int) -> bytes:
    """Return the headers that answer what is no call of gRPC."""
    return block([(":status", str(status)), ("content-type", "text/plain")])


def failure(error: RpcError, *, first: bool, largest: int = 2**31) -> bytes:
    """Return the trailers of a call that failed.

    first: no headers went before; largest: bytes that the client takes, for which details go
    without, and then the message is cut.
    """
    fields = _fields(error, first)
    if _size(fields) > largest:
        fields = _fields(RpcError(error.code, error.message), first)
    if (excess := _size(fields) - largest) > 0:
        name, quoted = fields.pop()
        shorter = quoted[: -(excess + len(_CUT))]
        fields.append((name, re.sub("%.?$", "", shorter) + _CUT))
    return block(fields)


def _size(fields: list[tuple[str, str]]) -> int:
    """Return what fields count by RFC 7541, 4.1."""
    return sum(len(name) + len(value) + 32 for name, value in fields)


def _fields(error: RpcError, first: bool) -> list[tuple[str, str]]:
    fields = list(_RESPONSE) if first else []
    fields.append(("grpc-status", str(int(error.code))))
    if error.message:
        fields.append(("grpc-message", quote(error.message, safe=_PLAIN)))
    if error.details:
        packed = base64.b64encode(pack_details(error)).rstrip(b"=")
        fields.append((DETAILS_TRAILER, packed.decode()))
    return fields


class Said(NamedTuple):
    """What a block of a response says.

    http: its HTTP status, None in trailers, 0 if it is none; grpc: whether its type is gRPC's;
    code, message, details: how the call ended, code None where that is not said.
    """

    http: int | None = None
    grpc: bool = False
    encoding: bytes = b"identity"
    code: Code | None = None
    message: str = ""
    details: tuple[Message, ...] = ()

    @property
    def informational(self) -> bool:
        """Whether this is not the response's own block yet."""
        return self.http is not None and self.http // 100 == 1

    @property
    def error(self) -> RpcError | None:
        """How the call failed, None if it did not."""
        if self.code is Code.OK:
            return None
        if self.code is None:
            http = self.http or 0
            code = _HTTP_CODES.get(http, Code.UNKNOWN)
            return RpcError(code, f"grpc: HTTP status {http or 'missing'} without a gRPC status")
        return RpcError(self.code, self.message, self.details)


def read_said(fields: Fields) -> Said:
    """Return what a response's fields say."""
    said = dict(fields)
    http = said.get(b":status")
    code, message = None, ""
    details: tuple[Message, ...] = ()
    if b"grpc-status" in said:
        code = _code(said[b"grpc-status"])
        message = unquote(said.get(b"grpc-message", b"").decode(errors="replace"))
        details = _details(said.get(DETAILS_TRAILER.encode(), b""))
    return Said(
        http=None if http is None else int(http) if re.fullmatch(rb"[1-9][0-9]{2}", http) else 0,
        grpc=said.get(b"content-type", b"").startswith(b"application/grpc"),
        encoding=said.get(b"grpc-encoding", b"identity"),
        code=code,
        message=message,
        details=details,
    )


def _code(status: bytes) -> Code:
    try:
        return Code(int(status))
    except ValueError:
        return Code.UNKNOWN


def _details(packed: bytes) -> tuple[Message, ...]:
    try:
        return tuple(unpack_details(base64.b64decode(packed + b"=" * (-len(packed) % 4))))
    except binascii.Error:
        return ()

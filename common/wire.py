"""Parsing protobuf messages that came from somewhere else.

Every message from the network or from disk is read through :func:`parse`, so that
malformed bytes always become the same error, naming what was expected
(Fabric: the ``UnmarshalXxx`` functions of protoutil).
"""

from __future__ import annotations

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from .errors import MalformedMessage

M = TypeVar("M", bound=Message)


def parse(message_type: type[M], data: bytes, what: str = "") -> M:
    """Return ``data`` as a ``message_type``; MalformedMessage(what, reason) if it is not one.

    what: how an error names the message; the type's full name when empty.
    """
    try:
        return message_type.FromString(data)
    except DecodeError as error:
        raise MalformedMessage(what or message_type.DESCRIPTOR.full_name, str(error)) from error

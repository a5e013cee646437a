"""Telling what a file of the channel configuration holds, as message or as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping

from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)

from ..errors import GridloomError, MalformedMessage
from ..wire import parse
from .decoding import Json, decode
from .encoding import encode

KINDS: Mapping[str, type[Message]] = {
    "block": Block,
    "config": Config,
    "envelope": Envelope,
    "update": ConfigUpdate,
    "config-envelope": ConfigEnvelope,
    "update-envelope": ConfigUpdateEnvelope,
    "group": ConfigGroup,
}
"""Short names of what is handled most; any full name will do too.

An envelope comes before an update, for its payload might pass for the name of a channel.
"""

_FULL_NAME = re.compile(r"[a-z]+(\.[A-Za-z0-9]+)+")


class UnknownKind(GridloomError):
    """A name that no message has, or content that no kind explains."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; name one of {', '.join(KINDS)}, or a type such as common.Block")
        self.what = what


def kind_named(name: str) -> type[Message]:
    """Return the message type with a short name, or a full one such as common.Config."""
    if name in KINDS:
        return KINDS[name]
    try:
        if _FULL_NAME.fullmatch(name):
            return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    except KeyError:
        pass
    raise UnknownKind(f"there is no message {name!r}")


def recognise(data: bytes) -> Message:
    """Return the message of a file: of the first kind that explains all of its bytes."""
    for kind in KINDS.values():
        try:
            message = parse(kind, data)
            if data and _explains(message):
                return message
        except MalformedMessage:
            continue
    raise UnknownKind("this is no message of a channel configuration")


def recognise_json(tree: Json) -> type[Message]:
    """Return the kind a JSON document describes: the first that has all of its fields."""
    for kind in KINDS.values():
        fields = set(kind.DESCRIPTOR.fields_by_name)
        if isinstance(tree, dict) and tree and tree.keys() <= fields:
            return kind
    raise UnknownKind("this JSON describes no message of a channel configuration")


def _explains(message: Message) -> bool:
    """Whether nothing of a message, and of those within it, is unknown."""
    return encode(type(message), decode(message)).ByteSize() == message.ByteSize()

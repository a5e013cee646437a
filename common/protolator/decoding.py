"""The walk over a message that makes JSON of it.

Field names are those of the .proto files.  64-bit integers are text, bytes base64, enums
names, times RFC 3339; unset messages, and empty bytes that would hold one, are null.
"""

from __future__ import annotations

import base64
from typing import Any

from google.protobuf.message import Message

from ..errors import MalformedMessage
from ..go_json import go_json
from ..wire import parse
from .fields import Field, Kind, Shape, fields_of
from .opaque import content_type, depends

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

DEPTH_LIMIT = 100
"""Messages within messages that are followed; a transaction may carry another without end."""


def decode(message: Message) -> dict[str, Json]:
    """Return ``message`` as a JSON tree; MalformedMessage names an opaque part that is none."""
    return _message(message, "", DEPTH_LIMIT)


def render(tree: Json) -> str:
    """Return a tree as text, as Go's encoder writes it: sorted keys, tabs, no bare < > &."""
    return go_json(tree, indent="\t", sort_keys=True) + "\n"


def _message(message: Message, key: str, depth: int) -> dict[str, Json]:
    if not depth:
        name = message.DESCRIPTOR.full_name
        raise MalformedMessage(name, f"more than {DEPTH_LIMIT} messages within each other")
    tree: dict[str, Json] = {}
    for name, field in fields_of(message).items():
        if field.presence and not message.HasField(name):
            if not field.choice:
                tree[name] = None
            continue
        value: Any = getattr(message, name)
        match field.shape:
            case Shape.MAP:
                tree[name] = {
                    str(k): _value(value[k], field, message, str(k), depth) for k in value
                }
            case Shape.LIST:
                tree[name] = [_value(each, field, message, key, depth) for each in value]
            case Shape.ONE:
                tree[name] = _value(value, field, message, key, depth)
    return tree


def _value(value: Any, field: Field, message: Message, key: str, depth: int) -> Json:  # noqa: ANN401
    """One value of a field; key: under which it, or its message, stands in a map."""
    tree: Json
    match field.kind:
        case Kind.MESSAGE:
            tree = _message(value, key, depth - 1)
        case Kind.TIME:
            try:
                tree = value.ToJsonString()
            except ValueError as error:
                raise MalformedMessage(field.full_name, str(error)) from error
        case Kind.BYTES:
            tree = _bytes(value, field, message, key, depth)
        case Kind.ENUM:
            tree = field.names.get(value, value)
        case Kind.LONG:
            tree = str(value)
        case Kind.TEXT | Kind.BOOL | Kind.INTEGER:
            tree = value
    return tree


def _bytes(value: bytes, field: Field, message: Message, key: str, depth: int) -> Json:
    content = content_type(field.full_name, message, key)
    if content is not None:
        inner = parse(content, value, field.full_name)
        return _message(inner, "", depth - 1) if value else None
    # What would hold a message if its type were known is null when empty, as one is.
    return base64.b64encode(value).decode() if value or not depends(field.full_name) else None

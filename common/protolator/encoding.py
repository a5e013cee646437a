"""The walk over JSON that makes a message of it again."""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import Message

from ..errors import GridloomError
from .decoding import DEPTH_LIMIT, Json
from .fields import Field, Kind, Shape, fields_of
from .opaque import content_type, depends

M = TypeVar("M", bound=Message)
_INTEGER = re.compile(r"-?[0-9]{1,20}")


class NotThisMessage(GridloomError):
    """JSON that does not describe the message: where (``payload.header``), and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path or 'the document'}: {reason}")
        self.path = path
        self.reason = reason


class _Place(NamedTuple):
    """Where the walk is: path, for errors; key, of the map entry it is in; levels left."""

    path: str = ""
    key: str = ""
    depth: int = DEPTH_LIMIT

    def field(self, name: str) -> _Place:
        """A field of the message here."""
        return self._replace(path=f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> _Place:
        """An item of the list here."""
        return self._replace(path=f"{self.path}[{index}]")

    def entry(self, key: str) -> _Place:
        """An entry of the map here."""
        return self.field(key)._replace(key=key)

    def inside(self) -> _Place:
        """The message here, entered."""
        if not self.depth:
            reason = f"more than {DEPTH_LIMIT} messages within each other"
            raise NotThisMessage(self.path, reason)
        return self._replace(depth=self.depth - 1)


def encode(message_type: type[M], tree: Json) -> M:
    """Return the message a JSON tree describes; NotThisMessage says what is wrong where.

    Messages inside bytes fields are serialised with their maps in key order.  Base64 stands
    for such a message as well.
    """
    message = message_type()
    _fill(message, tree, _Place())
    return message


def _fill(message: Message, tree: Json, place: _Place) -> None:
    place = place.inside()
    if not isinstance(tree, dict):
        name = message.DESCRIPTOR.full_name
        raise NotThisMessage(place.path, f"expected an object, for {name}")
    fields = fields_of(message)
    for name in tree:
        if name not in fields:
            known = ", ".join(fields)
            raise NotThisMessage(place.field(name).path, f"unknown field; there is: {known}")
    # Fields whose meaning depends on their neighbours come last.
    for name in sorted(tree, key=lambda each: depends(fields[each].full_name)):
        if tree[name] is not None:
            _set(message, fields[name], tree[name], place.field(name))


def _set(message: Message, field: Field, value: Json, place: _Place) -> None:
    match field.shape:
        case Shape.MAP:
            _set_map(message, field, value, place)
        case Shape.LIST:
            _set_list(message, field, value, place)
        case Shape.ONE if field.kind in (Kind.MESSAGE, Kind.TIME):
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill_value(inner, field, value, place)
        case Shape.ONE:
            scalar = _scalar(message, field, value, place)
            _checked(place, setattr, message, field.name, scalar)


def _set_list(message: Message, field: Field, value: Json, place: _Place) -> None:
    if not isinstance(value, list):
        raise NotThisMessage(place.path, "expected a list")
    target: Any = getattr(message, field.name)
    for index, each in enumerate(value):
        if field.kind in (Kind.MESSAGE, Kind.TIME):
            _fill_value(target.add(), field, each, place.item(index))
        else:
            item = _scalar(message, field, each, place.item(index))
            _checked(place.item(index), target.append, item)


def _set_map(message: Message, field: Field, value: Json, place: _Place) -> None:
    if not isinstance(value, dict):
        raise NotThisMessage(place.path, "expected an object")
    target: Any = getattr(message, field.name)
    for name, each in value.items():
        where = place.entry(name)
        entry = name if field.key is Kind.TEXT else _integer(name, where)
        if field.kind is Kind.MESSAGE:
            _fill(_checked(where, target.__getitem__, entry), each, where)
        else:
            item = _scalar(message, field, each, where)
            _checked(where, target.__setitem__, entry, item)


def _fill_value(inner: Any, field: Field, value: Json, place: _Place) -> None:  # noqa: ANN401
    """Fill a message, or set a time."""
    if field.kind is Kind.MESSAGE:
        _fill(inner, value, place)
    elif isinstance(value, str):
        _checked(place, inner.FromJsonString, value)
    else:
        raise NotThisMessage(place.path, "expected a time such as 2026-01-31T12:00:00Z")


def _scalar(message: Message, field: Field, value: Json, place: _Place) -> bool | int | str | bytes:
    if field.kind is Kind.BYTES:
        return _bytes(message, field, value, place)
    if field.kind is Kind.BOOL:
        if isinstance(value, bool):
            return value
        raise NotThisMessage(place.path, "expected true or false")
    if field.kind is Kind.TEXT:
        if isinstance(value, str):
            return value
        raise NotThisMessage(place.path, "expected text")
    if field.kind is Kind.ENUM and isinstance(value, str):
        if value in field.numbers:
            return field.numbers[value]
        raise NotThisMessage(place.path, f"{value!r} is none of {', '.join(field.numbers)}")
    return _integer(value, place)


def _bytes(message: Message, field: Field, value: Json, place: _Place) -> bytes:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except ValueError as error:
            raise NotThisMessage(place.path, f"not base64: {error}") from error
    content = content_type(field.full_name, message, place.key)
    if content is None:
        raise NotThisMessage(place.path, "expected base64 text")
    inner = content()
    _fill(inner, value, place._replace(key=""))
    return inner.SerializeToString(deterministic=True)


def _integer(value: Json, place: _Place) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise NotThisMessage(place.path, "expected a whole number")


def _checked(place: _Place, change: Any, *arguments: object) -> Any:  # noqa: ANN401 - a setter
    """Call what changes a message; it knows the range of its numbers and what text may hold."""
    try:
        return change(*arguments)
    except (ValueError, TypeError) as error:
        raise NotThisMessage(place.path, str(error)) from error

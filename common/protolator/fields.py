"""What the walks need to know of a message's fields, read once from its descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp


class Shape(Enum):
    """How often a field holds its kind of thing."""

    ONE = auto()
    LIST = auto()
    MAP = auto()


class Kind(Enum):
    """What a field holds; LONG has 64 bits, and is text in JSON."""

    MESSAGE = auto()
    TIME = auto()
    BYTES = auto()
    TEXT = auto()
    BOOL = auto()
    INTEGER = auto()
    LONG = auto()
    ENUM = auto()


_KINDS = {
    FieldDescriptor.CPPTYPE_MESSAGE: Kind.MESSAGE,
    FieldDescriptor.CPPTYPE_STRING: Kind.TEXT,
    FieldDescriptor.CPPTYPE_BOOL: Kind.BOOL,
    FieldDescriptor.CPPTYPE_INT32: Kind.INTEGER,
    FieldDescriptor.CPPTYPE_UINT32: Kind.INTEGER,
    FieldDescriptor.CPPTYPE_INT64: Kind.LONG,
    FieldDescriptor.CPPTYPE_UINT64: Kind.LONG,
    FieldDescriptor.CPPTYPE_ENUM: Kind.ENUM,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field; of a map it describes the values.

    key: the kind of a map's keys; presence: whether set and empty differ; choice: whether it
    is one of several that exclude each other; names: of an enum's numbers.
    """

    name: str
    full_name: str
    shape: Shape
    kind: Kind
    key: Kind
    presence: bool
    choice: bool
    names: Mapping[int, str]

    @property
    def numbers(self) -> dict[str, int]:
        """The enum's numbers by name."""
        return {name: number for number, name in self.names.items()}


def fields_of(message: Message) -> Mapping[str, Field]:
    """Return the fields of a message by name, in the order of its declaration."""
    return _fields(message.DESCRIPTOR)


@cache
def _fields(descriptor: Any) -> dict[str, Field]:  # noqa: ANN401 - as below
    # The stubs know two kinds of descriptors that have the same attributes.
    described: list[Any] = list(descriptor.fields)
    return {each.name: _field(each) for each in described}


def _field(described: Any) -> Field:  # noqa: ANN401 - a descriptor of either kind
    inner, shape, key = described, Shape.ONE, Kind.TEXT
    if described.message_type is not None and described.message_type.GetOptions().map_entry:
        entry = described.message_type.fields_by_name
        inner, shape, key = entry["value"], Shape.MAP, _KINDS[entry["key"].cpp_type]
    elif described.is_repeated:
        shape = Shape.LIST
    enum = inner.enum_type
    return Field(
        name=described.name,
        full_name=described.full_name,
        shape=shape,
        kind=_kind(inner),
        key=key,
        presence=described.has_presence,
        choice=described.containing_oneof is not None,
        names={} if enum is None else {each.number: each.name for each in enum.values},
    )


def _kind(described: Any) -> Kind:  # noqa: ANN401 - a descriptor of either kind
    if described.type == FieldDescriptor.TYPE_BYTES:
        return Kind.BYTES
    if described.message_type is Timestamp.DESCRIPTOR:
        return Kind.TIME
    return _KINDS[described.cpp_type]

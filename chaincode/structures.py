"""Converters of JSON values: lists, tuples, mappings, dataclasses, optional and free values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import ChaincodeError, ContractError
from .scalars import Bytes, Integer, Scalar, Text
from .serialization import Mismatch, read_json, write_json

JsonSchema = dict[str, object]


class Schemas(Protocol):
    """Collects the schemas of named types (``components/schemas`` of the metadata)."""

    def reference(self, converter: Record) -> JsonSchema:
        """Return a ``$ref`` to the record's schema."""
        ...


class Converter(Protocol):
    """Between Python values of one type and their JSON, argument and schema forms.

    Every method that converts raises Mismatch.
    """

    @property
    def name(self) -> str:
        """The type as one writes it."""
        ...

    def from_json(self, value: object) -> Any:  # noqa: ANN401
        """Return the Python value of a value read from JSON."""
        ...

    def to_json(self, value: Any) -> object:  # noqa: ANN401
        """Return what to write as JSON for a Python value."""
        ...

    def from_argument(self, data: bytes) -> Any:  # noqa: ANN401
        """Return the Python value of a transaction argument."""
        ...

    def to_argument(self, value: Any) -> bytes:  # noqa: ANN401
        """Return the bytes of a Python value as argument or result."""
        ...

    def schema(self, schemas: Any) -> JsonSchema:  # noqa: ANN401
        """Return the JSON schema, naming records through ``schemas``."""
        ...


class Structure:
    """A converter whose argument form is a JSON document."""

    name = ""

    def from_json(self, value: object) -> Any:  # noqa: ANN401
        """Return the Python value of a value read from JSON."""
        raise NotImplementedError

    def to_json(self, value: Any) -> object:  # noqa: ANN401
        """Return what to write as JSON for a Python value."""
        raise NotImplementedError

    def from_argument(self, data: bytes) -> Any:  # noqa: ANN401
        """Read the argument as JSON."""
        try:
            value = read_json(data)
        except ValueError as error:
            raise Mismatch(self.name, data, f"not JSON: {error}") from None
        return self.from_json(value)

    def to_argument(self, value: object) -> bytes:
        """Write the value as JSON."""
        return write_json(self.to_json(value))


class Items(Structure):
    """list[T], or a tuple of any length."""

    def __init__(self, name: str, item: Converter, build: Callable[[list[Any]], Any]) -> None:
        self.name = name
        self._item = item
        self._build = build

    def from_json(self, value: object) -> object:
        if not isinstance(value, list):
            raise Mismatch(self.name, value)
        return self._build(_each(value, self._item.from_json))

    def to_json(self, value: object) -> list[object]:
        if not isinstance(value, list | tuple):
            raise Mismatch(self.name, value)
        return _each(value, self._item.to_json)

    def schema(self, schemas: Schemas) -> JsonSchema:
        return {"type": "array", "items": self._item.schema(schemas)}


def _each(values: Sequence[Any], convert: Callable[[Any], Any]) -> list[Any]:
    converted: list[Any] = []
    try:
        for value in values:
            converted.append(convert(value))
    except Mismatch as mismatch:
        raise mismatch.within(f"[{len(converted)}]") from None
    return converted


class Row(Structure):
    """tuple[A, B]: a JSON array of that length."""

    def __init__(self, name: str, items: Sequence[Converter]) -> None:
        self.name = name
        self._items = items

    def from_json(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(self._items):
            raise Mismatch(self.name, value)
        pairs = list(zip(self._items, value, strict=True))
        return tuple(_each(pairs, lambda pair: pair[0].from_json(pair[1])))

    def to_json(self, value: object) -> list[object]:
        if not isinstance(value, tuple) or len(value) != len(self._items):
            raise Mismatch(self.name, value)
        pairs = list(zip(self._items, value, strict=True))
        return _each(pairs, lambda pair: pair[0].to_json(pair[1]))

    def schema(self, schemas: Schemas) -> JsonSchema:
        return {"type": "array", "items": [item.schema(schemas) for item in self._items]}


class Table(Structure):
    """dict[K, V]: a JSON object whose names are the keys' bare text."""

    def __init__(self, name: str, key: Scalar, value: Converter) -> None:
        self.name = name
        self._key = key
        self._value = value

    def from_json(self, value: object) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise Mismatch(self.name, value)
        return {
            self._at(name, self._key.from_text, name): self._at(name, self._value.from_json, item)
            for name, item in value.items()
        }

    def to_json(self, value: object) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise Mismatch(self.name, value)
        return {
            self._at(key, self._key.to_text, key): self._at(key, self._value.to_json, item)
            for key, item in value.items()
        }

    def _at(self, key: object, convert: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401
        try:
            return convert(value)
        except Mismatch as mismatch:
            raise mismatch.within(f"[{key!r}]") from None

    def schema(self, schemas: Schemas) -> JsonSchema:
        return {"type": "object", "additionalProperties": self._value.schema(schemas)}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    converter: Converter
    required: bool


class Record(Structure):
    """A dataclass: a JSON object with its fields, no others, nested as they are."""

    def __init__(self, type_: type[Any]) -> None:
        self.name = type_.__name__
        self.type = type_
        self.fields: tuple[Field, ...] = ()
        self._names: frozenset[str] = frozenset()
        self._required: frozenset[str] = frozenset()

    def complete(self, fields: Sequence[Field]) -> None:
        """Set the fields, which may refer to this very record."""
        self.fields = tuple(fields)
        self._names = frozenset(field.name for field in fields)
        self._required = frozenset(field.name for field in fields if field.required)

    def from_json(self, value: object) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            raise Mismatch(self.name, value)
        if not self._required <= value.keys():
            missing = ", ".join(sorted(self._required - value.keys()))
            raise Mismatch(self.name, value, f"missing {missing}")
        if not value.keys() <= self._names:
            extra = ", ".join(sorted(value.keys() - self._names))
            raise Mismatch(self.name, value, f"no such field: {extra}")
        values: dict[str, Any] = {}
        for field in self.fields:
            if field.name in value:
                try:
                    values[field.name] = field.converter.from_json(value[field.name])
                except Mismatch as mismatch:
                    raise mismatch.within(f".{field.name}") from None
        try:
            return self.type(**values)
        except ChaincodeError:
            raise
        except (ValueError, TypeError) as error:  # what a __post_init__ has to say
            raise Mismatch(self.name, value, str(error)) from error

    def to_json(self, value: object) -> dict[str, object]:
        if type(value) is not self.type and not isinstance(value, self.type):
            raise Mismatch(self.name, value)
        document: dict[str, object] = {}
        for field in self.fields:
            try:
                document[field.name] = field.converter.to_json(getattr(value, field.name))
            except Mismatch as mismatch:
                raise mismatch.within(f".{field.name}") from None
        return document

    def schema(self, schemas: Schemas) -> JsonSchema:
        return schemas.reference(self)


class Nothing(Structure):
    """None: an empty argument or result."""

    name = "None"

    def from_json(self, value: object) -> None:
        if value is not None:
            raise Mismatch(self.name, value)

    def to_json(self, value: object) -> None:
        if value is not None:
            raise Mismatch(self.name, value)

    def from_argument(self, data: bytes) -> None:
        if data not in {b"", b"null"}:
            raise Mismatch(self.name, data)

    def to_argument(self, value: object) -> bytes:
        self.to_json(value)
        return b""

    def schema(self, schemas: Schemas) -> JsonSchema:
        return {"type": "null"}


class Maybe(Structure):
    """T | None: ``null`` in JSON; as an argument empty, or ``null`` unless T is text or bytes."""

    def __init__(self, inner: Converter) -> None:
        self.name = f"{inner.name} | None"
        self._inner = inner
        self._null = {b""} if isinstance(inner, Text | Bytes) else {b"", b"null"}

    def from_json(self, value: object) -> Any:  # noqa: ANN401
        return None if value is None else self._named(self._inner.from_json, value)

    def to_json(self, value: object) -> object:
        return None if value is None else self._named(self._inner.to_json, value)

    def from_argument(self, data: bytes) -> Any:  # noqa: ANN401
        return None if data in self._null else self._named(self._inner.from_argument, data)

    def to_argument(self, value: object) -> bytes:
        return b"" if value is None else self._named(self._inner.to_argument, value)

    def _named(self, convert: Callable[[Any], Any], value: object) -> Any:  # noqa: ANN401
        try:
            return convert(value)
        except Mismatch as mismatch:
            if not mismatch.path and mismatch.expected == self._inner.name:
                mismatch.expected = self.name
            raise

    def schema(self, schemas: Schemas) -> JsonSchema:
        schema = self._inner.schema(schemas)
        return {**schema, "type": [schema["type"], "null"]} if "type" in schema else schema


class Free(Structure):
    """Any, or no hint: any JSON; on the way out every type that has a converter.

    convert_type returns the converter of a class; ContractError if there is none.
    """

    name = "JSON"

    def __init__(self, convert_type: Callable[[type[Any]], Converter]) -> None:
        self._of = convert_type

    def from_json(self, value: object) -> object:
        return value

    def to_json(self, value: object) -> object:
        if value is None:
            return None
        if isinstance(value, list | tuple):
            return _each(value, self.to_json)
        if isinstance(value, Mapping):
            return Table(self.name, _KEY, self).to_json(value)
        return self._converter(value).to_json(value)

    def to_argument(self, value: object) -> bytes:
        if value is None:
            return b""
        if isinstance(value, list | tuple | Mapping):
            return write_json(self.to_json(value))
        return self._converter(value).to_argument(value)

    def _converter(self, value: object) -> Converter:
        try:
            found = self._of(type(value))
        except ContractError as error:
            raise Mismatch(self.name, value, error.reason) from None
        if isinstance(found, Free):
            raise Mismatch(self.name, value, "a bare object holds nothing")
        return found

    def schema(self, schemas: Schemas) -> JsonSchema:
        return {}


class FreeKey(Scalar):
    """The names of a free JSON object: text, or integers as text."""

    name = "str"

    def to_text(self, value: object) -> str:
        return Integer().to_text(value) if isinstance(value, int) else Text().to_text(value)


_KEY = FreeKey()

"""Converters of plain values: int, str, bool, Decimal, bytes, datetime, date, enumerations.

As an argument or result a scalar is its bare text, as the official contract APIs have it
(``5``, ``true``, ``12.50``); inside JSON it is a JSON value, see each class.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from .serialization import Mismatch

_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MAX_EXPONENT = 6144  # of IEEE 754 decimal128; a larger one writes megabytes of zeros


class Scalar:
    """A converter whose argument form is text; subclasses say how the text reads."""

    name = ""

    def from_text(self, text: str) -> Any:  # noqa: ANN401  # a converter's value is of its own type
        """Return the value of the bare text."""
        raise NotImplementedError

    def to_text(self, value: Any) -> str:  # noqa: ANN401
        """Return the bare text of a value of this type."""
        raise NotImplementedError

    def schema(self, schemas: object) -> dict[str, object]:
        """Return the JSON schema of the value."""
        raise NotImplementedError

    def from_json(self, value: object) -> Any:  # noqa: ANN401
        """Return the value read from JSON: text, unless a subclass says otherwise."""
        if type(value) is not str:
            raise Mismatch(self.name, value)
        return self.from_text(value)

    def to_json(self, value: object) -> object:
        """Return the value as it stands in JSON."""
        return self.to_text(value)

    def from_argument(self, data: bytes) -> Any:  # noqa: ANN401
        """Return the value of an argument's bytes."""
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Mismatch(self.name, data, "not UTF-8") from None
        return self.from_text(text)

    def to_argument(self, value: object) -> bytes:
        """Return the bytes of a value as argument or result."""
        return self.to_text(value).encode()


class Text(Scalar):
    """str."""

    name = "str"

    def from_text(self, text: str) -> str:
        return text

    def to_text(self, value: object) -> str:
        if not isinstance(value, str):
            raise Mismatch(self.name, value)
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Mismatch(self.name, value, "a lone surrogate is not a character") from None
        return str(value)

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "string"}


class Integer(Scalar):
    """int of any size: digits with an optional minus sign; a JSON number."""

    name = "int"

    def from_text(self, text: str) -> int:
        if _INTEGER.fullmatch(text) is None:
            raise Mismatch(self.name, text)
        try:
            return int(text)
        except ValueError as error:  # more digits than Python converts
            raise Mismatch(self.name, text, str(error)) from None

    def to_text(self, value: object) -> str:
        return str(self.to_json(value))

    def from_json(self, value: object) -> int:
        if type(value) is not int:
            raise Mismatch(self.name, value)
        return value

    def to_json(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Mismatch(self.name, value)
        return int(value)

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "integer"}


class Boolean(Scalar):
    """bool: ``true`` or ``false`` in any case."""

    name = "bool"

    def from_text(self, text: str) -> bool:
        match text.lower():
            case "true":
                return True
            case "false":
                return False
            case _:
                raise Mismatch(self.name, text)

    def to_text(self, value: object) -> str:
        return "true" if self.to_json(value) else "false"

    def from_json(self, value: object) -> bool:
        if type(value) is not bool:
            raise Mismatch(self.name, value)
        return value

    def to_json(self, value: object) -> bool:
        if type(value) is not bool:
            raise Mismatch(self.name, value)
        return value

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "boolean"}


class DecimalNumber(Scalar):
    """Decimal, exact: a string in JSON, so that no reader rounds it; a JSON number is read too."""

    name = "Decimal"

    def from_text(self, text: str) -> Decimal:
        if _DECIMAL.fullmatch(text) is None:
            raise Mismatch(self.name, text)
        try:
            return self._bounded(Decimal(text))
        except InvalidOperation:  # an exponent beyond what decimal can hold
            raise Mismatch(self.name, text, f"an exponent over {_MAX_EXPONENT}") from None

    def from_json(self, value: object) -> Decimal:
        if type(value) is int:
            return Decimal(value)
        if isinstance(value, Decimal):
            return self._bounded(value)
        decimal: Decimal = super().from_json(value)
        return decimal

    def to_text(self, value: object) -> str:
        if not isinstance(value, Decimal):
            raise Mismatch(self.name, value)
        return format(self._bounded(value), "f")

    def _bounded(self, value: Decimal) -> Decimal:
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            raise Mismatch(self.name, value, "not a finite number")
        if abs(exponent) > _MAX_EXPONENT:
            raise Mismatch(self.name, value, f"an exponent over {_MAX_EXPONENT}")
        return value

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "string", "format": "decimal"}


class Bytes(Scalar):
    """bytes: as they are in an argument or result, base64 in JSON."""

    name = "bytes"

    def from_argument(self, data: bytes) -> bytes:
        return data

    def to_argument(self, value: object) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise Mismatch(self.name, value)
        return bytes(value)

    def from_text(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Mismatch(self.name, text, "base64 is expected here") from None

    def to_text(self, value: object) -> str:
        return base64.b64encode(self.to_argument(value)).decode("ascii")

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "string", "format": "byte"}


class Timestamp(Scalar):
    """datetime with a zone, as RFC 3339; always UTC once inside."""

    name = "datetime"

    def from_text(self, text: str) -> datetime:
        if _TIMESTAMP.fullmatch(text) is None:
            raise Mismatch(self.name, text, "RFC 3339 with a zone, as in 2026-11-20T10:30:00Z")
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Mismatch(self.name, text, str(error)) from None

    def to_text(self, value: object) -> str:
        if not isinstance(value, datetime):
            raise Mismatch(self.name, value)
        if value.tzinfo is None:
            raise Mismatch(self.name, value, "a time without a zone means another one elsewhere")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "string", "format": "date-time"}


class Day(Scalar):
    """date, as YYYY-MM-DD."""

    name = "date"

    def from_text(self, text: str) -> date:
        if _DATE.fullmatch(text) is None:
            raise Mismatch(self.name, text, "as in 2026-11-20")
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise Mismatch(self.name, text, str(error)) from None

    def to_text(self, value: object) -> str:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise Mismatch(self.name, value)
        return value.isoformat()

    def schema(self, schemas: object) -> dict[str, object]:
        return {"type": "string", "format": "date"}


class Choice(Scalar):
    """One of a fixed set: an Enum by its values, or a Literal; all str or all int."""

    def __init__(self, name: str, members: dict[str, object] | dict[int, object]) -> None:
        self._members: dict[Any, object] = dict(members)
        self._values = {member: value for value, member in self._members.items()}
        self._coding: Scalar = Text() if all(isinstance(v, str) for v in members) else Integer()
        self.name = f"{name} ({', '.join(map(str, members))})"

    def from_text(self, text: str) -> object:
        return self._member(self._plain(text, self._coding.from_text), text)

    def to_text(self, value: object) -> str:
        return str(self.to_json(value))

    def from_json(self, value: object) -> object:
        return self._member(self._plain(value, self._coding.from_json), value)

    def to_json(self, value: object) -> object:
        try:
            if not isinstance(value, bool):  # True equals 1, but is not the same choice
                return self._values[value]
        except (KeyError, TypeError):
            pass  # not hashable is not a member either
        raise Mismatch(self.name, value)

    def schema(self, schemas: object) -> dict[str, object]:
        return {**self._coding.schema(schemas), "enum": list(self._members)}

    def _plain(self, value: Any, read: Any) -> object:  # noqa: ANN401
        try:
            plain: object = read(value)
        except Mismatch:
            raise Mismatch(self.name, value) from None
        return plain

    def _member(self, plain: object, value: object) -> object:
        try:
            return self._members[plain]
        except KeyError:
            raise Mismatch(self.name, value) from None

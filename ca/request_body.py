"""The JSON body of a request, read as Go reads it into a struct.

Names of fields match in any case, null is as good as nothing, fields nobody knows are ignored;
a value of another type is refused with fabric-ca's code 5.  Unlike fabric-ca's, the refusal
does not repeat the body, which may hold a secret.  (Fabric: lib/serverrequestcontext.go ReadBody)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypeVar

from gridloom.common.documents import load_json

from .attributes import Attribute
from .refusals import Code, Refusal

T = TypeVar("T")

_INT: Final = 2**31  # what the database holds
_ZERO_TIME: Final = datetime(1, 1, 1, tzinfo=UTC)


class Body:
    """One JSON object."""

    def __init__(self, fields: Mapping[str, object], path: str = "") -> None:
        self._fields = {name.lower(): value for name, value in fields.items()}
        self._path = path

    @classmethod
    def parse(cls, data: bytes) -> Body:
        """Read a body, empty or an object; Refusal (400)."""
        if not data:
            return cls({})
        try:
            document = load_json(data.decode("utf-8", "replace"))
        except ValueError as error:
            raise invalid_body(f"not JSON: {error}") from error
        if document is None:
            return cls({})
        if not isinstance(document, dict):
            raise invalid_body("expected an object")
        return cls(document)

    def text(self, name: str) -> str:
        """A text, empty if it is not there."""
        value = self._get(name, str, "a string")
        return "" if value is None else _usable(value, self._named(name))

    def integer(self, name: str) -> int:
        """A whole number, 0 if it is not there."""
        value = self._fields.get(name.lower())
        if value is None:
            return 0
        if isinstance(value, bool) or not isinstance(value, int) or not -_INT <= value < _INT:
            raise invalid_body(f"{self._named(name)} is not a whole number of 32 bits")
        return value

    def flag(self, name: str) -> bool:
        """A boolean, False if it is not there."""
        return bool(self._get(name, bool, "a boolean"))

    def moment(self, name: str) -> datetime | None:
        """A time in RFC 3339, None for none and for Go's zero time."""
        text = self.text(name)
        try:
            moment = rfc3339(text) if text else None
        except ValueError as error:
            raise invalid_body(f"{self._named(name)}: {error}") from error
        return None if moment == _ZERO_TIME else moment

    def texts(self, name: str) -> list[str] | None:
        """A list of texts, None if it is not there."""
        values = self._get(name, list, "a list")
        if values is None:
            return None
        path = self._named(name)
        if not all(isinstance(value, str) for value in values):
            raise invalid_body(f"{path} holds what is not a string")
        return [_usable(value, path) for value in values]

    def objects(self, name: str) -> list[Body] | None:
        """A list of objects, None if it is not there."""
        values = self._get(name, list, "a list")
        if values is None:
            return None
        path = self._named(name)
        if not all(isinstance(value, dict) for value in values):
            raise invalid_body(f"{path} holds what is not an object")
        return [Body(value, path) for value in values]

    def object(self, name: str) -> Body | None:
        """An object, None if it is not there."""
        value = self._get(name, dict, "an object")
        return None if value is None else Body(value, self._named(name))

    def attributes(self) -> list[Attribute]:
        """The field ``attrs``."""
        return [
            Attribute(each.text("name"), each.text("value"), each.flag("ecert"))
            for each in self.objects("attrs") or ()
        ]

    def _get(self, name: str, kind: type[T], called: str) -> T | None:
        value = self._fields.get(name.lower())
        if value is None or isinstance(value, kind):
            return value
        raise invalid_body(f"{self._named(name)} is not {called}")

    def _named(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name


def invalid_body(reason: str) -> Refusal:
    """400 for a body that is not what it should be."""
    return Refusal(400, Code.BAD_BODY, f"Invalid request body: {reason}")


def rfc3339(text: str) -> datetime:
    """Read a moment with its offset from UTC; ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or "T" not in text.upper():
        raise ValueError(f"{text!r} is no RFC 3339 time")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


def _usable(text: str, name: str) -> str:
    """A text the database can hold: lone surrogates become U+FFFD as in Go, NUL is refused."""
    if "\x00" in text:
        raise invalid_body(f"{name} holds a NUL character")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

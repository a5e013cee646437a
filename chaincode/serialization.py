"""Deterministic JSON, the form of everything that is not a plain scalar.

Endorsing peers must produce identical bytes, so there is one way to write a value: sorted
keys, no blanks, UTF-8 as it is.  Binary floats are refused in both directions: their text
differs between languages and their sums depend on the order, which money and energy must
not.  Numbers with a fraction are read as Decimal.
(Fabric: fabric-contract-api's JSON serializer, with json-stringify-deterministic)
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from gridloom.common.errors import GridloomError

_SHOWN = 80


class Mismatch(GridloomError):
    """A value that does not fit its type hint.

    expected: the type as one writes it; path: the place within the argument, such as
    ``.lines[2].price``, grown on the way out of the nested converters.
    """

    def __init__(self, expected: str, value: object, reason: str = "") -> None:
        super().__init__(expected)
        self.expected = expected
        self.value = value
        self.reason = reason
        self.path = ""

    def within(self, step: str) -> Mismatch:
        """Return itself, with the place one step further out."""
        self.path = step + self.path
        return self

    def __str__(self) -> str:
        return self.sentence("the value")

    def sentence(self, subject: str, quote: str = "", *, hide: bool = False) -> str:
        """Say what is wrong with ``subject``, the parameter or value that was converted.

        quote: closes a quotation that the subject opened, after the place within it;
        hide: name the value's type only, for what may be private.
        """
        why = f" ({self.reason})" if self.reason else ""
        got = type(self.value).__name__ if hide else show(self.value)
        return f"{subject}{self.path}{quote} must be {self.expected}, got {got}{why}"


def show(value: object) -> str:
    """Return a short text of ``value`` for an error message."""
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            text = repr(data.decode())
        except UnicodeDecodeError:
            text = f"{len(data)} bytes {data[:16].hex()}"
    else:
        text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text} is out of range") from None


_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_decoder = json.JSONDecoder(parse_float=_exact, parse_constant=_refuse_constant)


def write_json(value: object) -> bytes:
    """Return the one JSON text of plain values (str, int, bool, None, list, dict)."""
    return _encoder.encode(value).encode()


def read_json(data: bytes) -> object:
    """Return the value of a JSON text; ValueError (also for bytes that are not UTF-8)."""
    try:
        value: object = _decoder.decode(data.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value

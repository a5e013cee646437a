"""Whether a document meets a condition, in plain Python: what the SQL is measured against.

It serves the memory store, and what SQL cannot say.  (CouchDB: mango_selector:match.)
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from functools import lru_cache

from .collation import order_key
from .documents import Document, Json
from .selector import (
    All,
    BeginsWith,
    Compare,
    Comparison,
    Condition,
    ContainsAll,
    Exists,
    Field,
    HasType,
    In,
    Match,
    Modulo,
    Not,
    Path,
    Quantifier,
    Regex,
    Size,
    Some,
    Test,
    Unlike,
    compile_pattern,
)

ID = ("_id",)
"""Path of the document's name, its key in the state; it compares bytewise."""


class Absent(Enum):
    """Why a path leads to no value: the last object has no such field, or nothing to enter."""

    FIELD = "field"
    WAY = "way"


def meets(condition: Condition, key: bytes, document: Document) -> bool:
    """Whether the document under this key meets the condition."""
    return _holds(condition, {**document, "_id": key.decode()}, top=True)


def value_at(value: Json, path: Path) -> Json | Absent:
    """The value at a path; of an array a number is an index."""
    for name in path:
        if isinstance(value, dict):
            if name not in value:
                return Absent.FIELD
            value = value[name]
        elif isinstance(value, list):
            place = _index(name)
            if place is None or place >= len(value):
                return Absent.WAY
            value = value[place]
        else:
            return Absent.WAY
    return value


def json_type(value: Json) -> str:
    """The name by which $type knows the value's type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return {str: "string", list: "array", dict: "object"}[type(value)]


def whole(value: Json) -> int | None:
    """The value as $mod sees it, None if it is no whole number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def remainder(number: int, divisor: int) -> int:
    """The remainder with the sign of the number, as Erlang and SQL have it."""
    found = abs(number) % abs(divisor)
    return -found if number < 0 else found


def compares(how: Comparison, left: bytes, right: bytes) -> bool:
    """Whether two order keys stand to each other as the comparison says."""
    match how:
        case Comparison.EQ:
            return left == right
        case Comparison.NE:
            return left != right
        case Comparison.LT:
            return left < right
        case Comparison.LTE:
            return left <= right
        case Comparison.GT:
            return left > right
        case Comparison.GTE:
            return left >= right


def id_key(argument: Json) -> bytes:
    """The order key of an argument that is compared with a document's name.

    Names come after everything that is no string.
    """
    return b"\x01" + argument.encode() if isinstance(argument, str) else b""


def _index(name: str) -> int | None:
    try:
        place = int(name) if name.isascii() and name.lstrip("+").isdigit() else None
    except ValueError:
        return None
    return place


def _holds(condition: Condition, value: Json, *, top: bool = False) -> bool:
    match condition:
        case All(conditions):
            return all(_holds(each, value, top=top) for each in conditions)
        case Some(conditions):
            return not conditions or any(_holds(each, value, top=top) for each in conditions)
        case Not(inner):
            return not _holds(inner, value, top=top)
        case Field(path, test):
            found = value_at(value, path)
            if isinstance(found, Absent):
                return found is Absent.FIELD and test == Exists(False)
            return _passes(test, found, is_id=top and path == ID)


def _passes(test: Test, value: Json, *, is_id: bool) -> bool:  # noqa: PLR0911 - one for each operator
    match test:
        case Unlike(inner):
            return not _passes(inner, value, is_id=is_id)
        case Compare(how, argument):
            return compares(how, _key(value, is_id), _key(argument, is_id))
        case In(arguments, negated):
            return _is_in(value, arguments, is_id) != negated
        case Exists(wanted):
            return wanted
        case HasType(name):
            return json_type(value) == name
        case Modulo(divisor, expected):
            number = whole(value)
            return number is not None and remainder(number, divisor) == expected
        case Regex(pattern):
            return isinstance(value, str) and _pattern(pattern).search(value) is not None
        case BeginsWith(prefix):
            return isinstance(value, str) and value.startswith(prefix)
        case Size(length):
            return isinstance(value, list) and len(value) == length
        case ContainsAll(arguments):
            return _contains_all(value, arguments)
        case Match(which, condition):
            return _matches(which, condition, value)


def _key(value: Json, is_id: bool) -> bytes:
    return id_key(value) if is_id else order_key(value)


def _is_in(value: Json, arguments: Sequence[Json], is_id: bool) -> bool:
    wanted = {_key(argument, is_id) for argument in arguments}
    if isinstance(value, list):
        return any(order_key(item) in wanted for item in value)
    return _key(value, is_id) in wanted


def _contains_all(value: Json, arguments: Sequence[Json]) -> bool:
    if not isinstance(value, list) or not arguments:
        return False
    present = {order_key(item) for item in value}
    if all(order_key(argument) in present for argument in arguments):
        return True
    only = arguments[0]
    return len(arguments) == 1 and isinstance(only, list) and order_key(only) == order_key(value)


def _matches(which: Quantifier, condition: Condition, value: Json) -> bool:
    if which is Quantifier.SOME_KEY:
        return isinstance(value, dict) and any(_holds(condition, name) for name in value)
    if not isinstance(value, list):
        return False
    if which is Quantifier.SOME_ELEMENT:
        return any(_holds(condition, item) for item in value)
    return bool(value) and all(_holds(condition, item) for item in value)


_pattern = lru_cache(maxsize=128)(compile_pattern)

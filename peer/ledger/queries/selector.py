"""A Mango selector, read into a tree of conditions.

As in CouchDB, field names are gathered into whole paths and negations are moved down to the
comparisons, so that "$not": {"a": {"$gt": 1}} means "a" exists and is at most 1; only within
$elemMatch and its like "$not" means that the condition as a whole does not hold.
(CouchDB: mango_selector's norm_ops, norm_fields and norm_negations.)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from ..errors import QueryRefused
from . import erlang_terms
from .documents import Json

Path: TypeAlias = tuple[str, ...]


class Comparison(Enum):
    """How a value stands to an argument in the order of JSON values."""

    EQ = "$eq"
    NE = "$ne"
    LT = "$lt"
    LTE = "$lte"
    GT = "$gt"
    GTE = "$gte"


@dataclass(frozen=True, slots=True)
class Compare:
    """$eq, $ne, $lt, $lte, $gt, $gte."""

    how: Comparison
    argument: Json


@dataclass(frozen=True, slots=True)
class In:
    """$in and $nin; of an array any element may be the one."""

    arguments: tuple[Json, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """$exists."""

    wanted: bool


@dataclass(frozen=True, slots=True)
class HasType:
    """$type; a name that is no JSON type matches nothing."""

    name: str


@dataclass(frozen=True, slots=True)
class Modulo:
    """$mod of a whole number; the remainder has the number's sign."""

    divisor: int
    remainder: int


@dataclass(frozen=True, slots=True)
class Regex:
    """$regex, found anywhere in a string."""

    pattern: str


@dataclass(frozen=True, slots=True)
class BeginsWith:
    """$beginsWith of a string."""

    prefix: str


@dataclass(frozen=True, slots=True)
class Size:
    """$size of an array."""

    length: int


@dataclass(frozen=True, slots=True)
class ContainsAll:
    """$all: an array with all of these elements, or the one array given."""

    arguments: tuple[Json, ...]


class Quantifier(Enum):
    """Which parts of a value a condition is asked of, and how many must meet it."""

    SOME_ELEMENT = "$elemMatch"
    EVERY_ELEMENT = "$allMatch"
    SOME_KEY = "$keyMapMatch"


@dataclass(frozen=True, slots=True)
class Match:
    """$elemMatch, $allMatch (of at least one element), $keyMapMatch."""

    which: Quantifier
    condition: Condition


@dataclass(frozen=True, slots=True)
class Field:
    """A test of the value at a path; () is the value itself."""

    path: Path
    test: Test


@dataclass(frozen=True, slots=True)
class All:
    """$and; without conditions it holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """$or; without conditions it holds too, as in CouchDB."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """$not where CouchDB does not move it down: below $elemMatch and the like."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Unlike:
    """The opposite of a test, of a value that exists."""

    test: Test


Test: TypeAlias = (
    Compare | In | Exists | HasType | Modulo | Regex | BeginsWith | Size | ContainsAll | Match
    | Unlike
)  # fmt: skip
Condition: TypeAlias = Field | All | Some | Not

EVERYTHING = All(())
"""The condition of an empty selector."""

_OPPOSITE = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GTE,
    Comparison.GTE: Comparison.LT,
    Comparison.GT: Comparison.LTE,
    Comparison.LTE: Comparison.GT,
}
_UNSUPPORTED = frozenset({"$where", "$geoWithin", "$geoIntersects", "$near", "$nearSphere"})
_NAMELESS = "One or more conditions is missing a field name."
_DOT = re.compile(r"(?<!\\)\.")


def read_selector(value: Json) -> Condition:
    """The condition a selector states; QueryRefused as CouchDB would refuse it."""
    if not isinstance(value, dict):
        raise QueryRefused(
            "invalid_selector_json",
            400,
            f"Selector must be a JSON object, not: {erlang_terms.plain(value)}",
        )
    if not value:
        return EVERYTHING
    condition = _read(value, (), negated=False)
    if isinstance(condition, Field) and not condition.path:
        raise QueryRefused("invalid_selector", 400, _NAMELESS)
    return condition


def parse_path(name: str) -> Path:
    r"""The path a field name stands for: parts between dots, "\." for a dot of a name."""
    parts = _DOT.split(name) if "\\" in name else name.split(".")
    if "" in parts:
        raise QueryRefused("invalid_field_name", 400, f"Invalid field name: {name}")
    return tuple(part.replace("\\", "") for part in parts)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression as $regex runs it; QueryRefused if it is none."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise bad_argument("$regex", pattern) from None


def bad_argument(operator: str, argument: Json) -> Exception:
    """The refusal of an operator's argument."""
    reason = f"Bad argument for operator {operator}: {erlang_terms.plain(argument)}"
    return QueryRefused("bad_arg", 400, reason)


def _read(value: Json, path: Path, *, negated: bool, moved: bool = True) -> Condition:
    """Read one part of a selector.

    negated: the opposite is meant; moved: whether negations move down from here.
    """
    if not isinstance(value, dict) or not value:
        return _field(path, Compare(Comparison.EQ, value), negated)
    if len(value) > 1:
        parts: list[Json] = [{name: item} for name, item in value.items()]
        return _join(parts, path, every=True, negated=negated, moved=moved)
    ((name, argument),) = value.items()
    if name in {"$and", "$or", "$nor"}:
        return _read_join(name, argument, path, negated=negated, moved=moved)
    if name == "$not":
        return _read_not(argument, path, negated=negated, moved=moved)
    if name.startswith("$"):
        return _field(path, _read_test(name, argument), negated)
    return _read(argument, path + parse_path(name), negated=negated, moved=moved)


def _read_not(argument: Json, path: Path, *, negated: bool, moved: bool) -> Condition:
    if not isinstance(argument, dict):
        raise bad_argument("$not", argument)
    if moved:
        return _read(argument, path, negated=not negated)
    return Not(_read(argument, path, negated=False, moved=False))


def _read_join(name: str, argument: Json, path: Path, *, negated: bool, moved: bool) -> Condition:
    if not isinstance(argument, list):
        raise bad_argument(name, argument)
    if name != "$nor":
        return _join(argument, path, every=name == "$and", negated=negated, moved=moved)
    if moved:
        return _join(argument, path, every=False, negated=not negated, moved=True)
    return Not(_join(argument, path, every=False, negated=False, moved=False))


def _join(parts: list[Json], path: Path, *, every: bool, negated: bool, moved: bool) -> Condition:
    conditions = tuple(_read(part, path, negated=negated, moved=moved) for part in parts)
    return All(conditions) if every != negated else Some(conditions)


def _field(path: Path, test: Test, negated: bool) -> Field:
    return Field(path, _opposite(test) if negated else test)


def _opposite(test: Test) -> Test:
    match test:
        case Compare(how, argument):
            return Compare(_OPPOSITE[how], argument)
        case In(arguments, negated):
            return In(arguments, not negated)
        case Exists(wanted):
            return Exists(not wanted)
        case _:
            return Unlike(test)


def _read_test(name: str, argument: Json) -> Test:
    if name in _COMPARISONS:
        return Compare(_COMPARISONS[name], argument)
    if name in _QUANTIFIERS:
        if not isinstance(argument, dict):
            raise bad_argument(name, argument)
        return Match(_QUANTIFIERS[name], _read(argument, (), negated=False, moved=False))
    if name in _READERS:
        test = _READERS[name](argument)
        if test is None:
            raise bad_argument(name, argument)
        return test
    if name in _UNSUPPORTED:
        raise QueryRefused("not_supported", 400, f"Unsupported operator: {name}")
    if name == "$text":
        raise QueryRefused("no_usable_index", 400, "There is no text index here to search.")
    raise QueryRefused("invalid_operator", 400, f"Invalid operator: {name}")


def _read_exists(argument: Json) -> Test | None:
    return Exists(argument) if isinstance(argument, bool) else None


def _read_type(argument: Json) -> Test | None:
    return HasType(argument) if isinstance(argument, str) else None


def _read_modulo(argument: Json) -> Test | None:
    if not isinstance(argument, list) or len(argument) != 2:
        return None
    divisor, remainder = argument
    if isinstance(divisor, bool) or not isinstance(divisor, int) or not divisor:
        return None
    if isinstance(remainder, bool) or not isinstance(remainder, int):
        return None
    return Modulo(divisor, remainder)


def _read_regex(argument: Json) -> Test | None:
    if not isinstance(argument, str):
        return None
    compile_pattern(argument)
    return Regex(argument)


def _read_prefix(argument: Json) -> Test | None:
    return BeginsWith(argument) if isinstance(argument, str) else None


def _read_size(argument: Json) -> Test | None:
    if isinstance(argument, bool) or not isinstance(argument, int) or argument < 0:
        return None
    return Size(argument)


def _read_in(argument: Json) -> Test | None:
    return In(tuple(argument)) if isinstance(argument, list) else None


def _read_not_in(argument: Json) -> Test | None:
    return In(tuple(argument), negated=True) if isinstance(argument, list) else None


def _read_all(argument: Json) -> Test | None:
    return ContainsAll(tuple(argument)) if isinstance(argument, list) else None


_COMPARISONS = {how.value: how for how in Comparison}
_QUANTIFIERS = {which.value: which for which in Quantifier}
_READERS: Mapping[str, Callable[[Json], Test | None]] = {
    "$exists": _read_exists,
    "$type": _read_type,
    "$mod": _read_modulo,
    "$regex": _read_regex,
    "$beginsWith": _read_prefix,
    "$size": _read_size,
    "$in": _read_in,
    "$nin": _read_not_in,
    "$all": _read_all,
}

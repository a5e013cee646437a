"""A plan as one SQL statement over the documents of a namespace.

Comparisons and orders go by ``couch_key``, a function of the database that makes of a JSON
value the bytes of collation.py; indexes are on the same expressions.  A condition that a
database cannot express is left out: its statement then finds too much, which is said, and
the rest is done in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, Protocol

from .collation import order_key
from .documents import Json
from .evaluate import ID, compares, id_key
from .find import Place
from .indexes import IndexDefinition
from .planner import Plan, constants
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
)

_OPERATORS = {
    Comparison.EQ: "=",
    Comparison.NE: "<>",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
    Comparison.GT: ">",
    Comparison.GTE: ">=",
}


EXPLAINED_PAGE = 10
"""Results of the page that explain speaks of."""

_PIECES = re.compile(r"'(?:[^']|'')*'|\?")


class Sql(NamedTuple):
    """A piece of SQL: its text with a ? for each parameter, the parameters, and its truth.

    exact: False if it also holds where the condition it stands for does not.
    """

    text: str
    parameters: tuple[object, ...] = ()
    exact: bool = True


TRUE, FALSE = Sql("TRUE"), Sql("FALSE")
UNKNOWN = Sql("TRUE", exact=False)


class Dialect(Protocol):
    """How one database speaks of JSON; values are SQL expressions, NULL for what is absent."""

    @property
    def document(self) -> str:
        """The document of a row."""
        ...

    def at(self, value: str, path: Path) -> str | None:
        """The value at a path, None where that cannot be said."""
        ...

    def has_type(self, value: str, name: str) -> str:
        """Whether it is of a JSON type, by CouchDB's name."""
        ...

    def elements(self, array: str, alias: str) -> tuple[str, str]:
        """A table of an array's elements, empty for other values; and the element in it."""
        ...

    def keys(self, value: str, alias: str) -> tuple[str, str]:
        """The same of an object's names."""
        ...

    def length(self, array: str) -> str:
        """The number of elements of an array; unused rows may hold anything."""
        ...

    def modulo(self, value: str, test: Modulo) -> Sql: ...

    def matches(self, value: str, pattern: str) -> Sql: ...

    def begins(self, value: str, prefix: str) -> Sql: ...

    def of_namespace(self, namespace: str) -> str:
        """Rows of a namespace, written out so that partial indexes are recognised."""
        ...

    def name_order(self) -> Sequence[str]:
        """What rows are ordered by to stand in the order of their keys."""
        ...

    def from_state(self, index: IndexDefinition | None, namespace: str) -> str:
        """The table, and how it must be read."""
        ...


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT of (key, value, block, tx, metadata, order keys…), without LIMIT.

    exact: False if the rows must be held against the plan's condition.
    """

    text: str
    parameters: tuple[object, ...]
    exact: bool


def select(plan: Plan, namespace: str, dialect: Dialect, after: Place | None) -> Statement:
    """The statement for the results of a plan after a place."""
    keys = [order_expression(dialect, path) for path in plan.order]
    condition = Translator(dialect).condition(plan.condition)
    parts = [Sql(dialect.of_namespace(namespace))]
    if plan.index is not None:
        parts.append(Sql(f"{dialect.document} IS NOT NULL"))
    parts += [Sql(f"{key} IS NOT NULL") for key in keys]
    if after is not None:  # before the condition: SQLite enters the index with what comes first
        parts += _beyond(plan, keys, after)
    parts.append(condition)
    where = _all(parts)
    columns = ["state.key", "state.value", "state.block", "state.tx", "state.metadata", *keys]
    direction = " DESC" if plan.request.descending else ""
    fixed = constants(plan.condition)  # SQLite sorts needlessly if they are in the order
    ordered = [key for path, key in zip(plan.order, keys, strict=True) if path not in fixed]
    order = [f"{key}{direction}" for key in (*ordered, *dialect.name_order())]
    text = (
        f"SELECT {', '.join(columns)}\n"
        f"FROM {dialect.from_state(_indexed(plan), namespace)}\n"
        f"WHERE {where.text}\n"
        f"ORDER BY {', '.join(order)}"
    )
    return Statement(text, where.parameters, condition.exact)


def filled(sql: str, marks: Iterable[str]) -> str:
    """The statement with each ? that stands for a parameter replaced by the next mark."""
    remaining = iter(marks)
    return _PIECES.sub(lambda piece: next(remaining) if piece[0] == "?" else piece[0], sql)


def paged(statement: Statement) -> str:
    """The statement for the page that explain speaks of."""
    return f"{statement.text}\nLIMIT {EXPLAINED_PAGE}"


def written_out(statement: Statement) -> str:
    """That statement with its parameters in place, to be read by people."""
    values = statement.parameters
    shown = (f"x'{v.hex()}'" if isinstance(v, bytes) else repr(v) for v in values)
    return filled(paged(statement), shown)


def order_expression(dialect: Dialect, path: Path) -> str:
    """The order key of a document's field, as indexes and orders name it."""
    return f"couch_key({dialect.at(dialect.document, path) or 'NULL'})"


def _indexed(plan: Plan) -> IndexDefinition | None:
    """The index a database has for the plan; explain may invent one for a sort."""
    return plan.index if plan.index is not None and plan.index.ddoc else None


def _beyond(plan: Plan, keys: Sequence[str], after: Place) -> list[Sql]:
    """Rows after a place; first by the one key that an index can be entered with."""
    sign = "<" if plan.request.descending else ">"
    fixed = constants(plan.condition)
    parts = []
    for path, key, value in zip(plan.order, keys, after.keys, strict=True):
        if path not in fixed:
            parts.append(Sql(f"{key} {sign}= ?", (value,)))
            break
    row = ", ".join((*keys, "state.key"))
    marks = ", ".join("?" * (len(keys) + 1))
    parts.append(Sql(f"({row}) {sign} ({marks})", (*after.keys, after.name)))
    return parts


class Translator:
    """Turns conditions into SQL."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._aliases = (f"e{number}" for number in count(1))

    def condition(self, condition: Condition) -> Sql:
        """The condition, asked of a row's document."""
        return self._condition(condition, self._dialect.document, top=True)

    def _condition(self, condition: Condition, value: str, *, top: bool) -> Sql:
        match condition:
            case All(conditions) | Some(conditions):
                parts = [self._condition(each, value, top=top) for each in conditions]
                return _all(parts) if isinstance(condition, All) else _any(parts)
            case Not(inner):
                return _unless(self._condition(inner, value, top=top), TRUE)
            case Field(path, test) if top and path == ID:
                return _of_name(test)
            case Field(()) if top:
                return UNKNOWN  # of the document as a whole, with its name
            case Field(path, Exists(False)):
                return self._lacks(value, path, top=top)
            case Field(path, test):
                found = self._dialect.at(value, path)
                return UNKNOWN if found is None else self._test(test, found)

    def _lacks(self, value: str, path: Path, *, top: bool) -> Sql:
        """No field at the path, though there is the object that could have it."""
        ways: list[Sql] = []
        for depth in range(len(path)):
            parent = self._dialect.at(value, path[:depth])
            field = self._dialect.at(value, path[: depth + 1])
            if parent is None or field is None:
                return UNKNOWN
            lacking = Sql(f"{field} IS NULL")
            is_object = Sql(self._dialect.has_type(parent, "object"))
            ways.append(lacking if top and not depth else _all([is_object, lacking]))
        return _any(ways) if ways else FALSE

    def _test(self, test: Test, value: str) -> Sql:  # noqa: PLR0911 - one for each operator
        match test:
            case Unlike(inner):
                return _unless(self._test(inner, value), Sql(f"{value} IS NOT NULL"))
            case Compare(how, argument):
                return _same_key(value, [argument], _OPERATORS[how])
            case In(arguments, negated):
                found = self._in(arguments, value)
                return _unless(found, Sql(f"{value} IS NOT NULL")) if negated else found
            case Exists(wanted):
                return Sql(f"{value} IS NOT NULL") if wanted else FALSE
            case HasType(name):
                return Sql(self._dialect.has_type(value, name))
            case Modulo():
                return self._dialect.modulo(value, test)
            case Regex(pattern):
                return self._dialect.matches(value, pattern)
            case BeginsWith(prefix):
                return self._dialect.begins(value, prefix)
            case Size(length):
                return self._of_array(value, Sql(f"{self._dialect.length(value)} = ?", (length,)))
            case ContainsAll(arguments):
                return self._contains_all(arguments, value)
            case Match(which, condition):
                return self._match(which, condition, value)

    def _of_array(self, value: str, *conditions: Sql) -> Sql:
        return _all([Sql(self._dialect.has_type(value, "array")), *conditions])

    def _has_element(self, arguments: Sequence[Json], array: str) -> Sql:
        table, element = self._dialect.elements(array, next(self._aliases))
        return _some_row(table, _same_key(element, arguments))

    def _in(self, arguments: Sequence[Json], value: str) -> Sql:
        if not arguments:
            return FALSE
        element, whole = self._has_element(arguments, value), _same_key(value, arguments)
        is_array = self._dialect.has_type(value, "array")
        text = f"CASE WHEN {is_array} THEN {element.text} ELSE {whole.text} END"
        return Sql(text, element.parameters + whole.parameters)

    def _contains_all(self, arguments: Sequence[Json], value: str) -> Sql:
        if not arguments:
            return FALSE
        contained = _all([self._has_element([argument], value) for argument in arguments])
        if len(arguments) == 1 and isinstance(arguments[0], list):
            contained = _any([contained, _same_key(value, arguments)])
        return self._of_array(value, contained)

    def _match(self, which: Quantifier, condition: Condition, value: str) -> Sql:
        of_keys = which is Quantifier.SOME_KEY
        parts_of = self._dialect.keys if of_keys else self._dialect.elements
        table, part = parts_of(value, next(self._aliases))
        inner = self._condition(condition, part, top=False)
        if which is not Quantifier.EVERY_ELEMENT:
            return _some_row(table, inner)
        failing = _some_row(table, inner._replace(text=f"NOT COALESCE({inner.text}, FALSE)"))
        none_fails = failing._replace(text=f"NOT {failing.text}")
        return self._of_array(value, Sql(f"{self._dialect.length(value)} > 0"), none_fails)


def _same_key(value: str, arguments: Sequence[Json], operator: str = "=") -> Sql:
    """A comparison of order keys; of several arguments one must be equal."""
    keys = tuple(dict.fromkeys(map(order_key, arguments)))
    if len(keys) == 1:
        return Sql(f"couch_key({value}) {operator} ?", keys)
    return Sql(f"couch_key({value}) IN ({', '.join('?' * len(keys))})", keys)


def _some_row(table: str, condition: Sql) -> Sql:
    text = f"EXISTS (SELECT 1 FROM {table} WHERE {condition.text})"  # noqa: S608 - no outside text
    return condition._replace(text=text)


def _all(parts: Sequence[Sql]) -> Sql:
    return _joined(parts, " AND ") if parts else TRUE


def _any(parts: Sequence[Sql]) -> Sql:
    return _joined(parts, " OR ") if parts else TRUE


def _joined(parts: Sequence[Sql], word: str) -> Sql:
    text = word.join(part.text for part in parts)
    parameters = tuple(value for part in parts for value in part.parameters)
    exact = all(part.exact for part in parts)
    return Sql(text if len(parts) == 1 else f"({text})", parameters, exact)


def _unless(condition: Sql, otherwise: Sql) -> Sql:
    """What does not meet a condition but ``otherwise``; only that where the first is inexact."""
    if not condition.exact:
        return otherwise._replace(exact=False)
    text = f"({otherwise.text} AND NOT COALESCE({condition.text}, FALSE))"
    return Sql(text, otherwise.parameters + condition.parameters)


def _of_name(test: Test) -> Sql:  # noqa: PLR0911 - one for each operator
    """A test of a document's name, which is text and compares bytewise."""
    match test:
        case Unlike(inner):
            return _unless(_of_name(inner), TRUE)
        case Compare(how, str(argument)):
            return Sql(f"state.key {_OPERATORS[how]} ?", (argument.encode(),))
        case Compare(how, argument):
            return TRUE if compares(how, id_key(""), id_key(argument)) else FALSE
        case In(arguments, negated):
            names = tuple(sorted({a.encode() for a in arguments if isinstance(a, str)}))
            marks = ", ".join("?" * len(names))
            found = Sql(f"state.key IN ({marks})", names) if names else FALSE
            return _unless(found, TRUE) if negated else found
        case BeginsWith(prefix):
            start = prefix.encode()
            return Sql("substr(state.key, 1, ?) = ?", (len(start), start))
        case Regex():
            return UNKNOWN
        case Exists(True) | HasType("string"):
            return TRUE
        case _:
            return FALSE

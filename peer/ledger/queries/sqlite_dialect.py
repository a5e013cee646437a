"""SQLite's JSON, and the functions this peer adds to it.

A JSON value is text; functions get it as text too, since numbers lose digits as SQL values.
Needs SQLite 3.38 for the operators -> and ->>.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from .collation import order_key
from .documents import Json, parse_json
from .evaluate import remainder, whole
from .indexes import IndexDefinition
from .selector import Modulo, Path, compile_pattern
from .sql import Sql, order_expression

OLDEST = (3, 38, 0)
"""The first SQLite that can do it."""

_TYPES = {
    "null": ("null",),
    "boolean": ("true", "false"),
    "number": ("integer", "real"),
    "string": ("text",),
    "array": ("array",),
    "object": ("object",),
}
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_LIKE_INDEX = re.compile(r"[+-]?[0-9]+")
_MOST_INDEXES = 3


class SqliteDialect:
    """How SQLite speaks of JSON."""

    document = "state.document"

    def at(self, value: str, path: Path) -> str | None:
        """A name may also be an index, so all readings are tried; None if it is beyond that."""
        if not path:
            return value
        ways = [""]
        for name in path:
            if '"' in name or (_LIKE_INDEX.fullmatch(name) and not _INDEX.fullmatch(name)):
                return None
            steps = [f'."{json.dumps(name, ensure_ascii=False)[1:-1]}"']
            if _INDEX.fullmatch(name):
                steps.append(f"[{name}]")
            ways = [way + step for way in ways for step in steps]
        if len(ways) > 2**_MOST_INDEXES:
            return None
        found = [f"({value} -> {_quoted('$' + way)})" for way in ways]
        return found[0] if len(found) == 1 else f"COALESCE({', '.join(found)})"

    def has_type(self, value: str, name: str) -> str:
        """json_type tells true from false and whole numbers from others."""
        if name not in _TYPES:
            return "FALSE"
        return f"json_type({value}) IN ({', '.join(map(_quoted, _TYPES[name]))})"

    def elements(self, array: str, alias: str) -> tuple[str, str]:
        """Elements by json_each, taken from its text so that numbers keep their digits."""
        table = f"json_each(CASE WHEN {self.has_type(array, 'array')} THEN {array} END)"
        return f"{table} AS {alias}", f"({alias}.json -> {alias}.fullkey)"

    def keys(self, value: str, alias: str) -> tuple[str, str]:
        """Names by json_each."""
        table = f"json_each(CASE WHEN {self.has_type(value, 'object')} THEN {value} END)"
        return f"{table} AS {alias}", f"json_quote({alias}.key)"

    def length(self, array: str) -> str:
        """0 for other values."""
        return f"json_array_length({array})"

    def modulo(self, value: str, test: Modulo) -> Sql:
        """By a function of ours, for SQLite's own remainder ends at 64 bits."""
        return Sql(f"couch_mod({value}, ?, ?)", (str(test.divisor), str(test.remainder)))

    def matches(self, value: str, pattern: str) -> Sql:
        """By a function of ours."""
        return Sql(f"couch_regex({value}, ?)", (pattern,))

    def begins(self, value: str, prefix: str) -> Sql:
        """Of strings only; ->> gives their characters."""
        text = f"({self.has_type(value, 'string')} AND substr({value} ->> '$', 1, ?) = ?)"
        return Sql(text, (len(prefix), prefix))

    def of_namespace(self, namespace: str) -> str:
        """A comparison."""
        return f"state.namespace = {_quoted(namespace)}"

    def name_order(self) -> Sequence[str]:
        """The key itself."""
        return ("state.key",)

    def from_state(self, index: IndexDefinition | None, namespace: str) -> str:
        """The table, by the plan's index and no other."""
        return f'state INDEXED BY "{index.sql_name(namespace)}"' if index else "state"

    def create_index(self, index: IndexDefinition, namespace: str) -> str:
        """The statement that makes the index."""
        keys = [order_expression(self, path).replace("state.", "") for path in index.fields]
        return (
            f'CREATE INDEX IF NOT EXISTS "{index.sql_name(namespace)}"'
            f" ON state ({', '.join(keys)}, key)"
            f" WHERE namespace = {_quoted(namespace)} AND document IS NOT NULL"
        )

    def statement(self, sql: str) -> str:
        """The driver's marks are ? as well."""
        return sql

    def explained(self, sql: str) -> str:
        """The last column of EXPLAIN QUERY PLAN is text."""
        return f"EXPLAIN QUERY PLAN {sql}"


def add_functions(connection: sqlite3.Connection) -> None:
    """Give a connection couch_key, couch_mod and couch_regex."""
    connection.create_function("couch_key", 1, _couch_key, deterministic=True)
    connection.create_function("couch_mod", 3, _couch_mod, deterministic=True)
    connection.create_function("couch_regex", 2, _couch_regex, deterministic=True)


def _couch_key(value: str | None) -> bytes | None:
    return None if value is None else order_key(parse_json(value))


def _couch_mod(value: str | None, divisor: str, expected: str) -> bool | None:
    if value is None:
        return None
    number = whole(parse_json(value))
    return number is not None and remainder(number, int(divisor)) == int(expected)


def _couch_regex(value: str | None, pattern: str) -> bool | None:
    if value is None:
        return None
    text: Json = parse_json(value)
    return isinstance(text, str) and _compiled(pattern).search(text) is not None


_compiled = lru_cache(maxsize=128)(compile_pattern)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

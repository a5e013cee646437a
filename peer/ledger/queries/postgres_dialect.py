"""PostgreSQL's jsonb, and the functions this peer adds to a schema.

A row of an index holds less than 2,704 bytes there, so keys enter indexes by their first
KEY_PREFIX bytes only; couch_key is bounded by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import repeat

from .collation import (
    ACCENTS,
    ASCII_ORDER,
    FIRST_WEIGHT,
    KEY_BYTES,
    LETTERS,
    MARKS,
)
from .indexes import IndexDefinition
from .selector import Modulo, Path
from .sql import Sql, filled, order_expression

KEY_PREFIX = 1000
"""Bytes of a key that stand in an index."""

_TYPES = frozenset({"null", "boolean", "number", "string", "array", "object"})
_COUNTED_FROM_END = re.compile(r"\s*-.*|\s+\+?[0-9]+", re.DOTALL)


class PostgresDialect:
    """How PostgreSQL speaks of JSON."""

    document = "state.document"

    def at(self, value: str, path: Path) -> str | None:
        """None for names by which #> would count an array from its end."""
        if any(_COUNTED_FROM_END.fullmatch(name) for name in path):
            return None
        return f"({value} #> {_text_array(path)})" if path else value

    def has_type(self, value: str, name: str) -> str:
        """jsonb's type names are CouchDB's."""
        return f"jsonb_typeof({value}) = '{name}'" if name in _TYPES else "FALSE"

    def elements(self, array: str, alias: str) -> tuple[str, str]:
        """Elements of a jsonb array."""
        return f"jsonb_array_elements({_or_empty(array)}) AS {alias}(part)", f"{alias}.part"

    def keys(self, value: str, alias: str) -> tuple[str, str]:
        """Names of a jsonb object."""
        is_object = self.has_type(value, "object")
        names = f"jsonb_object_keys(CASE WHEN {is_object} THEN {value} ELSE '{{}}'::jsonb END)"
        return f"{names} AS {alias}(name)", f"to_jsonb({alias}.name)"

    def length(self, array: str) -> str:
        """0 for other values."""
        return f"jsonb_array_length({_or_empty(array)})"

    def modulo(self, value: str, test: Modulo) -> Sql:
        """By numeric, which is exact; whole numbers from 1e21 on are floats to CouchDB."""
        number = f"({value} #>> '{{}}')::numeric"
        whole = f"abs({number}) < 1e21 AND trunc({number}) = {number}"
        equal = f"mod({number}, ?::numeric) = ?::numeric"
        text = (
            f"CASE WHEN {self.has_type(value, 'number')}"
            f" THEN CASE WHEN {whole} THEN {equal} END END"
        )
        return Sql(text, (str(test.divisor), str(test.remainder)))

    def matches(self, value: str, pattern: str) -> Sql:
        """PostgreSQL's expressions are another language; strings are held against it later."""
        return Sql(self.has_type(value, "string"), exact=False)

    def begins(self, value: str, prefix: str) -> Sql:
        """Of strings only."""
        text = f"({self.has_type(value, 'string')} AND starts_with({value} #>> '{{}}', ?))"
        return Sql(text, (prefix,))

    def of_namespace(self, namespace: str) -> str:
        """A comparison."""
        return f"state.namespace = {_quoted(namespace)}"

    def name_order(self) -> Sequence[str]:
        """The prefix that indexes have, then the key."""
        return f"substr(state.key, 1, {KEY_PREFIX})", "state.key"

    def from_state(self, index: IndexDefinition | None, namespace: str) -> str:
        """The table; its planner is told elsewhere to prefer indexes."""
        return "state"

    def create_index(self, index: IndexDefinition, namespace: str) -> str:
        """The statement that makes the index; nothing in it is a parameter."""
        keys = [order_expression(self, path).replace("state.", "") for path in index.fields]
        return (
            f'CREATE INDEX IF NOT EXISTS "{index.sql_name(namespace)}"'
            f" ON state ({', '.join(keys)}, substr(key, 1, {KEY_PREFIX}))"
            f" WHERE namespace = {_quoted(namespace)} AND document IS NOT NULL"
        )

    def statement(self, sql: str) -> str:
        """psycopg's marks are %s, so other % are doubled."""
        return filled(sql.replace("%", "%%"), repeat("%s"))

    def explained(self, sql: str) -> str:
        """EXPLAIN gives lines of text."""
        return f"EXPLAIN {sql}"


def functions(schema: str) -> list[str]:
    """The statements that make couch_key and what it is made of, in a quoted schema."""
    ignored = "".join(chr(c) for c in range(1, 0x20) if chr(c) not in ASCII_ORDER) + "\x7f"
    letters = "".join(chr(FIRST_WEIGHT + len(ASCII_ORDER) + i) for i in range(len(LETTERS)))
    weights = "".join(chr(FIRST_WEIGHT + i) for i in range(len(ASCII_ORDER)))
    names = {
        "schema": schema,
        "ignored": _escaped(ignored),
        "upper": _escaped(LETTERS.upper()),
        "two": _escaped("\x02" * len(LETTERS)),
        "characters": _escaped(ASCII_ORDER + LETTERS + LETTERS.upper()),
        "weights": _escaped(weights + letters * 2),
        "accents": _escaped(ACCENTS),
        "ranked": _escaped("".join(sorted(ACCENTS))),
        "mark": _escaped(f"[{MARKS}]"),
        "other": _escaped(f"[^{MARKS}]"),
        "limit": KEY_BYTES,
        "cut": KEY_BYTES - 32,
    }
    return [text.format_map(names) for text in (_STRING, _NUMBER, _WHOLE, _KEY)]


_STRING = r"""
CREATE OR REPLACE FUNCTION {schema}.couch_string(value text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  counted text := translate(value, {ignored}, '');
  accents text := '';
  cases text;
BEGIN
  IF octet_length(counted) <> char_length(counted) THEN
    counted := normalize(counted, NFD);
    accents := rtrim(regexp_replace(counted, {other}, E'\x01', 'g'), E'\x01');
    accents := translate(accents, {accents}, {ranked});
    counted := regexp_replace(counted, {mark}, '', 'g');
  END IF;
  cases := rtrim(
    regexp_replace(translate(counted, {upper}, {two}), E'[^\x02]', E'\x01', 'g'), E'\x01');
  RETURN convert_to(translate(counted, {characters}, {weights}), 'UTF8') || '\x00'::bytea
    || convert_to(accents, 'UTF8') || '\x00'::bytea
    || convert_to(cases, 'UTF8') || '\x00'::bytea;
END $$
"""

_NUMBER = r"""
CREATE OR REPLACE FUNCTION {schema}.couch_number(value float8) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  bits bit(64) := ('x' || encode(float8send(value + 0), 'hex'))::bit(64);
BEGIN
  IF value < 0 THEN
    RETURN '\x04'::bytea || int8send((~bits)::bigint);
  END IF;
  RETURN '\x04'::bytea || int8send((bits | B'1'::bit(64))::bigint);
END $$
"""

_WHOLE = r"""
CREATE OR REPLACE FUNCTION {schema}.couch_value(value jsonb) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  CASE jsonb_typeof(value)
  WHEN 'string' THEN RETURN '\x05'::bytea || {schema}.couch_string(value #>> '{{}}');
  WHEN 'number' THEN RETURN {schema}.couch_number((value #>> '{{}}')::float8);
  WHEN 'null' THEN RETURN '\x01'::bytea;
  WHEN 'boolean' THEN
    RETURN CASE WHEN value = 'true'::jsonb THEN '\x03'::bytea ELSE '\x02'::bytea END;
  WHEN 'array' THEN
    RETURN '\x06'::bytea || COALESCE(
      (SELECT string_agg({schema}.couch_value(part), ''::bytea ORDER BY place)
       FROM jsonb_array_elements(value) WITH ORDINALITY AS parts(part, place)),
      ''::bytea) || '\x00'::bytea;
  ELSE
    RETURN '\x07'::bytea || COALESCE(
      (SELECT string_agg(
         '\x05'::bytea || {schema}.couch_string(name) || {schema}.couch_value(part),
         ''::bytea ORDER BY name COLLATE "C")
       FROM jsonb_each(value) AS members(name, part)),
      ''::bytea) || '\x00'::bytea;
  END CASE;
END $$
"""

_KEY = r"""
CREATE OR REPLACE FUNCTION {schema}.couch_key(value jsonb) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  found bytea := {schema}.couch_value(value);
BEGIN
  IF length(found) <= {limit} THEN
    RETURN found;
  END IF;
  RETURN substr(found, 1, {cut}) || sha256(found);
END $$
"""


def _or_empty(array: str) -> str:
    return f"CASE WHEN jsonb_typeof({array}) = 'array' THEN {array} ELSE '[]'::jsonb END"


def _text_array(path: Path) -> str:
    """A constant array of text, each part quoted."""
    parts = [part.replace("\\", "\\\\").replace('"', '\\"').replace("'", "''") for part in path]
    quoted = ",".join(f'"{part}"' for part in parts)
    return f"'{{{quoted}}}'::text[]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str) -> str:
    """A string of any characters, written in ASCII."""
    return "E'" + "".join(f"\\u{ord(c):04x}" for c in text) + "'"

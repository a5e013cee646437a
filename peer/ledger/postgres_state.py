"""The state and the history in PostgreSQL.

A row of an index there holds less than 2,704 bytes, and a key may be longer.  So indexes
have the first KEY_PREFIX bytes of a key, and the digest of a key that is longer than that;
every statement asks for both and for the key itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .queries.postgres_dialect import KEY_PREFIX, PostgresDialect
from .sql_private import Write
from .sql_state import Query, StateRow

CHUNK = 500
"""Rows that one round of a range or history read brings."""

_HEAD = f"substr(key, 1, {KEY_PREFIX})"
_TAIL = f"(CASE WHEN length(key) > {KEY_PREFIX} THEN sha256(key) ELSE ''::bytea END)"

INDEXES = (
    f"CREATE UNIQUE INDEX IF NOT EXISTS state_place ON state (namespace, {_HEAD}, {_TAIL})",
    f"CREATE INDEX IF NOT EXISTS history_place ON history (namespace, {_HEAD}, {_TAIL}, block, tx)",
    "CREATE INDEX IF NOT EXISTS transactions_id ON transactions USING hash (tx_id)",
)
"""Instead of the primary keys that these tables have in SQLite."""

_ENTRY = "value, block, tx, metadata"
_BESIDE = f"""
    state.namespace = place.namespace
    AND substr(state.key, 1, {KEY_PREFIX}) = substr(place.key, 1, {KEY_PREFIX})
    AND state.key = place.key"""
_PLACES = "unnest(%s::text[], %s::bytea[]) AS place(namespace, key)"
_GET = f"SELECT {_ENTRY} FROM state WHERE namespace = %s AND {_HEAD} = %s AND key = %s"  # noqa: S608
_GET_MANY = f"""
SELECT state.namespace, state.key, {_ENTRY} FROM {_PLACES} JOIN state ON {_BESIDE}
"""  # noqa: S608 - constants, as everywhere below
_FROM = f"""
SELECT key, {_ENTRY} FROM state
WHERE namespace = %s AND {_HEAD} >= %s AND key >= %s"""  # noqa: S608
_IN_ORDER = f" ORDER BY {_HEAD}, key LIMIT {CHUNK}"
_BELOW = f" AND {_HEAD} <= %s AND key < %s"
_PUT = f"""
INSERT INTO state (namespace, key, {_ENTRY}, document)
SELECT * FROM unnest(
    %s::text[], %s::bytea[], %s::bytea[], %s::bigint[], %s::int[], %s::bytea[], %s::jsonb[])
ON CONFLICT (namespace, {_HEAD}, {_TAIL}) DO UPDATE SET
    value = excluded.value, block = excluded.block, tx = excluded.tx,
    metadata = excluded.metadata, document = excluded.document
"""  # noqa: S608
_DELETE = f"DELETE FROM state USING {_PLACES} WHERE {_BESIDE}"  # noqa: S608
_HISTORY = f"""
SELECT block, tx, tx_id, seconds, nanos, is_delete, value FROM history
WHERE namespace = %s AND {_HEAD} = %s AND key = %s AND (block, tx) < (%s, %s)
ORDER BY block DESC, tx DESC LIMIT {CHUNK}
"""  # noqa: S608


class PostgresStateSql:
    """Statements over ``state`` and ``history``; arrays bring many rows at a time."""

    def __init__(self) -> None:
        self.queries = PostgresDialect()

    def get(self, namespace: str, key: bytes) -> Query:
        """One entry."""
        return _GET, (namespace, key[:KEY_PREFIX], key)

    def get_many(self, places: Sequence[tuple[str, bytes]]) -> Iterator[Query]:
        """One statement for all."""
        if places:
            yield _GET_MANY, _columns(places)

    def range(self, namespace: str, start: bytes, end: bytes) -> Query:
        """The next entries."""
        parameters = (namespace, start[:KEY_PREFIX], start)
        if end:
            return _FROM + _BELOW + _IN_ORDER, (*parameters, end[:KEY_PREFIX], end)
        return _FROM + _IN_ORDER, parameters

    def history(self, namespace: str, key: bytes, before: tuple[int, int]) -> Query:
        """The next rows of a history."""
        return _HISTORY, (namespace, key[:KEY_PREFIX], key, *before)

    def put(self, write: Write, rows: Sequence[StateRow]) -> None:
        """Write entries over those that are there."""
        if rows:
            write(_PUT, [_columns(rows)])

    def delete(self, write: Write, places: Sequence[tuple[str, bytes]]) -> None:
        """Delete entries, present or not."""
        if places:
            write(_DELETE, [_columns(places)])


def _columns(rows: Sequence[Sequence[object]]) -> tuple[object, ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))

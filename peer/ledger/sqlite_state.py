"""The state and the history in SQLite, rendered once and run on the driver's own cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Dialect, Table, bindparam, delete, select, tuple_
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from .queries.sqlite_dialect import SqliteDialect
from .schema import history, state
from .sql_private import Write
from .sql_state import Query, StateRow

CHUNK = 128
"""Rows that one round of a range or history read brings."""


class SqliteStateSql:
    """Statements over ``state`` and ``history``.

    The order of parameters is the order in which a statement names them.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.queries = SqliteDialect()
        self._dialect = dialect
        columns, place = state.c, (_equal(state, "namespace"), _equal(state, "key"))
        entry = (columns.value, columns.block, columns.tx, columns.metadata)
        upsert = insert(state)
        replaced = {column.name: upsert.excluded[column.name] for column in columns[2:]}
        self._put = self._render(
            upsert.on_conflict_do_update(index_elements=["namespace", "key"], set_=replaced)
        )
        self._delete = self._render(delete(state).where(*place))
        self._get = self._render(select(*entry).where(*place))
        self._get_named = self._render(select(columns.namespace, columns.key, *entry).where(*place))
        from_start = (
            select(columns.key, *entry)
            .where(_equal(state, "namespace"), columns.key >= bindparam("start"))
            .order_by(columns.key)
        )
        self._from = self._render(from_start, limit=CHUNK)
        self._range = self._render(from_start.where(columns.key < bindparam("end")), limit=CHUNK)
        columns = history.c
        self._history = self._render(
            select(*columns[2:])
            .where(_equal(history, "namespace"), _equal(history, "key"))
            .where(tuple_(columns.block, columns.tx) < tuple_(bindparam("b"), bindparam("t")))
            .order_by(columns.block.desc(), columns.tx.desc()),
            limit=CHUNK,
        )

    def get(self, namespace: str, key: bytes) -> Query:
        """One entry."""
        return self._get, (namespace, key)

    def get_many(self, places: Sequence[tuple[str, bytes]]) -> Iterator[Query]:
        """One statement each: a point read costs less here than a longer statement."""
        return ((self._get_named, place) for place in places)

    def range(self, namespace: str, start: bytes, end: bytes) -> Query:
        """The next entries."""
        if end:
            return self._range, (namespace, start, end)
        return self._from, (namespace, start)

    def history(self, namespace: str, key: bytes, before: tuple[int, int]) -> Query:
        """The next rows of a history."""
        return self._history, (namespace, key, *before)

    def put(self, write: Write, rows: Sequence[StateRow]) -> None:
        """Write entries over those that are there."""
        write(self._put, rows)

    def delete(self, write: Write, places: Sequence[tuple[str, bytes]]) -> None:
        """Delete entries, present or not."""
        write(self._delete, places)

    def _render(self, statement: ClauseElement, limit: int = 0) -> str:
        """The statement's text; SQLAlchemy's own LIMIT would add a parameter for OFFSET."""
        text = str(statement.compile(dialect=self._dialect))
        return f"{text} LIMIT {limit}" if limit else text


def _equal(table: Table, column: str) -> ColumnElement[bool]:
    return table.c[column] == bindparam(f"p_{column}")

"""A state as SQL tables show it to one transaction, and the rich queries of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from .queries.documents import queryable
from .queries.evaluate import meets
from .queries.find import Documents, Found, Place
from .queries.indexes import IndexDefinition, read_index
from .queries.planner import Plan
from .queries.sql import paged, written_out
from .queries.sql import select as select_documents
from .schema import query_indexes
from .sql_private import Read
from .sql_snapshots import SnapshotTables
from .sql_state import StateSql
from .state_db import Version, VersionedValue
from .store import TransactionRow

_LARGEST_PIECE = 1000
"""Most rows read at a time when results have to be held against the selector."""


class SqlSnapshot:
    """The state at one height.

    run: a query in the transaction that holds it; release: ends that transaction.
    couchdb: whether the state is kept by CouchDB's rules; query: runs rich queries, if run
    should not.
    """

    def __init__(
        self,
        height: int,
        run: Read,
        release: Callable[[], None],
        sql: StateSql,
        tables: SnapshotTables,
        *,
        couchdb: bool,
        query: Read | None = None,
    ) -> None:
        self.height = height
        self._run = run
        self._release: Callable[[], None] | None = release
        self._sql = sql
        self._tables = tables
        self._documents = SqlDocuments(query or run, sql) if couchdb else None

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        """Value of a key."""
        rows = self._run(*self._sql.get(namespace, key))
        return _entry(rows[0]) if rows else None

    def get_many(
        self, places: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], VersionedValue]:
        """Values of those keys that are there."""
        found = {}
        for query in self._sql.get_many(places):
            for namespace, key, *entry in self._run(*query):
                found[namespace, key] = _entry(entry)
        return found

    def has_metadata(self, namespace: str) -> bool:
        """Whether keys of a namespace may have metadata."""
        return self._tables.has_metadata(self._run, namespace)

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        """Entries in key order, read in pieces."""
        while rows := self._run(*self._sql.range(namespace, start, end)):
            for key, *entry in rows:
                yield key, _entry(entry)
            start = rows[-1][0] + b"\x00"

    def namespaces(self) -> list[str]:
        """Namespaces with entries."""
        return self._tables.namespaces(self._run)

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction of this id."""
        return self._tables.transaction(self._run, tx_id)

    def documents(self) -> Documents | None:
        """Its rich queries, None by LevelDB's rules."""
        return self._documents

    def close(self) -> None:
        """End the transaction; may be called again."""
        release, self._release = self._release, None
        if release is not None:
            release()


class SqlDocuments:
    """Rich queries of one snapshot."""

    def __init__(self, run: Read, sql: StateSql) -> None:
        self._run = run
        self._dialect = sql.queries

    def indexes(self, namespace: str) -> Sequence[IndexDefinition]:
        """The indexes of a namespace, by design document and name."""
        columns = query_indexes.c
        text = (
            f"SELECT {columns.definition.name} FROM {query_indexes.name}"  # noqa: S608 - our names
            f" WHERE {columns.namespace.name} = ?"
            f" ORDER BY {columns.ddoc.name}, {columns.name.name}"
        )
        rows = self._run(self._dialect.statement(text), (namespace,))
        return [read_index(row[0].encode()) for row in rows]

    def find(
        self, namespace: str, plan: Plan, after: Place | None, skip: int, limit: int
    ) -> list[Found]:
        """The rows of one statement, or of several where they need a second look."""
        statement = select_documents(plan, namespace, self._dialect, after)
        if statement.exact:
            page = f"{statement.text}\nLIMIT {limit:d} OFFSET {skip:d}"
            rows = self._run(self._dialect.statement(page), statement.parameters)
            return [_found(row) for row in rows]
        wanted = skip + limit
        return list(islice(self._checked(namespace, plan, after, wanted), skip, wanted))

    def explain(self, namespace: str, plan: Plan) -> tuple[str, Sequence[str], bool]:
        """The statement of a page, and the database's plan for it."""
        statement = select_documents(plan, namespace, self._dialect, None)
        explained = self._dialect.statement(self._dialect.explained(paged(statement)))
        steps = [str(row[-1]) for row in self._run(explained, statement.parameters)]
        return written_out(statement), steps, statement.exact

    def _checked(
        self, namespace: str, plan: Plan, after: Place | None, wanted: int
    ) -> Iterator[Found]:
        """Rows that meet the condition; read in pieces that grow while few of them do."""
        size = min(2 * wanted + 1, _LARGEST_PIECE)
        while True:
            statement = select_documents(plan, namespace, self._dialect, after)
            page = self._dialect.statement(f"{statement.text}\nLIMIT {size:d}")
            rows = [_found(row) for row in self._run(page, statement.parameters)]
            for found in rows:
                if meets(plan.condition, found.key, queryable(found.value.value)):
                    yield found
            if len(rows) < size:
                return
            after, size = rows[-1].place, min(2 * size, _LARGEST_PIECE)


def _entry(row: Sequence[Any]) -> VersionedValue:
    value, block, tx, metadata = row
    return VersionedValue(value, Version(block, tx), metadata)


def _found(row: Sequence[Any]) -> Found:
    key, value, block, tx, metadata, *keys = row
    entry = VersionedValue(value, Version(block, tx), metadata)
    return Found(key, entry, Place(tuple(keys), key))

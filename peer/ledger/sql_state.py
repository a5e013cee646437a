"""What the tables of a ledger in SQL need said differently by each database.

(Fabric: the VersionedDB that a peer chooses, core/ledger/kvledger/txmgmt/statedb.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from .queries.documents import canonical, parse_document, sql_text
from .queries.indexes import IndexDefinition
from .queries.sql import Dialect as QueryDialect
from .sql_private import Write
from .state_db import VersionedValue, hashed_collection

Query = tuple[str, tuple[object, ...]]
"""A statement and its parameters."""


class StateRow(NamedTuple):
    """One entry of the table ``state``; document: its JSON text for queries, None without."""

    namespace: str
    key: bytes
    value: bytes
    block: int
    tx: int
    metadata: bytes
    document: str | None


class StateSql(Protocol):
    """How one database reads and writes the table ``state`` and the history."""

    @property
    def queries(self) -> IndexDialect:
        """How it speaks of JSON."""
        ...

    def get(self, namespace: str, key: bytes) -> Query:
        """Rows of (value, block, tx, metadata): one or none."""
        ...

    def get_many(self, places: Sequence[tuple[str, bytes]]) -> Iterable[Query]:
        """Rows of (namespace, key, value, block, tx, metadata), from all statements."""
        ...

    def range(self, namespace: str, start: bytes, end: bytes) -> Query:
        """The next rows of (key, value, block, tx, metadata) in byte order of the key."""
        ...

    def history(self, namespace: str, key: bytes, before: tuple[int, int]) -> Query:
        """The next rows of a key's history before (block, tx), newest first."""
        ...

    def put(self, write: Write, rows: Sequence[StateRow]) -> None: ...

    def delete(self, write: Write, places: Sequence[tuple[str, bytes]]) -> None: ...


class IndexDialect(QueryDialect, Protocol):
    """A dialect of queries that can also make their indexes."""

    def create_index(self, index: IndexDefinition, namespace: str) -> str:
        """The statement that makes an index unless it is there."""
        ...

    def statement(self, sql: str) -> str:
        """A statement with ? for parameters as the driver wants it."""
        ...

    def explained(self, sql: str) -> str:
        """The statement that tells how the database would run this one; rows of text."""
        ...


def state_row(namespace: str, key: bytes, entry: VersionedValue, *, couchdb: bool) -> StateRow:
    """The row of an entry; with CouchDB's rules a document is kept as CouchDB returns it."""
    value, document = entry.value, None
    if couchdb and hashed_collection(namespace) is None:
        found = parse_document(value)
        if found is not None:
            value, document = canonical(found), sql_text(found)
    return StateRow(namespace, key, value, *entry.version, entry.metadata, document)

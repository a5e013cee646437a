"""The private part of a ledger in SQL: cleartext, what is missing of it, when it goes.

The tables are those of schema.py that Fabric keeps apart from the state; whoever owns the
connection runs these statements inside its own transactions.
(Fabric: core/ledger/pvtdatastorage, core/ledger/confighistory, txmgmt/pvtstatepurgemgmt.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from sqlalchemy import Dialect, Table, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.sql.expression import ClauseElement, ColumnElement

from .private_data import without_purged
from .schema import EXPIRING, collections, key_expiries, missing, private_data, private_keys, purges
from .state_db import Version
from .store import (
    BlockRecord,
    CollectionsRow,
    KeyExpiry,
    MissingRow,
    PrivateKeyRow,
    PrivatePart,
    PrivateRow,
    Reconciliation,
)
from .update_batch import UpdateBatch

_NO_MEMBER, _WANTED, _UNAVAILABLE = range(3)
"""Why cleartext is missing: see MissingRow.wanted and LedgerStore.missing."""


class Write(Protocol):
    """Runs statements inside one write transaction."""

    def __call__(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Run a statement once for each row of parameters."""
        ...

    def all(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]: ...


class Read(Protocol):
    """Runs one query on the committed data."""

    def __call__(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]: ...


class PrivateTables:
    """Statements over the private tables, rendered once, and what is done with them.

    Parameters stand in the order in which a statement names them; an update has its new
    values first.  Nobody else may write these tables meanwhile: while nothing in them ever
    expires, which is remembered, a block is not asked what goes with it.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._dated: bool | None = None
        self._insert = sqlite_insert if dialect.name == "sqlite" else postgresql_insert
        self._render_rows()
        self._render_keys()
        self._render_missing()
        self._render_schedule()

    def record(self, write: Write, record: BlockRecord) -> None:
        """Write the private part of a block."""
        number, part = record.number, record.private
        write(self._add_row, [(number, *row) for row in part.rows])
        write(self._add_key, list(part.keys))
        self.begin(write, part)
        write(self._open_missing, [(_WANTED, *place, _NO_MEMBER) for place in part.opened])
        self._purge(write, record.updates)
        if self._expires(write.all):
            for expire in self._expire:
                write(expire, [(number,)])

    def begin(self, write: Write, part: PrivatePart) -> None:
        """Write what a block, or a snapshot, says of data that is not here."""
        if part.key_expiries:
            self._dated = True
        self._note((*part.rows, *part.keys, *part.missing))
        write(self._add_missing, [_missing(row) for row in part.missing])
        write(self._add_expiry, list(part.key_expiries))
        write(self._add_collections, list(part.collections))

    def reconcile(self, write: Write, found: Reconciliation) -> None:
        """Write private data of old blocks."""
        self._note((*(row for _, row in found.rows), *found.keys))
        rows = [(block, *row) for block, row in found.rows]
        write(self._add_row, rows)
        write(self._add_key, list(found.keys))
        write(self._drop_missing, [row[:4] for row in rows])
        write(self._set_missing, [(_UNAVAILABLE, *row[:4]) for row in found.unavailable])

    def rows(self, read: Read, block: int) -> list[PrivateRow]:
        """Cleartext kept with a block, by transaction, namespace and collection."""
        return [PrivateRow(*row) for row in read(self._rows, (block,))]

    def key(self, read: Read, namespace: str, collection: str, key_hash: bytes) -> bytes | None:
        """A key with cleartext here, by its hash."""
        rows = read(self._key, (namespace, collection, key_hash))
        return rows[0][0] if rows else None

    def purges(
        self, read: Read, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, Version]:
        """The last purges of those keys that have one."""
        found = {}
        for key_hash in key_hashes:
            for row in read(self._last_purge, (namespace, collection, key_hash)):
                found[key_hash] = Version(*row)
        return found

    def missing(
        self, read: Read, blocks: int, below: int, *, unavailable: bool
    ) -> list[MissingRow]:
        """Wanted rows of the newest blocks below a number."""
        state = _UNAVAILABLE if unavailable else _WANTED
        newest = read(f"{self._missing_blocks} LIMIT {blocks:d}", (state, below))
        if not newest:
            return []
        rows = read(self._missing, (state, below, newest[-1][0]))
        return [MissingRow(block, tx, ns, coll, True, at) for block, tx, ns, coll, at in rows]

    def expiring(self, read: Read, block: int) -> list[KeyExpiry]:
        """Keys that go with a block."""
        if not self._expires(read):
            return []
        return [KeyExpiry(*row) for row in read(self._expiring, (block,))]

    def collections_below(self, read: Read, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of collections before a block."""
        rows = read(self._collections_below, (namespace, block))
        return CollectionsRow(*rows[0]) if rows else None

    def collections(self, read: Read) -> list[CollectionsRow]:
        """Every definition of collections, by chaincode, newest first."""
        return [CollectionsRow(*row) for row in read(self._collections, ())]

    def _expires(self, read: Read) -> bool:
        """Whether anything here goes at some block."""
        if self._dated is None:
            self._dated = any(read(query, ()) for query in self._any_dated)
        return self._dated

    def _note(self, rows: Iterable[PrivateRow | PrivateKeyRow | MissingRow]) -> None:
        """Rows are about to be written."""
        if any(row.expires_at is not None for row in rows):
            self._dated = True

    def _purge(self, write: Write, updates: UpdateBatch) -> None:
        for (namespace, collection, key_hash), version in updates.purged.items():
            place = (namespace, collection, key_hash)
            changed = []
            for block, tx in write.all(self._writes_of_key, (*place, *version)):
                for (rwset,) in write.all(self._row, (block, tx, namespace, collection)):
                    trimmed = without_purged(rwset, {key_hash})
                    changed.append((trimmed, block, tx, namespace, collection))
            write(self._trim_row, changed)
            write(self._drop_keys, [(*place, *version)])
            write(self._add_purge, [(*place, *version)])

    def _render_rows(self) -> None:
        columns = private_data.c
        place = _equal(private_data, "block", "tx", "namespace", "collection")
        self._add_row = self._upsert(private_data, "rwset", "expires_at")
        self._row = self._render(select(columns.rwset).where(*place))
        self._rows = self._render(
            select(*columns[1:])
            .where(*_equal(private_data, "block"))
            .order_by(columns.tx, columns.namespace, columns.collection)
        )
        self._trim_row = self._render(
            update(private_data).values(rwset=bindparam("trimmed")).where(*place)
        )

    def _render_keys(self) -> None:
        columns = private_keys.c
        key = _equal(private_keys, "namespace", "collection", "key_hash")
        until = tuple_(columns.block, columns.tx) <= tuple_(bindparam("b"), bindparam("t"))
        self._add_key = self._upsert(private_keys, "key", "expires_at")
        self._key = f"{self._render(select(columns.key).where(*key))} LIMIT 1"
        self._writes_of_key = self._render(
            select(columns.block, columns.tx).where(*key).where(until)
        )
        self._drop_keys = self._render(delete(private_keys).where(*key).where(until))
        self._add_purge = self._upsert(purges, "block", "tx")
        self._last_purge = self._render(
            select(purges.c.block, purges.c.tx).where(
                *_equal(purges, "namespace", "collection", "key_hash")
            )
        )

    def _render_missing(self) -> None:
        columns = missing.c
        place = _equal(missing, "block", "tx", "namespace", "collection")
        new_state = update(missing).values(state=bindparam("new"))
        wanted = (*_equal(missing, "state"), columns.block < bindparam("below"))
        newest_first = columns.block.desc()
        self._add_missing = self._render(insert(missing))
        self._drop_missing = self._render(delete(missing).where(*place))
        self._set_missing = self._render(new_state.where(*place))
        self._open_missing = self._render(
            new_state.where(*_equal(missing, "namespace", "collection", "state"))
        )
        self._missing_blocks = self._render(
            select(columns.block).distinct().where(*wanted).order_by(newest_first)
        )
        self._missing = self._render(
            select(*columns[:4], columns.expires_at)
            .where(*wanted, columns.block >= bindparam("oldest"))
            .order_by(newest_first, columns.tx, columns.namespace, columns.collection)
        )

    def _render_schedule(self) -> None:
        self._add_expiry = self._render(insert(key_expiries))
        self._expiring = self._render(
            select(key_expiries).where(*_equal(key_expiries, "expires_at"))
        )
        self._expire = [
            self._render(delete(table).where(table.c.expires_at <= bindparam("block")))
            for table in (*EXPIRING, key_expiries)
        ]
        self._any_dated = [
            f"{self._render(select(column).where(column.is_not(None)))} LIMIT 1"
            for column in (table.c.expires_at for table in (*EXPIRING, key_expiries))
        ]
        columns = collections.c
        newest_first = columns.block.desc()
        self._add_collections = self._render(insert(collections))
        below = (*_equal(collections, "namespace"), columns.block < bindparam("below"))
        newest = select(collections).where(*below).order_by(newest_first)
        self._collections_below = f"{self._render(newest)} LIMIT 1"
        self._collections = self._render(
            select(collections).order_by(columns.namespace, newest_first)
        )

    def _upsert(self, table: Table, *replaced: str) -> str:
        statement = self._insert(table)
        return self._render(
            statement.on_conflict_do_update(
                index_elements=list(table.primary_key.columns),
                set_={name: statement.excluded[name] for name in replaced},
            )
        )

    def _render(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _equal(table: Table, *columns: str) -> tuple[ColumnElement[bool], ...]:
    return tuple(table.c[column] == bindparam(f"p_{column}") for column in columns)


def _missing(row: MissingRow) -> tuple[object, ...]:
    return *row[:4], _WANTED if row.wanted else _NO_MEMBER, row.expires_at

"""A ledger in SQL tables: what SQLite and PostgreSQL have in common.

Schema and statements are SQLAlchemy's; the statements are rendered once and run on the
driver's own cursor, which takes a third of the time.  A block is written in one transaction.
(Fabric: blkstorage, statedb, history, pvtdatastorage and transientstore, in one database.)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import Any

import sqlalchemy
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2

from . import schema
from .errors import LedgerClosed, StateDatabaseDiffers, StoreDamaged, StoreFailed
from .queries.indexes import IndexDefinition, read_index
from .sql_private import PrivateTables
from .sql_snapshots import SnapshotTables
from .sql_state import StateSql, state_row
from .sql_statements import MOST_IDS, Statements, block_row, transaction_rows
from .sql_writer import Writer
from .state_database import StateDatabase
from .state_db import FullStateSnapshot, Version, VersionedValue
from .store import (
    BlockRecord,
    Bootstrap,
    CollectionsRow,
    HistoryRow,
    KeyExpiry,
    LastBlock,
    MissingRow,
    PrivateRow,
    Reconciliation,
    TransactionRow,
    TransientRow,
)
from .update_batch import UpdateBatch

_ROWS = 1000
"""Entries of the state written by one statement."""


class SqlStore(ABC):
    """One channel's ledger in the database of ``engine``, whose tables are there.

    place: how errors name it; state_database: by whose rules the state is kept, as it was
    when the ledger was made (StateDatabaseDiffers).
    writable: False to look on while another process writes.
    StoreDamaged if the tables are of another format; StoreFailed if they cannot be read.
    A database adds ``snapshot`` and what is its own.
    """

    is_remote = False
    holds_purged = False
    begin = ""
    """What begins a transaction that writes, where the driver does not do so by itself."""

    def __init__(
        self,
        engine: sqlalchemy.Engine,
        place: str,
        state_sql: StateSql,
        state_database: StateDatabase,
        *,
        writable: bool = True,
    ) -> None:
        self._engine = engine
        self._place = place
        self._state = state_sql
        self._state_database = state_database
        self._writable = writable
        self._closed = False
        self._idle: list[PoolProxiedConnection] = []
        self._write_lock = Lock()
        self._sql = Statements(engine.dialect)
        self._private = PrivateTables(engine.dialect)
        self._snapshots = SnapshotTables(engine.dialect, alone=writable)
        self._base: LastBlock | None = None
        self.driver_error = engine.dialect.loaded_dbapi.Error
        with self._failures():
            self._writer = Writer(engine.raw_connection(), self.begin)
            self._height = self._open_tables()

    @property
    def height(self) -> int:
        """Number the next block will have."""
        return self._height

    @property
    def base(self) -> LastBlock | None:
        """The block behind which this store begins, None if it has all blocks."""
        return self._base

    @property
    def state_database(self) -> StateDatabase:
        """By whose rules the state is kept."""
        return self._state_database

    @abstractmethod
    def snapshot(self) -> FullStateSnapshot:
        """The state as committed; close it."""

    def bootstrap(self, start: Bootstrap) -> None:
        """Write what a snapshot holds in one transaction, durable on return."""
        if self._height:
            raise StoreFailed(self._place, f"there are {self._height} blocks already")
        with self._write_lock, self._failures():
            with self._transaction() as write:
                self._private.begin(write, start.private)
                self._snapshots.bootstrap(write, start)
                put = self._put_all(write, start.state)
                if write.all(self._sql.state_size, ())[0][0] != put:
                    raise StoreFailed(self._place, "a key of the state is there twice")
            self._base, self._height = start.last, start.last.number + 1

    def base_hashes(
        self, block: int, tx: int, namespace: str, collection: str
    ) -> dict[bytes, bytes]:
        """Value hashes by key hash of what a transaction before ``base`` has left in it."""
        return self._snapshots.base_hashes(self._all, block, tx, namespace, collection)

    def commit(self, record: BlockRecord) -> None:
        """Write everything of a block in one transaction, durable on return."""
        with self.committing(record):
            pass

    @contextmanager
    def committing(self, record: BlockRecord) -> Iterator[None]:
        """The same, with its end in the caller's hands."""
        with self._write_lock, self._failures():
            with self._transaction() as write:
                write(self._sql.add_block, [block_row(record)])
                write(self._sql.add_transaction, transaction_rows(record))
                self._write_state(write, record.updates)
                write(self._sql.add_history, sorted(record.history))
                self._private.record(write, record)
                write(self._sql.drop_transient, [(tx_id,) for tx_id in record.committed])
                yield
            self._height = record.number + 1
            self._committed(record)

    def block(self, number: int) -> common_pb2.Block | None:
        """A block by number; None beyond the height."""
        if not self._first <= number < self._height:
            return None
        row = self._one(self._sql.block, (number,))
        if row is None:
            raise StoreDamaged(self._place, f"block {number} is missing")
        return parse(common_pb2.Block, row[0], f"block {number}")

    def block_number(self, block_hash: bytes) -> int | None:
        """The number of the block with this header hash."""
        row = self._one(self._sql.block_number, (block_hash,))
        return row[0] if row else None

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id."""
        return self._snapshots.transaction(self._all, tx_id)

    def known_transactions(self, tx_ids: Sequence[str]) -> set[str]:
        """Those of the ids that some transaction carried; one statement for many."""
        known: set[str] = set()
        for start in range(0, len(tx_ids), MOST_IDS):
            statement, parameters = self._sql.known_transactions(tx_ids[start : start + MOST_IDS])
            known.update(row[0] for row in self._all(statement, parameters))
        return known

    def tx_ids(self, below: int) -> Iterator[str]:
        """Ids of all transactions before a block, by length and then in byte order."""
        return self._snapshots.tx_ids(self._all, below)

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first; read in pieces, so as not to hold a connection."""
        block, tx = self._height, 0
        while rows := self._all(*self._state.history(namespace, key, (block, tx))):
            for row in rows:
                block, tx, tx_id, seconds, nanos, is_delete, value = row
                yield HistoryRow(
                    namespace, key, block, tx, tx_id, seconds, nanos, bool(is_delete), value
                )

    def private_data(self, block: int) -> list[PrivateRow]:
        """Cleartext kept with a block, by transaction, namespace and collection."""
        return self._private.rows(self._all, block) if 0 <= block < self._height else []

    def private_key(self, namespace: str, collection: str, key_hash: bytes) -> bytes | None:
        """A key with cleartext here, by its hash."""
        return self._private.key(self._all, namespace, collection, key_hash)

    def purges(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, Version]:
        """The last purges of those keys that have one."""
        return self._private.purges(self._all, namespace, collection, key_hashes)

    def missing(self, blocks: int, below: int, *, unavailable: bool = False) -> list[MissingRow]:
        """Wanted private data of the newest blocks below a number."""
        return self._private.missing(self._all, blocks, below, unavailable=unavailable)

    def expiring(self, block: int) -> list[KeyExpiry]:
        """Private keys that go with a block."""
        return self._private.expiring(self._all, block)

    def collections_below(self, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of collections before a block."""
        return self._private.collections_below(self._all, namespace, block)

    def collections(self) -> Iterator[CollectionsRow]:
        """Every definition of collections, by chaincode, newest first."""
        return iter(self._private.collections(self._all))

    def reconcile(self, found: Reconciliation) -> None:
        """Keep private data of old blocks, durable on return; the height stays."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._write_state(write, found.updates)
            self._private.reconcile(write, found)

    def snapshot_requests(self) -> list[int]:
        """Blocks of which a snapshot is due."""
        return self._snapshots.requests(self._all)

    def add_snapshot_request(self, number: int) -> None:
        """Remember that one is due, durable on return."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._snapshots.add_request(write, number)

    def drop_snapshot_request(self, number: int) -> None:
        """Forget one, durable on return."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._snapshots.drop_request(write, number)

    def put_transient(self, tx_id: str, row: TransientRow) -> None:
        """Keep a private set, durable on return."""
        with self._write_lock, self._failures(), self._transaction() as write:
            write(self._sql.add_transient, [(tx_id, *row)])

    def transient(self, tx_ids: Sequence[str]) -> dict[str, list[TransientRow]]:
        """Sets kept for these ids, oldest first."""
        kept = {
            tx_id: [TransientRow(*row) for row in self._all(self._sql.transient, (tx_id,))]
            for tx_id in tx_ids
        }
        return {tx_id: rows for tx_id, rows in kept.items() if rows}

    def purge_transient(self, below_height: int) -> None:
        """Forget sets that were kept when the ledger was lower than this."""
        with self._write_lock, self._failures(), self._transaction() as write:
            write(self._sql.purge_transient, [(below_height,)])

    def define_indexes(self, namespace: str, definitions: Sequence[IndexDefinition]) -> None:
        """Make indexes of a namespace, over those of the same design document and name."""
        with self._write_lock, self._failures(), self._transaction() as write:
            for index in definitions:
                place = (namespace, index.ddoc, index.name)
                for (text,) in write.all(self._sql.query_index, place):
                    former = read_index(text.encode())
                    self._drop_index(write, former.sql_name(namespace))
                write(self._sql.drop_query_index, [place])
                write(self._sql.add_query_index, [(*place, index.text)])
                write.run(self._state.queries.create_index(index, namespace))

    def close(self) -> None:
        """Close all connections but those of open snapshots; may be called again."""
        if not self._closed:
            self._closed = True
            self._writer.close()
            while self._idle:
                self._idle.pop().close()
            self._engine.dispose()

    def failure(self, error: BaseException) -> StoreFailed:
        """What to raise for an error of the database."""
        return StoreFailed(self._place, str(error))

    @abstractmethod
    def _create(self, write: Writer) -> None:
        """Add to new tables what only this database has."""

    @abstractmethod
    def _drop_index(self, write: Writer, name: str) -> None:
        """Drop an index that no query will use any more, now or later."""

    @abstractmethod
    def _committed(self, record: BlockRecord) -> None:
        """Do what this database needs after a block."""

    def _open_tables(self) -> int:
        with self._engine.begin() as connection:
            if self._writable:
                schema.create(connection)
            columns = schema.properties.c
            rows = connection.execute(sqlalchemy.select(columns.name, columns.value)).all()
            known = {row[0]: row[1] for row in rows}
            write = Writer(connection.connection)
            if not known and self._writable:
                self._create(write)
                known = {"format": schema.FORMAT, "state_database": self._state_database.value}
                stated = [{"name": name, "value": value} for name, value in known.items()]
                connection.execute(sqlalchemy.insert(schema.properties), stated)
            if known.get("format") != schema.FORMAT:
                reason = f"format {known.get('format')}, not {schema.FORMAT}"
                raise StoreDamaged(self._place, reason)
            if known["state_database"] != self._state_database.value:
                raise StateDatabaseDiffers(
                    self._place, known["state_database"], self._state_database.value
                )
            self._base = self._snapshots.base(write.all)
            return self._next_number(write.all(self._sql.newest, ())[0])

    @property
    def _first(self) -> int:
        return 0 if self._base is None else self._base.number + 1

    def _next_number(self, newest: Any) -> int:  # noqa: ANN401 - a driver's row
        number: int | None = newest[0]
        return self._first if number is None else number + 1

    @contextmanager
    def _transaction(self) -> Iterator[Writer]:
        if self._closed:
            raise LedgerClosed
        if not self._writable:
            raise StoreFailed(self._place, "opened to look on only")
        with self._writer.transaction() as write:
            yield write

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self.failure(error.orig or error) from error
        except self.driver_error as error:
            raise self.failure(error) from error

    def _write_state(self, write: Writer, updates: UpdateBatch) -> None:
        deleted: list[tuple[str, bytes]] = []
        put: list[tuple[str, bytes, VersionedValue]] = []
        for namespace, entries in sorted(updates.stored()):
            for key in sorted(entries):
                entry = entries[key]
                if entry.is_delete:
                    deleted.append((namespace, key))
                else:
                    put.append((namespace, key, entry))
        self._state.delete(write, deleted)
        self._put_all(write, put)

    def _put_all(self, write: Writer, entries: Iterable[tuple[str, bytes, VersionedValue]]) -> int:
        couchdb = self._state_database is StateDatabase.COUCHDB
        rows = (state_row(*entry, couchdb=couchdb) for entry in entries)
        count = 0
        while piece := list(islice(rows, _ROWS)):
            for row in piece:
                if row.metadata:
                    self._snapshots.metadata_written(row.namespace)
            self._state.put(write, piece)
            count += len(piece)
        return count

    def _borrow(self) -> PoolProxiedConnection:
        if self._closed:
            raise LedgerClosed
        if self._idle:
            return self._idle.pop()
        with self._failures():
            return self._engine.raw_connection()

    def _give_back(self, connection: PoolProxiedConnection) -> None:
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _one(self, sql: str, parameters: tuple[object, ...]) -> Any:  # noqa: ANN401 - a driver's row
        rows = self._all(sql, parameters)
        return rows[0] if rows else None

    def _all(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        connection = self._borrow()
        try:
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return cursor.fetchall()
        except self.driver_error as error:
            raise self.failure(error) from error
        finally:
            self._give_back(connection)

"""A ledger in one SQLite file, in write-ahead-log mode, synced at every commit.

Schema and statements are SQLAlchemy's; the statements are rendered once and run on the
driver's own cursor, which takes a third of the time.  A snapshot is a read transaction on
a connection of its own: SQLite keeps what it sees until it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2

from . import schema
from .errors import LedgerClosed, StoreDamaged, StoreFailed
from .sql_private import PrivateTables
from .sql_snapshots import SnapshotTables
from .sqlite_statements import Statements
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

_PRAGMAS = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -16000",
    "PRAGMA secure_delete = ON",
)
_BUSY_SECONDS = 30


class SqliteStore:
    """One channel's ledger in the file ``path``, created if it is not there.

    StoreDamaged if the file is no ledger of this format; StoreFailed if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self._idle: list[PoolProxiedConnection] = []
        self._write_lock = Lock()
        self._engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(path)),
            poolclass=NullPool,
            connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
        )
        sqlalchemy.event.listen(self._engine, "connect", _prepare)
        sqlalchemy.event.listen(self._engine, "begin", _begin)
        self._sql = Statements(self._engine.dialect)
        self._private = PrivateTables(self._engine.dialect)
        self._snapshots = SnapshotTables(self._engine.dialect)
        self._log_holds_purged = False
        self._base: LastBlock | None = None
        self.driver_error = self._engine.dialect.loaded_dbapi.Error
        with self._failures():
            self._height = self._open_file()
        self._writer = self._engine.connect()

    @property
    def height(self) -> int:
        """Number the next block will have."""
        return self._height

    @property
    def base(self) -> LastBlock | None:
        """The block behind which this store begins, None if it has all blocks."""
        return self._base

    def bootstrap(self, start: Bootstrap) -> None:
        """Write what a snapshot holds in one transaction, synced on return."""
        if self._height:
            raise StoreFailed(str(self._path), f"there are {self._height} blocks already")
        with self._write_lock, self._failures():
            with self._transaction() as write:
                self._private.begin(write, start.private)
                self._snapshots.bootstrap(write, start)
            self._base, self._height = start.last, start.last.number + 1

    def snapshot(self) -> FullStateSnapshot:
        """The state as committed; holds a connection until closed."""
        connection = self._borrow()
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            cursor.execute(self._sql.newest)
            height = self._next_number(cursor.fetchone())
        except self.driver_error as error:
            self.release(connection)
            raise self.failure(error) from error
        return _SqliteSnapshot(self, connection, self._sql, self._snapshots, height)

    def commit(self, record: BlockRecord) -> None:
        """Write everything of a block in one transaction, synced on return."""
        with self._write_lock, self._failures():
            with self._transaction() as write:
                write(self._sql.add_block, [_block_row(record)])
                write(self._sql.add_transaction, _transaction_rows(record))
                self._write_state(write, record.updates)
                write(self._sql.add_history, sorted(record.history))
                self._private.record(write, record)
                write(self._sql.drop_transient, [(tx_id,) for tx_id in record.committed])
            self._height = record.number + 1
            self._log_holds_purged = self._log_holds_purged or bool(record.updates.purged)
            if self._log_holds_purged:
                self._empty_log()

    def block(self, number: int) -> common_pb2.Block | None:
        """A block by number; None beyond the height."""
        if not self._first <= number < self._height:
            return None
        row = self._one(self._sql.block, (number,))
        if row is None:
            raise StoreDamaged(str(self._path), f"block {number} is missing")
        return parse(common_pb2.Block, row[0], f"block {number}")

    def block_number(self, block_hash: bytes) -> int | None:
        """The number of the block with this header hash."""
        row = self._one(self._sql.block_number, (block_hash,))
        return row[0] if row else None

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id."""
        row = self._one(self._sql.transaction, (tx_id,))
        return TransactionRow(*row) if row else None

    def tx_ids(self, below: int) -> Iterator[str]:
        """Ids of all transactions before a block, by length and then in byte order."""
        return self._snapshots.tx_ids(self._all, below)

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first; read in pieces, so as not to hold a connection."""
        block, tx = self._height, 0
        while rows := self._all(self._sql.history, (namespace, key, block, tx)):
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
        """Keep private data of old blocks, synced on return; the height stays."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._write_state(write, found.updates)
            self._private.reconcile(write, found)

    def snapshot_requests(self) -> list[int]:
        """Blocks of which a snapshot is due."""
        return self._snapshots.requests(self._all)

    def add_snapshot_request(self, number: int) -> None:
        """Remember that one is due, synced on return."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._snapshots.add_request(write, number)

    def drop_snapshot_request(self, number: int) -> None:
        """Forget one, synced on return."""
        with self._write_lock, self._failures(), self._transaction() as write:
            self._snapshots.drop_request(write, number)

    def put_transient(self, tx_id: str, row: TransientRow) -> None:
        """Keep a private set, synced on return."""
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
        return StoreFailed(str(self._path), str(error))

    def release(self, connection: PoolProxiedConnection) -> None:
        """End a snapshot's transaction and take its connection back."""
        connection.rollback()
        self._give_back(connection)

    def _open_file(self) -> int:
        with self._engine.begin() as connection:
            schema.metadata.create_all(connection)
            stored = connection.scalar(sqlalchemy.select(schema.properties.c.value))
            if stored is None:
                values = {"name": "format", "value": schema.FORMAT}
                connection.execute(sqlalchemy.insert(schema.properties), values)
            elif stored != schema.FORMAT:
                raise StoreDamaged(str(self._path), f"format {stored}, not {schema.FORMAT}")

            def read(sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
                return connection.exec_driver_sql(sql, parameters).all()

            self._base = self._snapshots.base(read)
            return self._next_number(read(self._sql.newest, ())[0])

    @property
    def _first(self) -> int:
        return 0 if self._base is None else self._base.number + 1

    def _next_number(self, newest: Any) -> int:  # noqa: ANN401 - a driver's row
        number: int | None = newest[0]
        return self._first if number is None else number + 1

    @contextmanager
    def _transaction(self) -> Iterator[_Write]:
        if self._closed:
            raise LedgerClosed
        with self._writer.begin():
            yield _Write(self._writer)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self.failure(error.orig or error) from error

    def _write_state(self, write: _Write, updates: UpdateBatch) -> None:
        put: list[tuple[object, ...]] = []
        deleted: list[tuple[object, ...]] = []
        for namespace, entries in sorted(updates.stored()):
            for key in sorted(entries):
                entry = entries[key]
                if entry.is_delete:
                    deleted.append((namespace, key))
                else:
                    put.append((namespace, key, entry.value, *entry.version, entry.metadata))
        write(self._sql.delete_state, deleted)
        write(self._sql.put_state, put)

    def _empty_log(self) -> None:
        """Drop what the log still holds of purged data, unless some reader needs the log."""
        cursor = self._writer.connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 0")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        cursor.close()
        self._log_holds_purged = bool(busy)

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


class _Write:
    """Runs statements inside the one write transaction."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self._connection = connection

    def __call__(self, sql: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._connection.exec_driver_sql(sql, list(rows))

    def all(self, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        return self._connection.exec_driver_sql(sql, parameters).all()


class _SqliteSnapshot:
    def __init__(
        self,
        store: SqliteStore,
        connection: PoolProxiedConnection,
        sql: Statements,
        tables: SnapshotTables,
        height: int,
    ) -> None:
        self._store = store
        self._connection: PoolProxiedConnection | None = connection
        self._cursor = connection.cursor()
        self._sql = sql
        self._tables = tables
        self.height = height

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        rows = self._rows(self._sql.get_state, namespace, key)
        if not rows:
            return None
        value, block, tx, metadata = rows[0]
        return VersionedValue(value, Version(block, tx), metadata)

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        while rows := self._chunk(namespace, start, end):
            for key, value, block, tx, metadata in rows:
                yield key, VersionedValue(value, Version(block, tx), metadata)
            start = rows[-1][0] + b"\x00"

    def namespaces(self) -> list[str]:
        return self._tables.namespaces(lambda sql, _: self._rows(sql))

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._store.release(connection)

    def _chunk(self, namespace: str, start: bytes, end: bytes) -> Sequence[Any]:
        if end:
            return self._rows(self._sql.state_range, namespace, start, end)
        return self._rows(self._sql.state_from, namespace, start)

    def _rows(self, sql: str, *parameters: object) -> Sequence[Any]:
        try:
            self._cursor.execute(sql, parameters)
            return self._cursor.fetchall()
        except self._store.driver_error as error:
            raise self._store.failure(error) from error


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _block_row(record: BlockRecord) -> tuple[object, ...]:
    return record.number, record.block_hash, record.block.SerializeToString()


def _transaction_rows(record: BlockRecord) -> list[tuple[object, ...]]:
    return sorted(
        (tx_id, record.number, index, code)
        for index, (tx_id, code) in enumerate(zip(record.tx_ids, record.codes, strict=True))
        if tx_id
    )

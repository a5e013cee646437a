"""A ledger in one SQLite file, in write-ahead-log mode, synced at every commit.

A snapshot is a read transaction on a connection of its own: SQLite keeps what it sees until
it ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import sqlalchemy
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from .errors import StoreFailed
from .queries import sqlite_dialect
from .sql_snapshot import SqlSnapshot
from .sql_store import SqlStore
from .sql_writer import Writer
from .sqlite_state import SqliteStateSql
from .state_database import StateDatabase
from .state_db import COLLECTIONS_END, FullStateSnapshot
from .store import BlockRecord

_PRAGMAS = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA secure_delete = ON",
)
_BUSY_SECONDS = 30
_STAMP = "SELECT count(*), max(block) FROM state WHERE namespace >= ? AND namespace < ?"


class SqliteStore(SqlStore):
    """One channel's ledger in the file ``path``, created if it is not there.

    writable: False to look on while another process writes.
    StoreDamaged if the file is no ledger of this format; StoreFailed if it cannot be opened.
    """

    begin = "BEGIN IMMEDIATE"

    def __init__(
        self,
        path: Path,
        state_database: StateDatabase = StateDatabase.LEVELDB,
        *,
        writable: bool = True,
    ) -> None:
        if state_database is StateDatabase.COUCHDB:
            _require_json(path)
        self.holds_purged = False
        self._version = 0
        engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(path)),
            poolclass=NullPool,
            connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
        )
        sqlalchemy.event.listen(engine, "connect", _prepare)
        sqlalchemy.event.listen(engine, "begin", _begin)
        statements = SqliteStateSql(engine.dialect)
        super().__init__(engine, str(path), statements, state_database, writable=writable)

    def snapshot(self) -> FullStateSnapshot:
        """The state as committed; holds a connection until closed."""
        connection = self._borrow()
        run = partial(self._run, connection.cursor())
        try:
            run("BEGIN", ())
            height = self._next_number(run(self._sql.newest, ())[0])
        except StoreFailed:
            self._release(connection)
            raise
        return SqlSnapshot(
            height,
            run,
            partial(self._release, connection),
            self._state,
            self._snapshots,
            couchdb=self._state_database is StateDatabase.COUCHDB,
        )

    def follow(self) -> bool:
        """Whether another process has committed since this was asked last, and how far it is."""
        cursor = self._writer.connection.cursor()
        (version,) = self._run(cursor, "PRAGMA data_version", ())[0]
        if version == self._version:
            return False
        self._version = version
        self._height = self._next_number(self._run(cursor, self._sql.newest, ())[0])
        return True

    def stamp(self, namespace: str) -> int:
        """Another number once a block has changed a namespace or one of its collections."""
        rows = self._all(_STAMP, (namespace, f"{namespace}{COLLECTIONS_END}"))
        number, newest = rows[0]
        return int(newest or 0) << 32 | int(number)

    def _create(self, write: Writer) -> None:
        """Nothing: functions belong to connections here."""

    def _drop_index(self, write: Writer, name: str) -> None:
        write.run(f'DROP INDEX IF EXISTS "{name}"')

    def _committed(self, record: BlockRecord) -> None:
        self.holds_purged = self.holds_purged or bool(record.updates.purged)
        if self.holds_purged:
            self._empty_log()

    def _empty_log(self) -> None:
        """Drop what the log still holds of purged data, unless some reader needs the log."""
        cursor = self._writer.connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 0")
        busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        cursor.close()
        self.holds_purged = bool(busy)

    def _run(self, cursor: DBAPICursor, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        try:
            cursor.execute(sql, parameters)
            return cursor.fetchall()
        except self.driver_error as error:
            raise self.failure(error) from error

    def _release(self, connection: PoolProxiedConnection) -> None:
        """End a snapshot's transaction and take its connection back."""
        connection.rollback()
        self._give_back(connection)


def _prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
    sqlite_dialect.add_functions(cast("sqlite3.Connection", connection))


def _begin(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql(SqliteStore.begin)


def _require_json(path: Path) -> None:
    if sqlite3.sqlite_version_info < sqlite_dialect.OLDEST:
        needed = ".".join(map(str, sqlite_dialect.OLDEST))
        found = sqlite3.sqlite_version
        raise StoreFailed(str(path), f"rich queries need SQLite {needed}, this is {found}")

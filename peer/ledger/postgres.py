"""A ledger in a schema of a PostgreSQL database, durable at every commit.

A snapshot is a repeatable-read transaction.  Those of one state share a connection, so that
many simulations at a time need few; the next write lets go of it.
Needs the extra ``postgres``, which is psycopg 3.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Any, cast

import psycopg
import sqlalchemy
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, PoolProxiedConnection

from .errors import StoreFailed
from .postgres_state import INDEXES, PostgresStateSql
from .postgres_text import accept_any_text
from .queries import postgres_dialect
from .queries.indexes import read_index
from .sql_snapshot import SqlSnapshot
from .sql_store import SqlStore
from .sql_writer import Writer
from .state_database import StateDatabase
from .state_db import FullStateSnapshot
from .store import BlockRecord

_LONGEST_NAME = 63
_LOCK_SECONDS = 10.0
_LOCK_PAUSE = 0.05
_SETTINGS = (
    "SET synchronous_commit = on",
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_sort = off",
    "SET jit = off",
)
_RICH_INDEXES = "SELECT indexname FROM pg_indexes WHERE schemaname = %s AND indexname ~ '^rich_'"


def schema_name(owner: str, channel_id: str) -> str:
    """The schema of a peer's channel; a name that is too long ends in its digest."""
    name = f"{owner}/{channel_id}"
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    return f"{name.encode()[:40].decode(errors='ignore')}/{sha256(name.encode()).hexdigest()[:16]}"


def stored_channels(url: str, owner: str) -> list[str]:
    """Ids of the channels of which a peer has schemas; StoreFailed."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            query = (
                "SELECT obj_description(oid) FROM pg_namespace"
                " WHERE obj_description(oid) LIKE 'gridloom ledger of %%'"
            )
            described = [row[0] for row in connection.exec_driver_sql(query)]
    except DBAPIError as error:
        raise StoreFailed(_shown(url), str(error.orig or error)) from error
    finally:
        engine.dispose()
    prefix = _description(owner, "")
    return sorted(text.removeprefix(prefix) for text in described if text.startswith(prefix))


@dataclass(slots=True)
class _Shared:
    """A transaction that several snapshots read; its height; broken: it can read no more."""

    connection: PoolProxiedConnection
    height: int = 0
    users: int = 0
    broken: bool = False
    lock: Lock = field(default_factory=Lock)


class PostgresStore(SqlStore):
    """One channel's ledger in a schema of the database at ``url``, made if it is not there.

    url: postgresql://user:password@host:port/database, or anything libpq takes after ``?``.
    owner: name of the peer, whose ledgers may share a database with those of others.
    writable: False to look on while another process writes.
    StoreDamaged if the tables are of another format; StoreFailed if the database cannot be
    reached, or another process has this ledger open.
    """

    is_remote = True

    def __init__(
        self,
        url: str,
        owner: str,
        channel_id: str,
        state_database: StateDatabase = StateDatabase.LEVELDB,
        *,
        writable: bool = True,
    ) -> None:
        name = schema_name(owner, channel_id)
        self._name = name
        self._schema = '"' + name.replace('"', '""') + '"'
        self._shared: _Shared | None = None
        self._shared_lock = Lock()
        engine = _engine(url)
        place = f"{_shown(url)} schema {name}"
        sqlalchemy.event.listen(engine, "connect", self._prepare)
        try:
            if writable:
                self._create_schema(engine, _description(owner, channel_id))
            super().__init__(engine, place, PostgresStateSql(), state_database, writable=writable)
        except DBAPIError as error:
            raise StoreFailed(place, str(error.orig or error)) from error

    def snapshot(self) -> FullStateSnapshot:
        """The state as committed; close it."""
        with self._shared_lock:
            shared = self._shared
            if shared is None or shared.broken:
                shared = self._shared = self._share()
            shared.users += 1
        return SqlSnapshot(
            shared.height,
            partial(self._run, shared),
            partial(self._leave, shared),
            self._state,
            self._snapshots,
            couchdb=self._state_database is StateDatabase.COUCHDB,
            query=partial(self._query, shared),
        )

    def close(self) -> None:
        """Close all connections but those of open snapshots; may be called again."""
        self._let_go()
        super().close()

    def _create_schema(self, engine: sqlalchemy.Engine, description: str) -> None:
        comment = description.replace("'", "''")
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
            connection.exec_driver_sql(f"COMMENT ON SCHEMA {self._schema} IS '{comment}'")

    def _create(self, write: Writer) -> None:
        for statement in (*postgres_dialect.functions(self._schema), *INDEXES):
            write.run(statement)

    def _drop_index(self, write: Writer, name: str) -> None:
        """Nothing until the ledger is opened again: it would wait for all who read."""

    def _committed(self, record: BlockRecord) -> None:
        """Nothing: the server's log is its own matter."""

    def _open_tables(self) -> int:
        if not self._writable:
            return super()._open_tables()
        self._lock()
        height = super()._open_tables()
        with self._writer.transaction() as write:
            defined = write.all(self._sql.query_indexes, ())
            used = {read_index(row[1].encode()).sql_name(row[0]) for row in defined}
            for (name,) in write.all(_RICH_INDEXES, (self._name,)):
                if name not in used:
                    write.run(f'DROP INDEX "{name}"')
        return height

    @contextmanager
    def _transaction(self) -> Iterator[Writer]:
        with super()._transaction() as write:
            yield write
        self._let_go()

    def _lock(self) -> None:
        """Be the only process that writes this ledger, for as long as the writer lives."""
        digest = sha256(self._schema.encode()).digest()
        number = int.from_bytes(digest[:8], "big", signed=True)
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            with self._writer.transaction() as write:
                if write.all("SELECT pg_try_advisory_lock(%s)", (number,))[0][0]:
                    return
            if time.monotonic() > deadline:
                raise StoreFailed(self._place, "another process has this ledger open")
            time.sleep(_LOCK_PAUSE)

    def _borrow(self) -> PoolProxiedConnection:
        connection = super()._borrow()
        cast("psycopg.Connection", connection.driver_connection).autocommit = True
        return connection

    def _share(self) -> _Shared:
        shared = _Shared(self._borrow())
        self._run(shared, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        shared.height = self._next_number(self._run(shared, self._sql.newest, ())[0])
        return shared

    def _let_go(self) -> None:
        """Have the next snapshot see what was written."""
        with self._shared_lock:
            shared, self._shared = self._shared, None
            if shared is not None and not shared.users:
                self._end(shared)

    def _leave(self, shared: _Shared) -> None:
        with self._shared_lock:
            shared.users -= 1
            if not shared.users and (shared is not self._shared or shared.broken):
                if shared is self._shared:
                    self._shared = None
                self._end(shared)

    def _end(self, shared: _Shared) -> None:
        if shared.broken:
            shared.connection.invalidate()
        else:
            shared.connection.rollback()
            self._give_back(shared.connection)

    def _run(self, shared: _Shared, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        with shared.lock:
            try:
                cursor = shared.connection.cursor()
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else ()
            except self.driver_error as error:
                shared.broken = True
                raise self.failure(error) from error

    def _query(self, shared: _Shared, sql: str, parameters: tuple[object, ...]) -> Sequence[Any]:
        """A statement that may fail without harm to others."""
        with shared.lock:
            cursor = shared.connection.cursor()
            try:
                cursor.execute("SAVEPOINT query")
                cursor.execute(sql, parameters)
                rows = cursor.fetchall()
                cursor.execute("RELEASE SAVEPOINT query")
            except self.driver_error as error:
                shared.broken = not self._went_back(shared)
                raise self.failure(error) from error
            return rows

    def _went_back(self, shared: _Shared) -> bool:
        try:
            shared.connection.cursor().execute("ROLLBACK TO SAVEPOINT query")
        except self.driver_error:
            return False
        return True

    def _prepare(self, connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        driver = cast("psycopg.Connection", connection)
        accept_any_text(driver)
        with driver.cursor() as cursor:
            cursor.execute(f"SET search_path TO {self._schema}".encode())
            for setting in _SETTINGS:
                cursor.execute(setting.encode())
        driver.commit()


def _engine(url: str) -> sqlalchemy.Engine:
    try:
        parsed = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
        return sqlalchemy.create_engine(parsed, poolclass=NullPool, paramstyle="format")
    except ArgumentError as error:
        raise StoreFailed("the URL of the state's database", str(error)) from error


def _shown(url: str) -> str:
    return sqlalchemy.make_url(url).render_as_string(hide_password=True)


def _description(owner: str, channel_id: str) -> str:
    return f"gridloom ledger of {owner}: {channel_id}"

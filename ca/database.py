"""A CA's database: who is registered, which affiliations there are, what was issued.

    with database.write() as store:                    # one transaction, durable at its end
        store.identities.add(identity)

SQLite in a file (write-ahead log, synced at each commit), SQLite in memory, or PostgreSQL.
The tables are fabric-ca's.  (Fabric: fabric-ca lib/server/db)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from gridloom.common.errors import GridloomError

from .affiliations import Affiliations
from .affiliations import table as affiliations_table
from .certificate_records import CertificateRecords
from .certificate_records import table as certificates_table
from .refusals import Code, Refusal
from .registry import Registry
from .registry import table as users_table

SCHEMA: Final = "1"
"""The version of the tables; a database of a later one is not opened."""

_SCHEMA_PROPERTY: Final = "gridloom.schema"
_BUSY_SECONDS: Final = 30
_CONNECT_SECONDS: Final = 10
_CONNECTIONS: Final = 16
_LOCK: Final = 0x6361  # any number that others do not lock
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
)

_metadata = MetaData()
_properties = Table(
    "properties",
    _metadata,
    Column("property", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
for _table in (users_table, affiliations_table, certificates_table):
    _table(_metadata)


class DatabaseUnusable(GridloomError):
    """A CA's database cannot be opened. name: which one; reason: why not."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Store:
    """The tables, within one transaction."""

    identities: Registry
    affiliations: Affiliations
    certificates: CertificateRecords


class Database:
    """Opens transactions; safe to use from many threads. Make one with a class method."""

    def __init__(self, engine: Engine, name: str, *, shared: bool) -> None:
        """shared: all threads have one and the same connection, so they take turns."""
        self.name = name
        self._engine = engine
        self._writing = threading.RLock()
        self._reading: Any = self._writing if shared else nullcontext()
        self._prepare()

    @classmethod
    def sqlite(cls, path: Path) -> Database:
        """Open a file, or make it; DatabaseUnusable."""
        engine = sqlalchemy.create_engine(
            sqlalchemy.URL.create("sqlite", database=str(path)),
            connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
            pool_size=_CONNECTIONS,
            hide_parameters=True,
        )
        _use_sqlite(engine)
        return cls(engine, str(path), shared=False)

    @classmethod
    def in_memory(cls) -> Database:
        """One that ends with this object."""
        engine = sqlalchemy.create_engine(
            "sqlite://",
            connect_args={"check_same_thread": False},
            poolclass=StaticPool,
            hide_parameters=True,
        )
        _use_sqlite(engine)
        return cls(engine, "memory", shared=True)

    @classmethod
    def postgres(cls, datasource: str) -> Database:
        """Open a PostgreSQL database; DatabaseUnusable.

        datasource: libpq's, as key=value words or as a URL.  Needs the extra ``postgres``.
        """
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ImportError as error:
            reason = "needs psycopg: pip install 'gridloom[postgres]'"
            raise DatabaseUnusable("postgres", reason) from error
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(datasource, connect_timeout=_CONNECT_SECONDS),
            pool_size=_CONNECTIONS,
            pool_pre_ping=True,
            hide_parameters=True,
        )
        return cls(engine, "postgres", shared=False)

    @contextmanager
    def read(self) -> Iterator[Store]:
        """Look at the tables as they are; Refusal (504) when the database fails."""
        with self._reading, _failures(), self._engine.connect() as connection:
            yield _store(connection)

    @contextmanager
    def write(self) -> Iterator[Store]:
        """Change the tables, all of it or (after an exception) nothing.

        One transaction at a time, also of several servers that share a database: what was read
        in it is still so when it ends.
        """
        with self._writing, _failures(), self._engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                _wait_for_turn(connection)
                yield _store(connection)

    def copy_sqlite(self, target: Path) -> None:
        """Write a consistent copy of an SQLite database, also while it is in use."""
        import sqlite3  # noqa: PLC0415 - for this only

        with self._engine.connect() as connection:
            source = connection.connection.driver_connection
            if not isinstance(source, sqlite3.Connection):
                raise DatabaseUnusable(self.name, "is not SQLite; use PostgreSQL's own pg_dump")
            copy = sqlite3.connect(target)
            try:
                source.backup(copy)
            finally:
                copy.close()

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()

    def _prepare(self) -> None:
        """Make the tables that are not there; refuse those of somebody else."""
        try:
            with self._writing, self._engine.connect() as connection:
                connection.execution_options(writes=True)
                with connection.begin():
                    self._check_schema(connection)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise DatabaseUnusable(self.name, _words(error)) from None
        except DatabaseUnusable:
            self._engine.dispose()
            raise

    def _check_schema(self, connection: Connection) -> None:
        _wait_for_turn(connection)
        present = set(sqlalchemy.inspect(connection).get_table_names())
        if _properties.name not in present:
            if present & set(_metadata.tables):
                raise DatabaseUnusable(self.name, "its tables were not made by this program")
            _metadata.create_all(connection)
            row = {"property": _SCHEMA_PROPERTY, "value": SCHEMA}
            connection.execute(insert(_properties).values(row))
            return
        query = select(_properties.c.value).where(_properties.c.property == _SCHEMA_PROPERTY)
        version = connection.scalar(query)
        if version != SCHEMA:
            found = "of another program" if version is None else f"of schema {version}"
            raise DatabaseUnusable(self.name, f"the database is {found}, not of schema {SCHEMA}")


def _wait_for_turn(connection: Connection) -> None:
    """SQLite begins a transaction so; PostgreSQL has to be told."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _store(connection: Connection) -> Store:
    return Store(Registry(connection), Affiliations(connection), CertificateRecords(connection))


def _use_sqlite(engine: Engine) -> None:
    sqlalchemy.event.listen(engine, "connect", _set_up)
    sqlalchemy.event.listen(engine, "begin", _begin)


def _set_up(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _failures() -> Iterator[None]:
    """Turn what a database reports into a refusal that tells nobody its address."""
    try:
        yield
    except IntegrityError:
        raise  # the tables know what it means
    except SQLAlchemyError as error:
        message = "Failed to process database request"
        raise Refusal(
            504, Code.DATABASE_FAILURE, message, reason=f"{message}: {_words(error)}"
        ) from None


def _words(error: SQLAlchemyError) -> str:
    """What the driver said, without statement and parameters."""
    return str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__

"""Tables of one channel's ledger, the same in SQLite and in PostgreSQL.

Text is compared bytewise in both.  Three tables have primary keys in SQLite only: what they
hold may be longer than a row of an index of PostgreSQL, see postgres_state.py.

Block and transaction numbers are BIGINT: uint64 on the wire, but a chain that passed 2**63
blocks would be older than the universe; lookups of larger numbers never reach the database.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateIndex

FORMAT = "3"
"""Version of this layout; a store written in another one is refused."""

metadata = MetaData()

_Name = Text().with_variant(Text(collation="C"), "postgresql")


def _key_in_sqlite(*columns: str) -> PrimaryKeyConstraint:
    key = PrimaryKeyConstraint(*columns)
    key.ddl_if(dialect="sqlite")
    return key


properties = Table(
    "properties",
    metadata,
    Column("name", _Name, primary_key=True),
    Column("value", Text, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("block", LargeBinary, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("tx_id", _Name, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("tx", Integer, nullable=False),
    Column("code", Integer, nullable=False),
    _key_in_sqlite("tx_id", "block", "tx"),
    sqlite_with_rowid=False,
)

state = Table(
    "state",
    metadata,
    Column("namespace", _Name, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("tx", Integer, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    Column("document", Text().with_variant(JSONB, "postgresql")),
    _key_in_sqlite("namespace", "key"),
    sqlite_with_rowid=False,
)

history = Table(
    "history",
    metadata,
    Column("namespace", _Name, nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("tx", Integer, nullable=False),
    Column("tx_id", _Name, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("nanos", Integer, nullable=False),
    Column("is_delete", Boolean, nullable=False),
    Column("value", LargeBinary, nullable=False),
    _key_in_sqlite("namespace", "key", "block", "tx"),
    sqlite_with_rowid=False,
)

query_indexes = Table(
    "query_indexes",
    metadata,
    Column("namespace", _Name, primary_key=True),
    Column("ddoc", _Name, primary_key=True),
    Column("name", _Name, primary_key=True),
    Column("definition", Text, nullable=False),
    sqlite_with_rowid=False,
)

private_data = Table(
    "private_data",
    metadata,
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("rwset", LargeBinary, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)

private_keys = Table(
    "private_keys",
    metadata,
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)

purges = Table(
    "purges",
    metadata,
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("block", BigInteger, nullable=False),
    Column("tx", Integer, nullable=False),
    sqlite_with_rowid=False,
)

missing = Table(
    "missing",
    metadata,
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("state", Integer, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)

key_expiries = Table(
    "key_expiries",
    metadata,
    Column("expires_at", BigInteger, primary_key=True),
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("block", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

collections = Table(
    "collections",
    metadata,
    Column("namespace", _Name, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("package", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

base = Table(
    "base",
    metadata,
    Column("number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("commit_hash", LargeBinary, nullable=False),
)

base_hashes = Table(
    "base_hashes",
    metadata,
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("namespace", _Name, primary_key=True),
    Column("collection", _Name, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("value_hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

snapshot_requests = Table(
    "snapshot_requests",
    metadata,
    Column("block", Text, primary_key=True),
)
"""Block numbers in 20 digits: a request may be for any uint64, unlike a block."""

EXPIRING = (private_data, private_keys, missing)
"""Tables whose rows go at the block in their column expires_at, never if that is null."""

for _table in EXPIRING:
    _dated = _table.c.expires_at.is_not(None)
    Index(
        f"{_table.name}_expiry",
        _table.c.expires_at,
        sqlite_where=_dated,
        postgresql_where=_dated,
    )

HAS_METADATA = text("length(metadata) > 0")
"""Of a row of the state."""

keys_with_metadata = Index(
    "keys_with_metadata",
    state.c.namespace,
    text("length(metadata)"),  # without it SQLite would rather go through the primary key
    sqlite_where=HAS_METADATA,
    postgresql_where=HAS_METADATA,
)

Index("missing_by_state", missing.c.state, missing.c.block)

transient = Table(
    "transient",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("tx_id", _Name, nullable=False, index=True),
    Column("height", BigInteger, nullable=False, index=True),
    Column("sets", LargeBinary, nullable=False),
)


def create(connection: Connection) -> None:
    """Make what is not there yet: all tables, and an index that older ledgers lack."""
    metadata.create_all(connection)
    connection.execute(CreateIndex(keys_with_metadata, if_not_exists=True))

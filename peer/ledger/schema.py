"""Tables of one channel's ledger, for SQLite now and fit for PostgreSQL.

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
    Table,
    Text,
)

FORMAT = "2"
"""Version of this layout; a store written in another one is refused."""

metadata = MetaData()

properties = Table(
    "properties",
    metadata,
    Column("name", Text, primary_key=True),
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
    Column("tx_id", Text, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("code", Integer, nullable=False),
    sqlite_with_rowid=False,
)

state = Table(
    "state",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("block", BigInteger, nullable=False),
    Column("tx", Integer, nullable=False),
    Column("metadata", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

history = Table(
    "history",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("tx_id", Text, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("nanos", Integer, nullable=False),
    Column("is_delete", Boolean, nullable=False),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

private_data = Table(
    "private_data",
    metadata,
    Column("block", BigInteger, primary_key=True),
    Column("tx", Integer, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("rwset", LargeBinary, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)

private_keys = Table(
    "private_keys",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
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
    Column("namespace", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
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
    Column("namespace", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("state", Integer, nullable=False),
    Column("expires_at", BigInteger),
    sqlite_with_rowid=False,
)

key_expiries = Table(
    "key_expiries",
    metadata,
    Column("expires_at", BigInteger, primary_key=True),
    Column("namespace", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("key_hash", LargeBinary, primary_key=True),
    Column("block", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

collections = Table(
    "collections",
    metadata,
    Column("namespace", Text, primary_key=True),
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

snapshot_requests = Table(
    "snapshot_requests",
    metadata,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
)

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

Index("missing_by_state", missing.c.state, missing.c.block)

transient = Table(
    "transient",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("tx_id", Text, nullable=False, index=True),
    Column("height", BigInteger, nullable=False, index=True),
    Column("sets", LargeBinary, nullable=False),
)

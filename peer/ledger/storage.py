"""Where a peer keeps the ledgers of its channels: memory, a folder, or a database.

"memory"                                nothing is left afterwards
/var/lib/peer0/ledgers                  <folder>/<channel>/ledger.db, SQLite
postgresql://user@host/database         a schema for each channel
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from .errors import LedgerNotFound, StoreFailed
from .memory import MemoryStore
from .sqlite import SqliteStore
from .state_database import StateDatabase
from .store import LedgerStore

MEMORY = "memory"

_DATABASE = "ledger.db"


def ledger_file(folder: Path, channel_id: str) -> Path:
    """The file of a channel's ledger in a folder of ledgers."""
    return folder / channel_id / _DATABASE


class Storage(Protocol):
    """Opens the stores of channels."""

    def store(self, channel_id: str) -> LedgerStore:
        """The store of a channel, made if it is not there; StoreFailed, StoreDamaged."""
        ...

    def reader(self, channel_id: str) -> LedgerStore:
        """The store of a channel to look on while a peer writes it; LedgerNotFound."""
        ...

    def stored(self) -> set[str]:
        """Channels that may have a store."""
        ...

    def discard(self, channel_id: str) -> None:
        """Remove what an unfinished store has left."""
        ...


def open_storage(
    place: Path | str, owner: str, state_database: StateDatabase = StateDatabase.LEVELDB
) -> Storage:
    """The storage at a place; owner: name of the peer, which databases tell peers apart by."""
    if place == MEMORY:
        return _MemoryStorage(state_database)
    if isinstance(place, str) and "://" in place:
        return _DatabaseStorage(place, owner, state_database)
    return _FolderStorage(Path(place), state_database)


class _MemoryStorage:
    def __init__(self, state_database: StateDatabase) -> None:
        self._state_database = state_database

    def store(self, channel_id: str) -> LedgerStore:
        return MemoryStore(self._state_database)

    def reader(self, channel_id: str) -> LedgerStore:
        raise LedgerNotFound(channel_id)

    def stored(self) -> set[str]:
        return set()

    def discard(self, channel_id: str) -> None:
        """Nothing is left."""


class _FolderStorage:
    def __init__(self, root: Path, state_database: StateDatabase) -> None:
        self._root = root
        self._state_database = state_database

    def store(self, channel_id: str) -> LedgerStore:
        path = ledger_file(self._root, channel_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteStore(path, self._state_database)

    def reader(self, channel_id: str) -> LedgerStore:
        if channel_id not in self.stored():
            raise LedgerNotFound(channel_id)
        path = ledger_file(self._root, channel_id)
        return SqliteStore(path, self._state_database, writable=False)

    def stored(self) -> set[str]:
        if not self._root.is_dir():
            return set()
        return {path.parent.name for path in self._root.glob(f"*/{_DATABASE}")}

    def discard(self, channel_id: str) -> None:
        shutil.rmtree(self._root / channel_id, ignore_errors=True)


class _DatabaseStorage:
    def __init__(self, url: str, owner: str, state_database: StateDatabase) -> None:
        if not url.startswith(("postgresql:", "postgres:", "postgresql+psycopg:")):
            kind = url.partition("://")[0]
            raise StoreFailed(kind, "no such database: a URL begins with postgresql://")
        try:
            from . import postgres  # noqa: PLC0415 - psycopg comes with an extra
        except ImportError as error:
            reason = f"{error}: install the extra gridloom[postgres]"
            raise StoreFailed("PostgreSQL", reason) from error
        self._postgres = postgres
        self._url = url
        self._owner = owner
        self._state_database = state_database

    def store(self, channel_id: str) -> LedgerStore:
        return self._postgres.PostgresStore(
            self._url, self._owner, channel_id, self._state_database
        )

    def reader(self, channel_id: str) -> LedgerStore:
        if channel_id not in self.stored():
            raise LedgerNotFound(channel_id)
        return self._postgres.PostgresStore(
            self._url, self._owner, channel_id, self._state_database, writable=False
        )

    def stored(self) -> set[str]:
        return set(self._postgres.stored_channels(self._url, self._owner))

    def discard(self, channel_id: str) -> None:
        """An empty schema is no ledger."""

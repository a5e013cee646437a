"""By whose rules a peer keeps its state: Fabric's two state databases.

The rules decide which writes are valid, what reads return and whether there are rich
queries; where the state is kept (memory, SQLite, PostgreSQL) is another matter.  All peers
of a channel must use the same.  (Fabric: ledger.state.stateDatabase in core.yaml.)
"""

from __future__ import annotations

from enum import Enum


class StateDatabase(Enum):
    """Keys and values as they are, or documents and rich queries; values as in core.yaml."""

    LEVELDB = "goleveldb"
    COUCHDB = "CouchDB"

    @classmethod
    def named(cls, name: str) -> StateDatabase:
        """The one that is called so in any spelling, "leveldb" too; ValueError."""
        known = {"goleveldb": cls.LEVELDB, "leveldb": cls.LEVELDB, "couchdb": cls.COUCHDB}
        found = known.get(name.lower())
        if found is None:
            raise ValueError(f"no state database is called {name!r}: goleveldb or CouchDB")
        return found

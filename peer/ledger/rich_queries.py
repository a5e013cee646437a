"""What a ledger does for rich queries apart from running them: their indexes, and explaining."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import RichQueriesUnsupported
from .queries.explain import Explanation, explain
from .queries.indexes import IndexDefinition
from .state_database import StateDatabase
from .state_db import private_namespace
from .store import LedgerStore


class RichQueries:
    """Of one channel's state; safe to use while a block is committed."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    @property
    def supported(self) -> bool:
        """Whether the state has CouchDB's rules."""
        return self._store.state_database is StateDatabase.COUCHDB

    def define_indexes(self, namespace: str, indexes: Sequence[IndexDefinition]) -> None:
        """Make indexes, over those of the same design document and name; StoreFailed."""
        self._store.define_indexes(namespace, indexes)

    def explain(self, namespace: str, query: str, collection: str = "") -> Explanation:
        """How a query of a chaincode's state, or of a collection, would be run.

        RichQueriesUnsupported by LevelDB's rules; QueryUnreadable, QueryRefused.
        """
        state = self._store.snapshot()
        try:
            documents = state.documents()
            if documents is None:
                raise RichQueriesUnsupported
            stored_in = private_namespace(namespace, collection) if collection else namespace
            return explain(documents, stored_in, query)
        finally:
            state.close()

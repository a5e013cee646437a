"""Which transaction ids the blocks of a ledger hold (Fabric: blkstorage/blockindex.go).

A proposal's id is looked up by the endorser, by the gateway once it is submitted and by the
validator when its block comes, and is in no block each time; so that is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from .shared_snapshot import SharedSnapshots
from .store import LedgerStore, TransactionRow

MOST_REMEMBERED = 4096
"""Ids that are in no block; a transaction waits for its block no longer than a few thousand."""


class TransactionIndex:
    """Finds transactions by their ids; ``added`` after each block, once it can be read."""

    def __init__(self, store: LedgerStore, shared: SharedSnapshots) -> None:
        self._store = store
        self._shared = shared
        self._absent: set[str] = set()
        self._blocks_added = 0
        self._lock = Lock()

    def find(self, tx_id: str) -> TransactionRow | None:
        """Return the first transaction of this id in the committed blocks."""
        if tx_id in self._absent:
            return None
        seen = self._blocks_added
        found = self._shared.transaction(tx_id)
        if found is None:
            with self._lock:
                if seen == self._blocks_added:  # else a block may have it by now
                    if len(self._absent) >= MOST_REMEMBERED:
                        self._absent.clear()
                    self._absent.add(tx_id)
        return found

    def known(self, tx_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that some committed block holds."""
        unsure = [tx_id for tx_id in tx_ids if tx_id not in self._absent]
        return self._store.known_transactions(unsure) if unsure else set()

    def added(self, tx_ids: Sequence[str]) -> None:
        """Take note of a block's ids."""
        with self._lock:
            self._blocks_added += 1
            self._absent.difference_update(tx_ids)

    def begin_anew(self) -> None:
        """Take note of blocks whose ids nobody has told."""
        with self._lock:
            self._blocks_added += 1
            self._absent.clear()

"""The world state as an auditor rebuilds it, block by block, in memory.

Stage B and the commit hash as on a peer; private data exist as hashes only, which is all that
validation ever looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from gridloom.common.errors import GridloomError

from ..chaincodes.lifecycle.definitions import ChaincodeDefinitions
from ..ledger.cached_snapshot import CachedSnapshot
from ..ledger.expiry import expire, expires_at, schedule
from ..ledger.memory_state import MemoryState
from ..ledger.rwset import TxRwSet
from ..ledger.snapshots.list_files import TX_IDS, read_tx_ids
from ..ledger.snapshots.state_files import PRIVATE_STATE_HASHES, PUBLIC_STATE, read_state
from ..ledger.snapshots.stored_snapshot import StoredSnapshot
from ..ledger.state_database import StateDatabase
from ..ledger.state_db import (
    StateSnapshot,
    Version,
    VersionedValue,
    hashed_collection,
    hashed_namespace,
)
from ..ledger.store import KeyExpiry
from ..ledger.update_batch import UpdateBatch, Updates
from ..ledger.write_set import apply_write_set
from ..validation.block_transaction import BlockTransaction
from ..validation.mvcc import CONFIG_KEY, CONFIG_NAMESPACE, validate_and_prepare


class ReplayedState:
    """State and transaction ids after the blocks replayed so far.

    state_database: by whose rules the channel's peers keep their state.
    """

    def __init__(self, state_database: StateDatabase = StateDatabase.LEVELDB) -> None:
        self._state = MemoryState(state_database)
        self._ids: set[str] = set()
        self._definitions = ChaincodeDefinitions()
        self._expiring: dict[int, list[KeyExpiry]] = {}

    def begin(self, snapshot: StoredSnapshot) -> None:
        """Begin with a ledger snapshot; SnapshotDamaged while it is read."""
        last, files = snapshot.last.number, snapshot.metadata.files
        changes: dict[str, Updates] = {}
        for name in (PUBLIC_STATE, PRIVATE_STATE_HASHES):
            if f"{name}.data" in files:
                for namespace, key, entry in read_state(snapshot.folder, name, last):
                    changes.setdefault(namespace, {})[key] = entry
        if f"{TX_IDS}.data" in files:
            self._ids.update(read_tx_ids(snapshot.folder))
        self._state.apply(changes.items(), last + 1)
        state = CachedSnapshot(self._state.snapshot())
        try:
            for namespace, updates in changes.items():
                place = hashed_collection(namespace)
                if place is not None:
                    self._schedule(place, updates, self._block_to_live(state, *place))
        finally:
            state.close()

    def _schedule(self, place: tuple[str, str], updates: Updates, block_to_live: int) -> None:
        for key_hash, entry in updates.items():
            at = expires_at(entry.version.block, block_to_live)
            if at is not None:
                expiry = KeyExpiry(at, *place, key_hash, entry.version.block)
                self._expiring.setdefault(at, []).append(expiry)

    def snapshot(self) -> StateSnapshot:
        """The state before the next block; close it."""
        return self._state.snapshot()

    def known_transactions(self, tx_ids: Sequence[str]) -> set[str]:
        """Those of the ids that a block replayed so far holds, in a transaction valid or not."""
        return self._ids.intersection(tx_ids)

    def judge(
        self, number: int, transactions: Sequence[BlockTransaction]
    ) -> tuple[list[int], UpdateBatch]:
        """Stage B: final codes, and what the block changes."""
        snapshot = CachedSnapshot(self._state.snapshot())
        try:
            return validate_and_prepare(number, transactions, snapshot)
        finally:
            snapshot.close()

    def believe(
        self, number: int, transactions: Sequence[BlockTransaction]
    ) -> tuple[UpdateBatch, bool]:
        """What the block changes if the transactions' codes are right.

        Also returns whether that is all: a change of a key's metadata alone repeats a value
        that may be from before the first block replayed.
        """
        snapshot = CachedSnapshot(self._state.snapshot())
        batch, complete = UpdateBatch(), True
        try:
            for transaction in transactions:
                version = Version(number, transaction.index)
                if transaction.valid and transaction.config_bytes:
                    entry = VersionedValue(transaction.config_bytes, version)
                    batch.put(CONFIG_NAMESPACE, "", CONFIG_KEY, entry)
                elif transaction.valid and transaction.rwset is not None:
                    complete = complete and _is_known(transaction.rwset, batch, snapshot)
                    apply_write_set(transaction.rwset, version, batch, snapshot)
                elif transaction.valid:
                    complete = False
        finally:
            snapshot.close()
        return batch, complete

    def apply(
        self, number: int, transactions: Sequence[BlockTransaction], batch: UpdateBatch
    ) -> None:
        """Go on to the state after the block; hashes whose BlockToLive is over go, too.

        The batch is changed: take its commit hash before.
        """
        self._ids.update(t.indexed_id for t in transactions if t.indexed_id)
        snapshot = CachedSnapshot(self._state.snapshot())
        try:
            block_to_live = partial(self._block_to_live, snapshot)
            for entry in schedule(number, batch, block_to_live):
                self._expiring.setdefault(entry.expires_at, []).append(entry)
            expire(self._expiring.pop(number, ()), batch, snapshot, lambda *_: None)
        finally:
            snapshot.close()
        self._state.apply(batch.stored(), number + 1)

    def _block_to_live(self, snapshot: CachedSnapshot, namespace: str, collection: str) -> int:
        try:
            return self._definitions.block_to_live(namespace, collection, snapshot)
        except GridloomError:  # a definition that cannot be read has no collections
            return 0


def _is_known(rwset: TxRwSet, batch: UpdateBatch, snapshot: StateSnapshot) -> bool:
    """Whether every value that a metadata write leaves as it is has been seen."""
    for ns in rwset.namespaces:
        written = {write.key.decode() for write in ns.writes}
        changes = [("", change.key.encode()) for change in ns.kv.metadata_writes]
        known = {("", key.encode()) for key in written}
        for coll in ns.collections:
            known.update((coll.name, write.key_hash) for write in coll.hashed.hashed_writes)
            changes += [(coll.name, change.key_hash) for change in coll.hashed.metadata_writes]
        for collection, key in changes:
            place = hashed_namespace(ns.namespace, collection) if collection else ns.namespace
            if (
                (collection, key) not in known
                and batch.pending(ns.namespace, collection, key) is None
                and snapshot.get(place, key) is None
            ):
                return False
    return True

"""Private data that comes after its block: judged by the block's hashes, added to the past.

A sender may have purged keys that this peer has not yet purged, or the other way round; so
a set need not hash as a whole as long as every key that is still to be had is there, with
the right value.  (Fabric: kvledger/hashcheck_pvtdata.go, txmgr ``RemoveStale…OldBlocks``.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVRWSet,
    KVWrite,
    KVWriteHash,
)

from ..validation.block_transaction import BlockTransaction
from ..validation.message_validation import read_committed
from .cached_snapshot import CachedSnapshot
from .collection_catalog import CollectionCatalog
from .expiry import expires_at
from .private_data import is_committed, is_write_of, key_rows
from .rwset import CollRwSet, is_delete
from .state_db import (
    StateSnapshot,
    Version,
    VersionedValue,
    hashed_namespace,
    private_namespace,
)
from .store import LedgerStore, MissingRow, PrivateKeyRow, PrivateRow, Reconciliation
from .update_batch import UpdateBatch


class LatePrivateData(NamedTuple):
    """Cleartext of one transaction in one collection, as some peer gave it: not yet judged."""

    block: int
    tx: int
    namespace: str
    collection: str
    rwset: bytes


def judge(
    rwset: bytes, hashes: CollRwSet, at: Version, purged: Mapping[bytes, Version]
) -> bytes | None:
    """The part of a private KVRWSet that may be kept; None if it is not what was committed.

    hashes: what the transaction at version ``at`` wrote, or without the hash of it all what
    was left of that in a snapshot; purged: when keys were purged last.
    """
    expected = {write.key_hash: write for write in hashes.hashed.hashed_writes}
    live = {h: w for h, w in expected.items() if h not in purged or purged[h] < at}
    if expected and not live:
        return b""
    try:
        writes = parse(KVRWSet, rwset, "private KVRWSet").writes
    except MalformedMessage:
        return None
    whole = len(live) == len(expected) == len(writes) and hashes.pvt_hash
    if not expected or whole:
        return rwset if is_committed(rwset, hashes) else None
    kept: dict[bytes, KVWrite] = {}
    for write in writes:
        key_hash = sha256(write.key.encode()).digest()
        if key_hash in live:
            if not is_write_of(write, live):
                return None
            kept[key_hash] = write
    if kept.keys() != live.keys():
        return None
    return KVRWSet(writes=kept.values()).SerializeToString()


def current_updates(rows: Sequence[tuple[int, PrivateRow]], snapshot: StateSnapshot) -> UpdateBatch:
    """The writes of these rows, by block number, that are still what the public hashes say."""
    newest: dict[tuple[str, str, bytes], tuple[Version, KVWrite]] = {}
    for block, row in rows:
        version = Version(block, row.tx)
        for write in parse(KVRWSet, row.rwset, "private KVRWSet").writes:
            place = row.namespace, row.collection, write.key.encode()
            if place not in newest or newest[place][0] < version:
                newest[place] = version, write
    batch = UpdateBatch()
    for place, (version, write) in newest.items():
        entry = _current(place, version, write, snapshot)
        if entry is not None:
            namespace, collection, key = place
            batch.private.setdefault((namespace, collection), {})[key] = entry
    return batch


def _current(
    place: tuple[str, str, bytes], version: Version, write: KVWrite, snapshot: StateSnapshot
) -> VersionedValue | None:
    namespace, collection, key = place
    hashed = snapshot.get(hashed_namespace(namespace, collection), sha256(key).digest())
    if is_delete(write):
        clear = snapshot.get(private_namespace(namespace, collection), key)
        gone = hashed is None and clear is not None
        return VersionedValue(b"", version) if gone else None
    if hashed is None:
        return None
    if hashed.version != version and sha256(write.value).digest() != hashed.value:
        return None
    return VersionedValue(write.value, hashed.version)


def reconcile(
    store: LedgerStore,
    block: Callable[[int], Block],
    catalog: CollectionCatalog | None,
    found: Sequence[LatePrivateData],
    unavailable: Sequence[MissingRow],
) -> Sequence[LatePrivateData]:
    """Put what is right into the store; return what is refused.

    block: a committed block by number; what has expired meanwhile is passed over.
    """
    refused: list[LatePrivateData] = []
    rows: list[tuple[int, PrivateRow]] = []
    valid: list[tuple[int, PrivateRow]] = []
    snapshot = CachedSnapshot(store.snapshot())
    try:
        first = 0 if store.base is None else store.base.number + 1
        numbers = {late.block for late in found if late.block >= first}
        blocks = {number: read_committed(block(number)) for number in numbers}
        for each in found:
            transaction = _transaction(blocks.get(each.block, ()), each.tx)
            hashes = _hashes(each, transaction) if each.block >= first else _kept(each, store)
            row = _accept(each, hashes, store)
            if row is None:
                refused.append(each)
                continue
            lives = catalog.block_to_live(*each[2:4], snapshot) if catalog else 0
            at = expires_at(each.block, lives)
            if at is None or at >= store.height:
                rows.append((each.block, row._replace(expires_at=at)))
                valid += rows[-1:] if transaction is None or transaction.valid else ()
        store.reconcile(
            Reconciliation(rows, _keys(rows), current_updates(valid, snapshot), unavailable)
        )
    finally:
        snapshot.close()
    return refused


def _transaction(transactions: Sequence[BlockTransaction], index: int) -> BlockTransaction | None:
    return transactions[index] if index < len(transactions) else None


def _hashes(late: LatePrivateData, transaction: BlockTransaction | None) -> CollRwSet | None:
    """What a transaction's block says of its private writes; None if it has none there."""
    rwset = transaction.rwset if transaction is not None else None
    hashes = rwset.collection(late.namespace, late.collection) if rwset is not None else None
    return hashes if hashes is not None and hashes.pvt_hash else None


def _kept(late: LatePrivateData, store: LedgerStore) -> CollRwSet | None:
    """What a snapshot had left of a transaction's private writes, instead of its block."""
    left = store.base_hashes(*late[:4])
    if not left:
        return None
    writes = [KVWriteHash(key_hash=key, value_hash=value) for key, value in left.items()]
    return CollRwSet(late.collection, HashedRWSet(hashed_writes=writes), b"")


def _accept(
    late: LatePrivateData, hashes: CollRwSet | None, store: LedgerStore
) -> PrivateRow | None:
    if hashes is None:
        return None
    key_hashes = [write.key_hash for write in hashes.hashed.hashed_writes]
    purged = store.purges(late.namespace, late.collection, key_hashes)
    kept = judge(late.rwset, hashes, Version(late.block, late.tx), purged)
    return None if kept is None else PrivateRow(late.tx, late.namespace, late.collection, kept)


def _keys(rows: Sequence[tuple[int, PrivateRow]]) -> list[PrivateKeyRow]:
    nothing = UpdateBatch()
    return [key for block, row in rows for key in key_rows(block, [row], nothing, lambda *_: None)]

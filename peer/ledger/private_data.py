"""Cleartext of private data at commit: held against its hash, merged into the state.

What members of a collection have is stored with the block, of invalid transactions too; only
valid ones change the state.  Data that does not hash to what the transaction says is as good
as absent; the block commits without.
(Fabric: gossip/privdata/coordinator.go, validation/batch_preparer.go.)
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from hashlib import sha256

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite, KVWriteHash
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer import transaction_pb2
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo

from .rwset import CollRwSet, TxRwSet, is_delete, is_hash_delete
from .state_db import StateSnapshot, Version, VersionedValue, private_namespace
from .store import PrivateKeyRow, PrivateRow, TransientRow
from .update_batch import UpdateBatch

FindKey = Callable[[str, str, bytes], bytes | None]
"""A private key of which there is cleartext, by namespace, collection and its hash."""


def matching_rows(tx: int, rwset: TxRwSet, kept: Iterable[TransientRow]) -> list[PrivateRow]:
    """The collections of a transaction whose cleartext was kept and is what was committed."""
    found: dict[tuple[str, str], bytes] = {}
    for row in kept:
        for namespace, collection, data in _collections(row.sets):
            hashes = rwset.collection(namespace, collection)
            if hashes is not None and is_committed(data, hashes):
                found.setdefault((namespace, collection), data)
    return [PrivateRow(tx, ns, coll, data) for (ns, coll), data in sorted(found.items())]


def is_committed(rwset: bytes, hashes: CollRwSet) -> bool:
    """Whether a private KVRWSet is what a transaction's hashes speak of.

    More is asked than that it has the right hash: it must parse, and write nothing but what
    the transaction writes in public, else an endorser could slip members another state.
    """
    if sha256(rwset).digest() != hashes.pvt_hash:
        return False
    try:
        writes = parse(KVRWSet, rwset, "private KVRWSet").writes
    except MalformedMessage:
        return False
    expected = {write.key_hash: write for write in hashes.hashed.hashed_writes}
    return all(is_write_of(write, expected) for write in writes)


def is_write_of(write: KVWrite, expected: Mapping[bytes, KVWriteHash]) -> bool:
    """Whether a write is one of these, which are by key hash."""
    hashed = expected.get(sha256(write.key.encode()).digest())
    if hashed is None or is_hash_delete(hashed) != is_delete(write):
        return False
    return is_delete(write) or sha256(write.value).digest() == hashed.value_hash


def add_private_updates(
    block: int,
    rows: Sequence[PrivateRow],
    codes: Sequence[int],
    batch: UpdateBatch,
    snapshot: StateSnapshot,
    *,
    find_key: FindKey,
) -> None:
    """Put the cleartext writes of valid transactions into the batch, in their order.

    find_key: looks a key up that was written before this block.
    """
    renewed: set[tuple[str, str, bytes]] = set()
    for row in sorted(rows, key=lambda row: row.tx):
        if codes[row.tx] != transaction_pb2.VALID:
            continue
        kv = parse(KVRWSet, row.rwset, "private KVRWSet")
        updates = batch.private.setdefault((row.namespace, row.collection), {})
        for write in kv.writes:
            value = b"" if is_delete(write) else write.value
            updates[write.key.encode()] = VersionedValue(value, Version(block, row.tx))
        for metadata in kv.metadata_writes:
            renewed.add((row.namespace, row.collection, metadata.key.encode()))
    for place in renewed:
        _renew_version(*place, batch, snapshot)
    _delete_purged(batch, find_key)


def key_rows(
    block: int,
    rows: Sequence[PrivateRow],
    batch: UpdateBatch,
    expires: Callable[[str, str], int | None],
) -> list[PrivateKeyRow]:
    """The index of all private keys that a block writes, in its rows or in the state.

    expires: when what this block writes to a (namespace, collection) goes.
    """
    found: dict[PrivateKeyRow, None] = {}
    for row in rows:
        for write in parse(KVRWSet, row.rwset, "private KVRWSet").writes:
            key = write.key.encode()
            found[
                _key_row(row.namespace, row.collection, key, Version(block, row.tx), row.expires_at)
            ] = None
    for (namespace, collection), updates in batch.private.items():
        for key, entry in updates.items():
            if not entry.is_delete:
                at = expires(namespace, collection)
                found[_key_row(namespace, collection, key, entry.version, at)] = None
    return list(found)


def without_purged(rwset: bytes, purged: Container[bytes]) -> bytes:
    """A stored private KVRWSet without the keys whose hashes were purged."""
    kv = parse(KVRWSet, rwset, "private KVRWSet")
    kept = [w for w in kv.writes if sha256(w.key.encode()).digest() not in purged]
    if len(kept) == len(kv.writes):
        return rwset
    return KVRWSet(writes=kept, metadata_writes=kv.metadata_writes).SerializeToString()


def private_sets(rows: Iterable[PrivateRow]) -> dict[int, TxPvtReadWriteSet]:
    """Stored rows of one block as messages, by transaction index."""
    sets: dict[int, TxPvtReadWriteSet] = {}
    for row in sorted(rows, key=lambda row: row[:3]):
        message = sets.setdefault(row.tx, TxPvtReadWriteSet())
        if not message.ns_pvt_rwset or message.ns_pvt_rwset[-1].namespace != row.namespace:
            message.ns_pvt_rwset.add(namespace=row.namespace)
        message.ns_pvt_rwset[-1].collection_pvt_rwset.add(
            collection_name=row.collection, rwset=row.rwset
        )
    return sets


def _key_row(
    namespace: str, collection: str, key: bytes, version: Version, expires_at: int | None
) -> PrivateKeyRow:
    key_hash = sha256(key).digest()
    return PrivateKeyRow(namespace, collection, key_hash, *version, key, expires_at)


def _collections(sets: bytes) -> Iterable[tuple[str, str, bytes]]:
    kept = parse(TxPvtReadWriteSetWithConfigInfo, sets, "TxPvtReadWriteSetWithConfigInfo")
    for ns in kept.pvt_rwset.ns_pvt_rwset:
        for collection in ns.collection_pvt_rwset:
            yield ns.namespace, collection.collection_name, collection.rwset


def _renew_version(
    namespace: str, collection: str, key: bytes, batch: UpdateBatch, snapshot: StateSnapshot
) -> None:
    """A metadata write gave the key's hash a new version; the cleartext follows it."""
    hashed = batch.pending(namespace, collection, sha256(key).digest())
    if hashed is None or hashed.is_delete:
        return
    updates = batch.private.setdefault((namespace, collection), {})
    latest = updates.get(key) or snapshot.get(private_namespace(namespace, collection), key)
    if latest is None or latest.version == hashed.version:
        return
    if sha256(latest.value).digest() == hashed.value:
        updates[key] = VersionedValue(latest.value, hashed.version)


def _delete_purged(batch: UpdateBatch, find_key: FindKey) -> None:
    """Delete purged keys' cleartext, also where the purging transaction's own is missing."""
    for (namespace, collection, key_hash), at in batch.purged.items():
        updates = batch.private.setdefault((namespace, collection), {})
        written = {key for key in updates if sha256(key).digest() == key_hash}
        key = next(iter(written), None) or find_key(namespace, collection, key_hash)
        if key is None:
            continue
        pending = updates.get(key)
        if pending is None or pending.version < at:
            updates[key] = VersionedValue(b"", at)

"""Merges a valid transaction's writes into the batch of its block.

A transaction may write a key's value, its metadata or both; the batch holds whole entries,
so what the transaction leaves alone is taken from the batch so far, else from the state.
(Fabric: core/ledger/kvledger/txmgmt/validation/tx_ops.go.)
"""

from __future__ import annotations

from dataclasses import dataclass

from . import state_metadata
from .rwset import NsRwSet, TxRwSet, is_hash_delete
from .state_db import StateSnapshot, Version, VersionedValue, hashed_namespace
from .update_batch import UpdateBatch

_UPSERT, _METADATA_UPDATE, _METADATA_DELETE, _DELETE = 1, 2, 4, 8
_FLAG_BITS = 0xFF

_Place = tuple[str, str, bytes]  # namespace, collection or "", key or key hash


@dataclass(slots=True)
class _KeyOps:
    """What one transaction does to one key.

    Fabric adds the flags up in eight bits instead of joining them, so that a set which
    writes one key twice means something else than it says; all peers must agree on it.
    """

    flag: int = 0
    value: bytes = b""
    metadata: bytes = b""

    def add(self, flag: int) -> None:
        self.flag = (self.flag + flag) & _FLAG_BITS

    @property
    def deletes(self) -> bool:
        return bool(self.flag & _DELETE)

    @property
    def sets_both(self) -> bool:
        return bool(self.flag & _UPSERT and self.flag & (_METADATA_UPDATE | _METADATA_DELETE))

    @property
    def only_upserts(self) -> bool:
        return self.flag | _UPSERT == _UPSERT


def apply_write_set(
    rwset: TxRwSet, version: Version, batch: UpdateBatch, snapshot: StateSnapshot
) -> None:
    """Add the writes of a valid transaction to the batch, under this version.

    Metadata for a key that does not exist are ignored; so are those for a key that an
    earlier transaction of the block deleted, where Fabric's own peer would crash.
    """
    for place, ops in _collect(rwset).items():
        namespace, collection, key = place
        entry = _merged(place, ops, version, batch, snapshot)
        if entry is not None:
            batch.put(namespace, collection, key, entry)
    for ns in rwset.namespaces:
        for coll in ns.collections:
            for write in coll.hashed.hashed_writes:
                if write.is_purge:
                    batch.purged[ns.namespace, coll.name, write.key_hash] = version


def _merged(
    place: _Place, ops: _KeyOps, version: Version, batch: UpdateBatch, snapshot: StateSnapshot
) -> VersionedValue | None:
    if ops.deletes:
        return VersionedValue(b"", version)
    if ops.sets_both:
        return VersionedValue(ops.value, version, ops.metadata)
    if ops.only_upserts:
        return VersionedValue(ops.value, version, _latest_metadata(place, batch, snapshot))
    latest = _latest(place, batch, snapshot)
    if latest is None or latest.is_delete:
        return None
    return VersionedValue(latest.value, version, ops.metadata)


def _latest(place: _Place, batch: UpdateBatch, snapshot: StateSnapshot) -> VersionedValue | None:
    pending = batch.pending(*place)
    return snapshot.get(_stored_in(place), place[2]) if pending is None else pending


def _latest_metadata(place: _Place, batch: UpdateBatch, snapshot: StateSnapshot) -> bytes:
    pending = batch.pending(*place)
    if pending is None and snapshot.has_metadata(_stored_in(place)):
        pending = snapshot.get(_stored_in(place), place[2])
    return pending.metadata if pending is not None else b""


def _stored_in(place: _Place) -> str:
    namespace, collection, _ = place
    return hashed_namespace(namespace, collection) if collection else namespace


def _collect(rwset: TxRwSet) -> dict[_Place, _KeyOps]:
    ops: dict[_Place, _KeyOps] = {}
    for ns in rwset.namespaces:
        _collect_public(ns, ops)
        _collect_hashed(ns, ops)
    return ops


def _collect_public(ns: NsRwSet, ops: dict[_Place, _KeyOps]) -> None:
    for write in ns.writes:
        key_ops = ops.setdefault((ns.namespace, "", write.key), _KeyOps())
        if write.is_delete:
            key_ops.add(_DELETE)
        else:
            key_ops.add(_UPSERT)
            key_ops.value = write.value
    for metadata in ns.kv.metadata_writes:
        key_ops = ops.setdefault((ns.namespace, "", metadata.key.encode()), _KeyOps())
        if metadata.entries:
            key_ops.add(_METADATA_UPDATE)
            key_ops.metadata = state_metadata.serialize(metadata.entries)
        else:
            key_ops.add(_METADATA_DELETE)


def _collect_hashed(ns: NsRwSet, ops: dict[_Place, _KeyOps]) -> None:
    for coll in ns.collections:
        for write in coll.hashed.hashed_writes:
            key_ops = ops.setdefault((ns.namespace, coll.name, write.key_hash), _KeyOps())
            if is_hash_delete(write):
                key_ops.add(_DELETE)
            else:
                key_ops.add(_UPSERT)
                key_ops.value = write.value_hash
        for metadata in coll.hashed.metadata_writes:
            key_ops = ops.setdefault((ns.namespace, coll.name, metadata.key_hash), _KeyOps())
            if metadata.entries:
                key_ops.add(_METADATA_UPDATE)
                key_ops.metadata = state_metadata.serialize(metadata.entries)
            else:
                key_ops.add(_METADATA_DELETE)

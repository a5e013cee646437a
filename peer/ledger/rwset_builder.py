"""Collects reads and writes of a simulation and serialises them exactly as Fabric does.

One entry for each key, the last write winning; everything sorted by key, bytewise (Python
orders text by code point, which is the order of its UTF-8); range queries keep the order of
their appearance.  (Fabric: rwsetutil/rwset_builder.go.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from gridloom.common.memo import BoundedMemo
from gridloom.protos.ledger.rwset import rwset_pb2
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVMetadataEntry,
    KVMetadataWrite,
    KVMetadataWriteHash,
    KVReadHash,
    KVRWSet,
    KVWrite,
    KVWriteHash,
    RangeQueryInfo,
)
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import Version as KVVersion

from .range_query import kv_read
from .state_db import Version, key_hash

MOST_READS_REMEMBERED = 4
"""Reads of a namespace that is only read, whose serialised form is remembered."""
_read_only: BoundedMemo[tuple[tuple[str, Version | None], ...], bytes] = BoundedMemo(1 << 8)


class RwSetBuilder:
    """The read-write set of one simulation while it grows."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}
        self._private: dict[str, dict[str, _PrivateCollection]] = {}

    @property
    def has_private_writes(self) -> bool:
        """Whether a private set would be built."""
        return bool(self._private)

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Those of the public set, sorted."""
        return tuple(sorted(self._namespaces))

    def add_read(self, namespace: str, key: str, version: Version | None) -> None:
        """Note a read of the committed value; None for an absent key."""
        self._namespace(namespace).reads[key] = version

    def add_write(self, namespace: str, key: str, value: bytes) -> None:
        """Note a write; an empty value deletes."""
        self._namespace(namespace).writes[key] = value

    def add_metadata_write(self, namespace: str, key: str, metadata: Mapping[str, bytes]) -> None:
        """Note new metadata; {} deletes all of the key's metadata."""
        self._namespace(namespace).metadata_writes[key] = metadata

    def add_range_query(self, namespace: str, info: RangeQueryInfo) -> None:
        """Note a range read; one with the same bounds and end is already enough."""
        key = (info.start_key, info.end_key, info.itr_exhausted)
        self._namespace(namespace).range_queries.setdefault(key, info)

    def add_hashed_read(
        self, namespace: str, collection: str, key: str, version: Version | None
    ) -> None:
        """Note a read of a private value or of its hash."""
        self._collection(namespace, collection).reads[key] = version

    def add_private_write(
        self, namespace: str, collection: str, key: str, value: bytes, *, purge: bool = False
    ) -> None:
        """Note a private write and its hash; empty deletes, purge also wipes what was."""
        write = KVWrite(key=key, is_delete=not value, value=value)
        self._private_collection(namespace, collection).writes[key] = write
        self._collection(namespace, collection).writes[key] = KVWriteHash(
            key_hash=key_hash(key),
            is_delete=write.is_delete,
            value_hash=sha256(value).digest() if value else b"",
            is_purge=purge,
        )

    def add_private_metadata_write(
        self, namespace: str, collection: str, key: str, metadata: Mapping[str, bytes]
    ) -> None:
        """Note new metadata of a private key: public by hash; the private set names the key."""
        self._private_collection(namespace, collection).metadata_writes.add(key)
        self._collection(namespace, collection).metadata_writes[key] = metadata

    def build(self) -> tuple[rwset_pb2.TxReadWriteSet, rwset_pb2.TxPvtReadWriteSet | None]:
        """The public set (with hashes) and the private one, None if nothing private is written."""
        private = rwset_pb2.TxPvtReadWriteSet()
        hashes: dict[tuple[str, str], bytes] = {}
        for namespace, collections in sorted(self._private.items()):
            ns = private.ns_pvt_rwset.add(namespace=namespace)
            for name, collection in sorted(collections.items()):
                data = collection.build().SerializeToString()
                ns.collection_pvt_rwset.add(collection_name=name, rwset=data)
                hashes[namespace, name] = sha256(data).digest()
        public = rwset_pb2.TxReadWriteSet()
        for namespace, content in sorted(self._namespaces.items()):
            added = public.ns_rwset.add(namespace=namespace, rwset=content.serialized())
            for name, hashed in sorted(content.collections.items()):
                added.collection_hashed_rwset.add(
                    collection_name=name,
                    hashed_rwset=hashed.build().SerializeToString(),
                    pvt_rwset_hash=hashes.get((namespace, name), b""),
                )
        return public, private if hashes else None

    def _namespace(self, namespace: str) -> _Namespace:
        found = self._namespaces.get(namespace)
        if found is None:
            found = self._namespaces[namespace] = _Namespace()
        return found

    def _collection(self, namespace: str, collection: str) -> _HashedCollection:
        return self._namespace(namespace).collections.setdefault(collection, _HashedCollection())

    def _private_collection(self, namespace: str, collection: str) -> _PrivateCollection:
        collections = self._private.setdefault(namespace, {})
        return collections.setdefault(collection, _PrivateCollection())


class _Namespace:
    __slots__ = ("collections", "metadata_writes", "range_queries", "reads", "writes")

    def __init__(self) -> None:
        self.reads: dict[str, Version | None] = {}
        self.writes: dict[str, bytes] = {}
        self.metadata_writes: dict[str, Mapping[str, bytes]] = {}
        self.range_queries: dict[tuple[str, str, bool], RangeQueryInfo] = {}
        self.collections: dict[str, _HashedCollection] = {}

    def serialized(self) -> bytes:
        """The KVRWSet; every transaction of a chaincode reads the same of its definition."""
        if self.writes or self.metadata_writes or self.range_queries:
            return self._build().SerializeToString()
        reads = tuple(self.reads.items())
        known = _read_only.get(reads)
        if known is None:
            known = self._build().SerializeToString()
            if len(reads) <= MOST_READS_REMEMBERED:
                _read_only.put(reads, known)
        return known

    def _build(self) -> KVRWSet:
        built = KVRWSet(reads=[kv_read(key, self.reads[key]) for key in sorted(self.reads)])
        built.range_queries_info.extend(self.range_queries.values())
        for key in sorted(self.writes):
            value = self.writes[key]
            built.writes.add(key=key, is_delete=not value, value=value)
        for key, metadata in _by_key(self.metadata_writes):
            built.metadata_writes.add(key=key, entries=_entries(metadata))
        return built


class _HashedCollection:
    __slots__ = ("metadata_writes", "reads", "writes")

    def __init__(self) -> None:
        self.reads: dict[str, Version | None] = {}
        self.writes: dict[str, KVWriteHash] = {}
        self.metadata_writes: dict[str, Mapping[str, bytes]] = {}

    def build(self) -> HashedRWSet:
        """Sorted by key, not by its hash."""
        return HashedRWSet(
            hashed_reads=[_hashed_read(key, self.reads[key]) for key in sorted(self.reads)],
            hashed_writes=[self.writes[key] for key in sorted(self.writes)],
            metadata_writes=[
                KVMetadataWriteHash(key_hash=key_hash(key), entries=_entries(metadata))
                for key, metadata in _by_key(self.metadata_writes)
            ],
        )


class _PrivateCollection:
    __slots__ = ("metadata_writes", "writes")

    def __init__(self) -> None:
        self.writes: dict[str, KVWrite] = {}
        self.metadata_writes: set[str] = set()

    def build(self) -> KVRWSet:
        return KVRWSet(
            writes=[self.writes[key] for key in sorted(self.writes)],
            metadata_writes=[KVMetadataWrite(key=key) for key in sorted(self.metadata_writes)],
        )


def _hashed_read(key: str, version: Version | None) -> KVReadHash:
    if version is None:
        return KVReadHash(key_hash=key_hash(key))
    return KVReadHash(
        key_hash=key_hash(key),
        version=KVVersion(block_num=version.block, tx_num=version.tx),
    )


def _by_key(
    metadata_writes: Mapping[str, Mapping[str, bytes]],
) -> Iterable[tuple[str, Mapping[str, bytes]]]:
    return ((key, metadata_writes[key]) for key in sorted(metadata_writes))


def _entries(metadata: Mapping[str, bytes]) -> list[KVMetadataEntry]:
    return [KVMetadataEntry(name=name, value=value) for name, value in sorted(metadata.items())]

"""A transaction's read-write set, parsed once (Fabric: rwsetutil/rwset_proto_util.go).

The outer message holds the inner ones as bytes; here they are unfolded, in their order, and what
every step of validation looks at is taken out of them once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from gridloom.common.wire import parse
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVRead,
    KVReadHash,
    KVRWSet,
    KVWrite,
    KVWriteHash,
)
from gridloom.protos.ledger.rwset.rwset_pb2 import (
    CollectionHashedReadWriteSet,
    NsReadWriteSet,
    TxReadWriteSet,
)

from .state_db import Version, hashed_namespace

_HASH_OF_NOTHING = sha256(b"").digest()


@dataclass(frozen=True, slots=True)
class CollRwSet:
    """Hashes of one collection; pvt_hash = SHA-256 of its cleartext set, b"" if only read."""

    name: str
    hashed: HashedRWSet
    pvt_hash: bytes


class KeyRead(NamedTuple):
    """A public key that was read; version: None if it was absent."""

    key: bytes
    version: Version | None


class KeyWrite(NamedTuple):
    """A public key that was written; value: of no meaning if it was deleted."""

    key: bytes
    value: bytes
    is_delete: bool


@dataclass(frozen=True, slots=True)
class NsRwSet:
    """What a transaction read and wrote in one namespace.

    kv: the message; reads, writes: its single keys; is_written: True if anything is written
    here, values, metadata or hashes of either.
    """

    namespace: str
    kv: KVRWSet
    collections: tuple[CollRwSet, ...]
    reads: tuple[KeyRead, ...]
    writes: tuple[KeyWrite, ...]
    is_written: bool

    @staticmethod
    def of(namespace: str, kv: KVRWSet, collections: Iterable[CollRwSet] = ()) -> NsRwSet:
        """Take out of the messages of one namespace what validation looks at."""
        hashed = tuple(collections)
        writes = tuple(
            KeyWrite(each.key.encode(), each.value, is_delete(each)) for each in kv.writes
        )
        return NsRwSet(
            namespace,
            kv,
            hashed,
            reads=tuple(KeyRead(each.key.encode(), read_version(each)) for each in kv.reads),
            writes=writes,
            is_written=bool(
                writes
                or kv.metadata_writes
                or any(c.hashed.hashed_writes or c.hashed.metadata_writes for c in hashed)
            ),
        )


@dataclass(frozen=True, slots=True)
class TxRwSet:
    """The read-write set of one transaction: namespaces in their order of appearance."""

    namespaces: tuple[NsRwSet, ...]

    @classmethod
    def parse(cls, results: bytes) -> TxRwSet:
        """Parse ChaincodeAction.results; MalformedMessage if any layer does not parse."""
        outer = parse(TxReadWriteSet, results, "TxReadWriteSet")
        return cls(tuple(_namespace(ns) for ns in outer.ns_rwset))

    def collection(self, namespace: str, collection: str) -> CollRwSet | None:
        """The hashes of one collection, None if the transaction does not touch it."""
        for ns in self.namespaces:
            if ns.namespace == namespace:
                return next((coll for coll in ns.collections if coll.name == collection), None)
        return None

    def pvt_hash(self, namespace: str, collection: str) -> bytes:
        """Hash that the cleartext of a collection must have; b"" if there is none."""
        found = self.collection(namespace, collection)
        return found.pvt_hash if found else b""

    def places(self, has_metadata: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
        """What of the state it takes to judge the reads and keep what the writes leave alone.

        Ranges apart.  has_metadata: of a namespace; without any, a value is all there is to write.
        """
        for ns in self.namespaces:
            for read in ns.reads:
                yield ns.namespace, read.key
            for write in ns.writes if has_metadata(ns.namespace) else ():
                yield ns.namespace, write.key
            for change in ns.kv.metadata_writes:
                yield ns.namespace, change.key.encode()
            for coll in ns.collections:
                namespace, sets = hashed_namespace(ns.namespace, coll.name), coll.hashed
                written = sets.hashed_writes if has_metadata(namespace) else ()
                for hashed in (sets.hashed_reads, written, sets.metadata_writes):
                    for secret in hashed:
                        yield namespace, secret.key_hash

    @property
    def has_private_writes(self) -> bool:
        """True if some collection's cleartext exists somewhere."""
        return any(coll.pvt_hash for ns in self.namespaces for coll in ns.collections)


def read_version(read: KVRead | KVReadHash) -> Version | None:
    """Version a read saw; None for an absent key."""
    if not read.HasField("version"):
        return None
    return Version(read.version.block_num, read.version.tx_num)


def is_delete(write: KVWrite) -> bool:
    """A write deletes when it says so or has no value (FAB-18386)."""
    return write.is_delete or not write.value


def is_hash_delete(write: KVWriteHash) -> bool:
    """The same for hashes; the hash of an empty value counts as none."""
    return write.is_delete or write.value_hash in (b"", _HASH_OF_NOTHING)


def _namespace(ns: NsReadWriteSet) -> NsRwSet:
    name = ns.namespace
    kv = parse(KVRWSet, ns.rwset, f"KVRWSet of namespace {name!r}")
    return NsRwSet.of(name, kv, [_collection(name, coll) for coll in ns.collection_hashed_rwset])


def _collection(namespace: str, coll: CollectionHashedReadWriteSet) -> CollRwSet:
    what = f"HashedRWSet of collection {namespace}/{coll.collection_name}"
    hashed = parse(HashedRWSet, coll.hashed_rwset, what)
    return CollRwSet(coll.collection_name, hashed, coll.pvt_rwset_hash)

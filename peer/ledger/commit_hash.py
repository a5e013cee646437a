"""The hash each peer leaves in a block: a fingerprint of the state's whole past.

Peers of a channel compare it to find out that one of them went astray.  Covered are the
validation codes, public writes and hashed private writes; not the channel configuration,
whose bytes may differ between encoders, nor metadata.
(Fabric: kv_ledger.go ``addBlockCommitHash``, txmgr/{update_batch_bytes.go,updates.proto}.)
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from .state_db import VersionedValue
from .update_batch import UpdateBatch, Updates

# Fields of Fabric's message KVWrite, all of wire type 2 but IS_DELETE; KVWRITES is the one
# field of its message Updates.  They never leave the hash, so they are written by hand.
_NAMESPACE, _COLLECTION, _KEY, _IS_DELETE, _VALUE, _VERSION_BYTES = 1, 2, 3, 4, 5, 6
_KVWRITES = 1
_LENGTH_DELIMITED = 2
_TAGS = [bytes((number << 3 | _LENGTH_DELIMITED,)) for number in range(_VERSION_BYTES + 1)]
_ONE_BYTE = [bytes((size,)) for size in range(0x80)]
"""Lengths that a varint of one byte holds."""


def commit_hash(codes: bytes, batch: UpdateBatch, previous: bytes) -> bytes:
    """SHA-256 for one block.

    codes: the block's transactions filter; previous: the hash of the block before, b"" for
    block 1 (block 0 has none).
    """
    content = _varint(len(codes)) + codes + update_bytes(batch) + previous
    return sha256(content).digest()


def update_bytes(batch: UpdateBatch) -> bytes:
    """The batch as a serialized ``Updates``, sorted, namespace and collection named once."""
    collections: dict[str, dict[str, Updates]] = {}
    for (namespace, collection), updates in batch.hashed.items():
        collections.setdefault(namespace, {})[collection] = updates
    writes: list[bytes] = []
    for namespace in sorted(batch.public.keys() | collections.keys()):
        if namespace:
            entries = _public(batch.public.get(namespace, {}))
            entries.extend(_hashed(collections.get(namespace, {})))
            if entries:
                entries[0] = _field(_NAMESPACE, namespace.encode()) + entries[0]
            writes.extend(entries)
    return b"".join(_field(_KVWRITES, write) for write in writes)


def _public(updates: Updates) -> list[bytes]:
    return [_kv_write(key, entry) for key, entry in _sorted(updates)]


def _hashed(collections: dict[str, Updates]) -> Iterable[bytes]:
    for collection, updates in sorted(collections.items()):
        name = _field(_COLLECTION, collection.encode())
        for key, entry in _sorted(updates):
            yield name + _kv_write(key, entry)
            name = b""


def _sorted(updates: Updates) -> Iterable[tuple[bytes, VersionedValue]]:
    return ((key, updates[key]) for key in sorted(updates))


def _kv_write(key: bytes, entry: VersionedValue) -> bytes:
    deleted = bytes((_IS_DELETE << 3, 1)) if entry.is_delete else b""
    return (
        _field(_KEY, key)
        + deleted
        + _field(_VALUE, entry.value)
        + _field(_VERSION_BYTES, entry.version.to_bytes())
    )


def _field(number: int, content: bytes) -> bytes:
    if not content:
        return b""
    size = len(content)
    length = _ONE_BYTE[size] if size < len(_ONE_BYTE) else _varint(size)
    return _TAGS[number] + length + content


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)

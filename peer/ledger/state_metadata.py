"""Metadata of a key: a small map, kept as a serialized KVMetadataWrite without its key.

The one entry Fabric itself knows is VALIDATION_PARAMETER, a key's own endorsement policy.
(Fabric: core/ledger/kvledger/txmgmt/statemetadata.)
"""

from __future__ import annotations

from collections.abc import Iterable

from gridloom.common.wire import parse
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVMetadataEntry, KVMetadataWrite


def serialize(entries: Iterable[KVMetadataEntry]) -> bytes:
    """Bytes as stored beside the value."""
    return KVMetadataWrite(entries=entries).SerializeToString()


def deserialize(metadata: bytes) -> dict[str, bytes]:
    """Name to value; {} for b"".  MalformedMessage when the bytes are something else."""
    if not metadata:
        return {}
    parsed = parse(KVMetadataWrite, metadata, "state metadata")
    return {entry.name: entry.value for entry in parsed.entries}

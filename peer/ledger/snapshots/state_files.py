"""The world state in a snapshot: records in one file, how many of which namespace in another.

There are two such pairs, the public state and the hashes of private data.  A pair without any
record is not written at all.  (Fabric: txmgmt/privacyenabledstate/snapshot.go.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gridloom.common.errors import MalformedMessage

from ..state_db import VersionedValue, hashed_collection, is_private_namespace
from .errors import SnapshotDamaged
from .files import FileReader, FileWriter
from .record import decode_record, encode_record

PUBLIC_STATE = "public_state"
PRIVATE_STATE_HASHES = "private_state_hashes"
DATA, METADATA = ".data", ".metadata"

StateEntry = tuple[str, bytes, VersionedValue]
"""Namespace, key, entry."""

_MAX_TRANSACTION = 2**31 - 1


def write_state(folder: Path, name: str, entries: Iterable[StateEntry]) -> dict[str, bytes]:
    """Write one pair of files; SHA-256 by file name, {} if there was nothing to write."""
    counts: list[tuple[str, int]] = []
    writer: FileWriter | None = None
    try:
        for namespace, key, entry in entries:
            if writer is None:
                writer = FileWriter(folder / f"{name}{DATA}")
            if counts and counts[-1][0] == namespace:
                counts[-1] = (namespace, counts[-1][1] + 1)
            else:
                counts.append((namespace, 1))
            writer.data(encode_record(key, entry))
        if writer is None:
            return {}
        digest = writer.done()
    finally:
        if writer is not None:
            writer.close()
    with FileWriter(folder / f"{name}{METADATA}") as metadata:
        metadata.number(len(counts))
        for namespace, count in counts:
            metadata.data(namespace.encode())
            metadata.number(count)
        return {f"{name}{DATA}": digest, f"{name}{METADATA}": metadata.done()}


def read_state(folder: Path, name: str, last_block: int) -> Iterator[StateEntry]:
    """The entries of one pair of files, in their order; SnapshotDamaged while reading.

    last_block: no entry may have been written after it.
    """
    with FileReader(folder / f"{name}{METADATA}") as metadata:
        counts = [(metadata.text(), metadata.number()) for _ in range(metadata.count())]
        metadata.end()
    with FileReader(folder / f"{name}{DATA}") as data:
        for namespace, count in counts:
            if (hashed_collection(namespace) is not None) != (name == PRIVATE_STATE_HASHES):
                raise SnapshotDamaged(metadata.name, f"namespace {namespace!r} does not belong")
            if is_private_namespace(namespace) or not count:
                raise SnapshotDamaged(metadata.name, f"namespace {namespace!r} may not be there")
            for _ in range(count):
                yield namespace, *_entry(data, last_block)
        data.end()


def _entry(data: FileReader, last_block: int) -> tuple[bytes, VersionedValue]:
    try:
        key, entry = decode_record(data.data())
    except MalformedMessage as error:
        raise data.damaged(str(error)) from error
    if not entry.value:
        raise data.damaged(f"key {key!r} has no value")
    if entry.version.block > last_block or entry.version.tx > _MAX_TRANSACTION:
        raise data.damaged(f"key {key!r} has a version after the snapshot, {entry.version}")
    return key, entry

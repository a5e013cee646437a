"""The lists in a snapshot: all transaction ids, and every definition of collections.

Each has its records in one file and their number in another; an empty list is not written.
(Fabric: common/ledger/blkstorage/blockindex.go, core/ledger/confighistory.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.peer.collection_pb2 import CollectionConfigPackage

from ..store import CollectionsRow
from .files import FileReader, FileWriter

TX_IDS = "txids"
CONFIG_HISTORY = "confighistory"
DATA, METADATA = ".data", ".metadata"

_KEY_PREFIX = b"slscc\0"
_KEY_SUFFIX = b"~collection"
_NUMBER_BYTES = 8
_MAX_UINT64 = 2**64 - 1


def write_tx_ids(folder: Path, tx_ids: Iterable[str]) -> dict[str, bytes]:
    """Write ids that come by length and then in byte order; SHA-256 by file name."""
    return _write(folder, TX_IDS, ((tx_id.encode(),) for tx_id in tx_ids))


def read_tx_ids(folder: Path) -> Iterator[str]:
    """The transaction ids; SnapshotDamaged while reading."""
    last = (0, "")
    with FileReader(folder / f"{TX_IDS}{DATA}") as data:
        for _ in range(_count(folder, TX_IDS)):
            tx_id = data.text()
            place = (len(tx_id.encode()), tx_id)  # UTF-8 sorts as its code points do
            if place <= last:
                raise data.damaged(f"transaction id {tx_id!r} is out of order")
            last = place
            yield tx_id
        data.end()


def write_config_history(folder: Path, rows: Iterable[CollectionsRow]) -> dict[str, bytes]:
    """Write definitions in the order of Fabric's keys; SHA-256 by file name."""
    entries = sorted((_key(row), row.package) for row in rows)
    return _write(folder, CONFIG_HISTORY, entries)


def read_config_history(folder: Path, last_block: int) -> Iterator[CollectionsRow]:
    """The definitions of collections; SnapshotDamaged while reading.

    last_block: no definition may be from after it.
    """
    last = b""
    with FileReader(folder / f"{CONFIG_HISTORY}{DATA}") as data:
        for _ in range(_count(folder, CONFIG_HISTORY)):
            key, package = data.data(), data.data()
            name, number = key[len(_KEY_PREFIX) : -_NUMBER_BYTES], key[-_NUMBER_BYTES:]
            block = _MAX_UINT64 - int.from_bytes(number, "big")
            try:
                parse(CollectionConfigPackage, package, "collection config package")
                row = CollectionsRow(name.removesuffix(_KEY_SUFFIX).decode(), block, package)
            except (MalformedMessage, UnicodeDecodeError) as error:
                raise data.damaged(str(error)) from error
            if _key(row) != key or block > last_block:
                raise data.damaged(f"{key!r} is no key of a collection configuration")
            if key <= last:
                raise data.damaged(f"{key!r} is out of order")
            last = key
            yield row
        data.end()


def _key(row: CollectionsRow) -> bytes:
    newest_first = (_MAX_UINT64 - row.block).to_bytes(_NUMBER_BYTES, "big")
    return _KEY_PREFIX + row.namespace.encode() + _KEY_SUFFIX + newest_first


def _write(folder: Path, name: str, records: Iterable[tuple[bytes, ...]]) -> dict[str, bytes]:
    count = 0
    writer: FileWriter | None = None
    try:
        for record in records:
            if writer is None:
                writer = FileWriter(folder / f"{name}{DATA}")
            for part in record:
                writer.data(part)
            count += 1
        if writer is None:
            return {}
        digest = writer.done()
    finally:
        if writer is not None:
            writer.close()
    with FileWriter(folder / f"{name}{METADATA}") as metadata:
        metadata.number(count)
        return {f"{name}{DATA}": digest, f"{name}{METADATA}": metadata.done()}


def _count(folder: Path, name: str) -> int:
    with FileReader(folder / f"{name}{METADATA}") as metadata:
        count = metadata.number()
        metadata.end()
        return count

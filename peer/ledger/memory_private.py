"""The private part of a ledger in memory: the twin of sql_private.py."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence

from .private_data import without_purged
from .state_db import Version
from .store import (
    BlockRecord,
    CollectionsRow,
    KeyExpiry,
    MissingRow,
    PrivateKeyRow,
    PrivatePart,
    PrivateRow,
    Reconciliation,
)
from .update_batch import UpdateBatch

_Place = tuple[int, int, str, str]  # block, transaction, namespace, collection
_Key = tuple[str, str, bytes]  # namespace, collection, key hash


class MemoryPrivateData:
    """Cleartext of one channel, what is missing of it, and when it goes.

    One thread writes; the owner keeps readers away meanwhile.
    """

    def __init__(self) -> None:
        self._rows: dict[int, dict[_Place, PrivateRow]] = {}
        self._keys: dict[_Key, dict[Version, PrivateKeyRow]] = {}
        self._purges: dict[_Key, Version] = {}
        self._missing: dict[_Place, MissingRow] = {}
        self._unavailable: set[_Place] = set()
        self._expiries: dict[int, list[KeyExpiry]] = {}
        self._dated: dict[int, list[tuple[_Place, PrivateKeyRow | None]]] = {}
        self._collections: dict[str, list[CollectionsRow]] = {}

    def record(self, record: BlockRecord) -> None:
        """Keep the private part of a block."""
        part = record.private
        self._add([(record.number, row) for row in part.rows], part.keys)
        self.begin(part)
        self._open(part.opened)
        self._purge(record.updates)
        self._expire(record.number)

    def begin(self, part: PrivatePart) -> None:
        """Keep what a block, or a snapshot, says of data that is not here."""
        for missing in part.missing:
            place = missing[:4]
            self._missing[place] = missing
            self._date(missing.expires_at, place, None)
        for expiry in part.key_expiries:
            self._expiries.setdefault(expiry.expires_at, []).append(expiry)
        for definition in part.collections:
            insort(self._collections.setdefault(definition.namespace, []), definition)

    def reconcile(self, found: Reconciliation) -> None:
        """Keep private data of old blocks."""
        self._add(found.rows, found.keys)
        for block, row in found.rows:
            self._missing.pop((block, *row[:3]), None)
        self._unavailable.update(row[:4] for row in found.unavailable)

    def rows(self, block: int) -> list[PrivateRow]:
        """Cleartext kept with a block, by transaction, namespace and collection."""
        return sorted(self._rows.get(block, {}).values())

    def key(self, namespace: str, collection: str, key_hash: bytes) -> bytes | None:
        """A key with cleartext here, by its hash."""
        for row in self._keys.get((namespace, collection, key_hash), {}).values():
            return row.key
        return None

    def purges(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, Version]:
        """The last purges of those keys that have one."""
        found = {
            key_hash: self._purges.get((namespace, collection, key_hash)) for key_hash in key_hashes
        }
        return {key_hash: version for key_hash, version in found.items() if version is not None}

    def missing(self, blocks: int, below: int, *, unavailable: bool) -> list[MissingRow]:
        """Wanted rows of the newest blocks below a number."""
        wanted = [
            row
            for place, row in self._missing.items()
            if row.wanted and row.block < below and (place in self._unavailable) == unavailable
        ]
        newest = set(sorted({row.block for row in wanted})[-blocks:])
        return sorted((row for row in wanted if row.block in newest), key=_newest_first)

    def expiring(self, block: int) -> list[KeyExpiry]:
        """Keys that go with a block."""
        return list(self._expiries.get(block, ()))

    def collections_below(self, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of collections before a block."""
        for row in reversed(self._collections.get(namespace, ())):
            if row.block < block:
                return row
        return None

    def collections(self) -> Iterator[CollectionsRow]:
        """Every definition of collections, by chaincode, newest first."""
        for _, rows in sorted(self._collections.items()):
            yield from reversed(rows)

    def _add(self, rows: Sequence[tuple[int, PrivateRow]], keys: Sequence[PrivateKeyRow]) -> None:
        for block, row in rows:
            place = (block, *row[:3])
            self._rows.setdefault(block, {})[place] = row
            self._date(row.expires_at, place, None)
        for key in keys:
            self._keys.setdefault(key[:3], {})[Version(key.block, key.tx)] = key
            self._date(key.expires_at, (key.block, key.tx, key.namespace, key.collection), key)

    def _date(self, expires_at: int | None, place: _Place, key: PrivateKeyRow | None) -> None:
        if expires_at is not None:
            self._dated.setdefault(expires_at, []).append((place, key))

    def _open(self, collections: Sequence[tuple[str, str]]) -> None:
        for place, missing in self._missing.items() if collections else ():
            if (missing.namespace, missing.collection) in collections:
                self._missing[place] = missing._replace(wanted=True)

    def _purge(self, updates: UpdateBatch) -> None:
        for key, purged_at in updates.purged.items():
            writes = self._keys.get(key, {})
            for version in [version for version in writes if version <= purged_at]:
                del writes[version]
                place = (*version, *key[:2])
                rows = self._rows.get(version.block, {})
                if place in rows:
                    trimmed = without_purged(rows[place].rwset, {key[2]})
                    rows[place] = rows[place]._replace(rwset=trimmed)
            self._purges[key] = purged_at

    def _expire(self, block: int) -> None:
        self._expiries.pop(block, None)
        for place, key in self._dated.pop(block, ()):
            if key is not None:
                self._keys.get(key[:3], {}).pop(Version(key.block, key.tx), None)
                continue
            self._rows.get(place[0], {}).pop(place, None)
            self._missing.pop(place, None)
            self._unavailable.discard(place)


def _newest_first(row: MissingRow) -> tuple[object, ...]:
    return -row.block, *row[1:4]

"""A snapshot that remembers what was looked up, absent keys too.

Within a block most transactions read the same definitions, and within a simulation a key
that is written was usually read before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .queries.find import Documents
from .state_db import StateSnapshot, Version, VersionedValue

NOT_LOOKED_UP = VersionedValue(b"", Version(0, 0))
"""Stands for what no dictionary of found values has; an exception would cost more."""


class CachedSnapshot:
    """Owns the snapshot it wraps."""

    __slots__ = ("_found", "_has_metadata", "_snapshot")

    def __init__(self, snapshot: StateSnapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[tuple[str, bytes], VersionedValue | None] = {}
        self._has_metadata: dict[str, bool] = {}

    @property
    def height(self) -> int:
        """Number of blocks this state has seen."""
        return self._snapshot.height

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        """Value of a key; looked up once."""
        place = namespace, key
        found = self._found.get(place, NOT_LOOKED_UP)
        if found is NOT_LOOKED_UP:
            found = self._found[place] = self._snapshot.get(namespace, key)
        return found

    def load(self, places: Iterable[tuple[str, bytes]]) -> None:
        """Look up many keys at once, for those who will ask for them."""
        wanted = sorted({place for place in places if place not in self._found})
        found = self._snapshot.get_many(wanted)
        for place in wanted:
            self._found[place] = found.get(place)

    def get_many(
        self, places: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], VersionedValue]:
        """Values of those keys that are there."""
        self.load(places)
        found = ((place, self._found[place]) for place in places)
        return {place: value for place, value in found if value is not None}

    def has_metadata(self, namespace: str) -> bool:
        """Whether keys of a namespace may have metadata; looked up once."""
        known = self._has_metadata.get(namespace)
        if known is None:
            known = self._has_metadata[namespace] = self._snapshot.has_metadata(namespace)
        return known

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The value alone, as readers of definitions ask for it."""
        found = self.get(namespace, key.encode())
        return found.value if found else None

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        """Entries of a range; not remembered."""
        return self._snapshot.range(namespace, start, end)

    def documents(self) -> Documents | None:
        """Its rich queries; their results are not remembered."""
        return self._snapshot.documents()

    def close(self) -> None:
        """Release the snapshot."""
        self._snapshot.close()

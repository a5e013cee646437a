"""A snapshot that remembers what was looked up, absent keys too.

Within a block most transactions read the same definitions, and within a simulation a key
that is written was usually read before.
"""

from __future__ import annotations

from collections.abc import Iterator

from .state_db import StateSnapshot, VersionedValue


class CachedSnapshot:
    """Owns the snapshot it wraps."""

    __slots__ = ("_found", "_snapshot")

    def __init__(self, snapshot: StateSnapshot) -> None:
        self._snapshot = snapshot
        self._found: dict[tuple[str, bytes], VersionedValue | None] = {}

    @property
    def height(self) -> int:
        """Number of blocks this state has seen."""
        return self._snapshot.height

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        """Value of a key; looked up once."""
        place = namespace, key
        try:
            return self._found[place]
        except KeyError:
            found = self._found[place] = self._snapshot.get(namespace, key)
            return found

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The value alone, as readers of definitions ask for it."""
        found = self.get(namespace, key.encode())
        return found.value if found else None

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        """Entries of a range; not remembered."""
        return self._snapshot.range(namespace, start, end)

    def close(self) -> None:
        """Release the snapshot."""
        self._snapshot.close()

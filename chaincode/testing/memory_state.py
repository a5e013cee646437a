"""The committed state of a memory ledger, and the writes that change it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..iterators import KeyModification


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a transaction; collection is empty for public state.

    value: None for a delete.  metadata: (name, value) instead of a value.
    """

    namespace: str
    collection: str
    key: str
    value: bytes | None = None
    metadata: tuple[str, bytes] | None = None


class MemoryState:
    """Keys and values by namespace and collection, with metadata and history."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str], dict[str, bytes]] = defaultdict(dict)
        self._metadata: dict[tuple[str, str, str], dict[str, bytes]] = {}
        self._history: defaultdict[tuple[str, str], list[KeyModification]] = defaultdict(list)

    def get(self, namespace: str, collection: str, key: str) -> bytes:
        """Return the value of a key, empty if there is none."""
        return self._values[namespace, collection].get(key, b"")

    def metadata(self, namespace: str, collection: str, key: str) -> dict[str, bytes]:
        """Return the metadata entries of a key."""
        return dict(self._metadata.get((namespace, collection, key), {}))

    def range(
        self, namespace: str, collection: str, start: str, end: str
    ) -> Iterator[tuple[str, bytes]]:
        """Yield keys and values of [start, end) in the order of their UTF-8; empty end: all."""
        values = self._values[namespace, collection]
        first, last = start.encode(), end.encode()
        for key in sorted(values, key=str.encode):
            if key.encode() >= first and (not last or key.encode() < last):
                yield key, values[key]

    def history(self, namespace: str, key: str) -> list[KeyModification]:
        """Return the public writes of a key, newest first."""
        return self._history[namespace, key][::-1]

    def commit(self, tx_id: str, timestamp: datetime, writes: Sequence[Write]) -> None:
        """Apply the writes of one transaction; values first, then metadata."""
        values = {(w.namespace, w.collection, w.key): w for w in writes if w.metadata is None}
        for write in values.values():
            self._set(write)
            if not write.collection:
                modification = KeyModification(
                    tx_id, write.value or b"", timestamp, not write.value
                )
                self._history[write.namespace, write.key].append(modification)
        for write in writes:
            held = self._values[write.namespace, write.collection]
            if write.metadata is not None and write.key in held:
                place = (write.namespace, write.collection, write.key)
                self._metadata[place] = dict([write.metadata])

    def _set(self, write: Write) -> None:
        held = self._values[write.namespace, write.collection]
        if write.value:
            held[write.key] = write.value
        else:
            held.pop(write.key, None)
            self._metadata.pop((write.namespace, write.collection, write.key), None)

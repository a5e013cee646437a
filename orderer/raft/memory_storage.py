"""A storage in memory: for tests, and as the readable half of a write-ahead log.

(etcd: MemoryStorage in storage.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .errors import Compacted, RaftPanic, SnapshotOutOfDate, Unavailable
from .messages import EMPTY_HARD_STATE, ConfState, Entry, HardState, Snapshot
from .sizes import limit_size


class MemoryStorage:
    """Entries after the last compaction, the state, and the latest snapshot (a ``Storage``)."""

    def __init__(self) -> None:
        self._hard_state = EMPTY_HARD_STATE
        self._snapshot = Snapshot()
        self._entries: list[Entry] = []
        self._compacted = (0, 0)
        """Index and term of the last entry that is gone."""

    def initial_state(self) -> tuple[HardState, ConfState]:
        """See ``Storage``."""
        return self._hard_state, self._snapshot.conf_state

    def set_hard_state(self, state: HardState) -> None:
        """Keep the state."""
        self._hard_state = state

    def first_index(self) -> int:
        """See ``Storage``."""
        return self._compacted[0] + 1

    def last_index(self) -> int:
        """See ``Storage``."""
        return self._compacted[0] + len(self._entries)

    def term(self, index: int) -> int:
        """See ``Storage``."""
        compacted, term = self._compacted
        if index < compacted:
            raise Compacted(index)
        if index == compacted:
            return term
        if index > compacted + len(self._entries):
            raise Unavailable(index)
        return self._entries[index - compacted - 1].term

    def entries(self, lo: int, hi: int, max_size: int) -> Sequence[Entry]:
        """See ``Storage``."""
        first = self.first_index()
        if lo < first:
            raise Compacted(lo)
        if hi > self.last_index() + 1:
            raise RaftPanic(f"entries' hi({hi}) is out of bound lastindex({self.last_index()})")
        if not self._entries:
            raise Unavailable(lo)
        return limit_size(self._entries[lo - first : hi - first], max_size)

    def snapshot(self) -> Snapshot:
        """See ``Storage``."""
        return self._snapshot

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Begin anew after a snapshot.

        Raises SnapshotOutOfDate.
        """
        existing = self._snapshot.index
        if existing and existing >= snapshot.index:
            raise SnapshotOutOfDate(snapshot.index, existing)
        self._snapshot = snapshot
        self._entries = []
        self._compacted = (snapshot.index, snapshot.term)

    def create_snapshot(self, index: int, conf_state: ConfState | None, data: bytes) -> Snapshot:
        """Keep the application's state after the entry ``index``; None: membership as it was.

        Raises SnapshotOutOfDate.
        """
        if index <= self._snapshot.index:
            raise SnapshotOutOfDate(index, self._snapshot.index)
        if index > self.last_index():
            raise RaftPanic(f"snapshot {index} is out of bound lastindex({self.last_index()})")
        self._snapshot = replace(
            self._snapshot,
            index=index,
            term=self.term(index),
            conf_state=conf_state or self._snapshot.conf_state,
            data=data,
        )
        return self._snapshot

    def compact(self, index: int) -> None:
        """Forget the entries up to ``index``, which have been applied.

        Raises Compacted.
        """
        gone = index - self._compacted[0]
        if gone <= 0:
            raise Compacted(index)
        if index > self.last_index():
            raise RaftPanic(f"compact {index} is out of bound lastindex({self.last_index()})")
        self._compacted = (index, self.term(index))
        self._entries = self._entries[gone:]

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries; they take the place of those there are from their first index on."""
        if not entries:
            return
        first = self.first_index()
        if entries[-1].index < first:
            return
        if entries[0].index < first:
            entries = entries[first - entries[0].index :]
        offset = entries[0].index - first
        if offset > len(self._entries):
            raise RaftPanic(
                f"missing log entry [last: {self.last_index()}, append at: {entries[0].index}]"
            )
        self._entries[offset:] = entries

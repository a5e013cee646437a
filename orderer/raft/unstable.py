"""The end of the log that is not on the disk yet (etcd: log_unstable.go).

Entries and a snapshot wait here to be handed out for writing, and stay until they are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from .config import Logger
from .errors import RaftPanic
from .messages import Entry, Snapshot


class Unstable:
    """Entries from ``offset`` on, some of which may be being written.

    ``offset`` may lie within the stored log: then what is stored from there on will be replaced.
    """

    __slots__ = (
        "_logger",
        "_snapshot_in_progress",
        "entries",
        "offset",
        "offset_in_progress",
        "snapshot",
    )

    def __init__(self, offset: int, logger: Logger) -> None:
        self.entries: list[Entry] = []
        self.offset = offset
        self.snapshot: Snapshot | None = None
        self.offset_in_progress = offset
        """Entries before this index are being written."""
        self._snapshot_in_progress = False
        self._logger = logger

    def first_index(self) -> int | None:
        """The index after the snapshot, if there is one."""
        return None if self.snapshot is None else self.snapshot.index + 1

    def last_index(self) -> int | None:
        """The index of the last entry or of the snapshot, if there is either."""
        if self.entries:
            return self.offset + len(self.entries) - 1
        return None if self.snapshot is None else self.snapshot.index

    def term(self, index: int) -> int | None:
        """The term of an entry or of the snapshot, if it is here."""
        position = index - self.offset
        if position >= 0:
            return self.entries[position].term if position < len(self.entries) else None
        if self.snapshot is not None and self.snapshot.index == index:
            return self.snapshot.term
        return None

    def next_entries(self) -> tuple[Entry, ...]:
        """Entries that are not being written yet."""
        return tuple(self.entries[self.offset_in_progress - self.offset :])

    @property
    def has_next_entries(self) -> bool:
        """Whether there are any."""
        return len(self.entries) > self.offset_in_progress - self.offset

    def next_snapshot(self) -> Snapshot | None:
        """The snapshot, unless it is being written already."""
        return None if self._snapshot_in_progress else self.snapshot

    def accept_in_progress(self) -> None:
        """Everything that is here is being written now."""
        if self.entries:
            self.offset_in_progress = self.offset + len(self.entries)
        self._snapshot_in_progress = self.snapshot is not None

    def stable_to(self, index: int, term: int) -> None:
        """Entries up to this one are written, and no write under way will replace them."""
        have = self.term(index)
        if have is None:
            self._logger.info("entry at index %d missing from unstable log; ignoring", index)
        elif index < self.offset:
            self._logger.info("entry at index %d matched unstable snapshot; ignoring", index)
        elif have != term:
            self._logger.info(
                "entry at (index,term)=(%d,%d) mismatched with entry at (%d,%d) in unstable log; "
                "ignoring",
                *(index, term, index, have),
            )
        else:
            del self.entries[: index + 1 - self.offset]
            self.offset = index + 1
            self.offset_in_progress = max(self.offset_in_progress, self.offset)

    def stable_snapshot_to(self, index: int) -> None:
        """The snapshot of this index is written."""
        if self.snapshot is not None and self.snapshot.index == index:
            self.snapshot = None
            self._snapshot_in_progress = False

    def restore(self, snapshot: Snapshot) -> None:
        """Begin anew after a snapshot."""
        self.offset = self.offset_in_progress = snapshot.index + 1
        self.entries = []
        self.snapshot = snapshot
        self._snapshot_in_progress = False

    def truncate_and_append(self, entries: Sequence[Entry]) -> None:
        """Add entries in place of those from their first index on."""
        first = entries[0].index
        if first > self.offset + len(self.entries):
            raise RaftPanic(f"entry {first} leaves a gap after {self.offset + len(self.entries)}")
        if first == self.offset + len(self.entries):
            self.entries.extend(entries)
        elif first <= self.offset:
            self._logger.info("replace the unstable entries from index %d", first)
            self.entries = list(entries)
            self.offset = self.offset_in_progress = first
        else:
            self._logger.info("truncate the unstable entries before index %d", first)
            self.entries[first - self.offset :] = entries
            self.offset_in_progress = min(self.offset_in_progress, first)

    def slice(self, lo: int, hi: int) -> list[Entry]:
        """Entries [lo, hi), which must all be here."""
        return self.entries[lo - self.offset : hi - self.offset]

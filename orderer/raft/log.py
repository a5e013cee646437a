"""A node's log: what is stored and what is not yet, as one (etcd: log.go).

applied <= applying <= committed: how far the application is, how far it has been told to go, and
how far it may ever go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .config import Logger
from .errors import Compacted, RaftPanic, Unavailable
from .messages import NO_LIMIT, Entry, Snapshot
from .sizes import entries_size, limit_size
from .storage import Storage
from .unstable import Unstable


class RaftLog:
    """The log above a ``Storage``.

    max_applying_size: encoded bytes of committed entries that may be being applied at a time.
    """

    __slots__ = (
        "_applying_paused",
        "_applying_size",
        "_logger",
        "_storage",
        "applied",
        "applying",
        "committed",
        "max_applying_size",
        "unstable",
    )

    def __init__(self, storage: Storage, logger: Logger, max_applying_size: int = NO_LIMIT) -> None:
        compacted = storage.first_index() - 1
        self._storage = storage
        self._logger = logger
        self.unstable = Unstable(storage.last_index() + 1, logger)
        self.committed = compacted
        self.applying = compacted
        self.applied = compacted
        self.max_applying_size = max_applying_size
        self._applying_size = 0
        self._applying_paused = False

    def __str__(self) -> str:
        return (
            f"committed={self.committed}, applied={self.applied}, applying={self.applying}, "
            f"unstable.offset={self.unstable.offset}, "
            f"unstable.offsetInProgress={self.unstable.offset_in_progress}, "
            f"len(unstable.Entries)={len(self.unstable.entries)}"
        )

    # Reading.

    def first_index(self) -> int:
        """The first entry that is not in a snapshot."""
        first = self.unstable.first_index()
        return self._storage.first_index() if first is None else first

    def last_index(self) -> int:
        """The last entry, or the snapshot if there is none."""
        last = self.unstable.last_index()
        return self._storage.last_index() if last is None else last

    def last_term(self) -> int:
        """The term of the last entry."""
        term = self.term(self.last_index())
        if term is None:
            raise RaftPanic(f"unexpected error when getting the last term at {self.last_index()}")
        return term

    def term(self, index: int) -> int | None:
        """An entry's term; None if it is compacted away or not there yet."""
        term = self.unstable.term(index)
        if term is not None:
            return term
        if not self.first_index() - 1 <= index <= self.last_index():
            return None
        try:
            return self._storage.term(index)
        except (Compacted, Unavailable):
            return None

    def match_term(self, index: int, term: int) -> bool:
        """Whether the entry at ``index`` is of this term."""
        return self.term(index) == term

    def is_up_to_date(self, index: int, term: int) -> bool:
        """Whether a log that ends with this entry has at least what this one has."""
        ours = self.last_term()
        return term > ours or (term == ours and index >= self.last_index())

    def entries(self, lo: int, max_size: int) -> tuple[Entry, ...]:
        """Entries from ``lo`` on, as many as fit into ``max_size`` but at least one.

        Raises Compacted.
        """
        last = self.last_index()
        return () if lo > last else self.slice(lo, last + 1, max_size)

    def slice(self, lo: int, hi: int, max_size: int) -> tuple[Entry, ...]:
        """Entries [lo, hi), as many as fit into ``max_size`` but at least one.

        Raises Compacted.
        """
        if lo < self.first_index():
            raise Compacted(lo)
        if hi > self.last_index() + 1:
            raise RaftPanic(
                f"slice[{lo},{hi}) out of bound [{self.first_index()},{self.last_index()}]"
            )
        offset = self.unstable.offset
        if lo >= offset:
            return tuple(limit_size(self.unstable.slice(lo, hi), max_size))
        cut = min(hi, offset)
        try:
            stored = self._storage.entries(lo, cut, max_size)
        except Unavailable as error:
            raise RaftPanic(f"entries[{lo}:{cut}) is unavailable from storage") from error
        room = max_size - entries_size(stored)
        if hi <= offset or len(stored) < cut - lo or room <= 0:
            return tuple(stored)
        more = limit_size(self.unstable.slice(offset, hi), room)
        if len(more) == 1 and entries_size(more) > room:
            return tuple(stored)
        return (*stored, *more)

    def scan(self, lo: int, hi: int, page_size: int) -> Iterator[Entry]:
        """Entries [lo, hi) one by one, ``page_size`` bytes in memory at a time."""
        while lo < hi:
            page = self.slice(lo, hi, page_size)
            yield from page
            lo += len(page)

    def snapshot(self) -> Snapshot:
        """The latest snapshot.

        Raises SnapshotTemporarilyUnavailable.
        """
        return self.unstable.snapshot or self._storage.snapshot()

    def find_conflict_by_term(self, index: int, term: int) -> tuple[int, int]:
        """The highest position up to ``index`` that another log may share.

        Of that log it is known that its entry at ``index`` has ``term``, so it has no higher terms
        before.  Returns index and term; the term is 0 if it is not known here.
        """
        while index > 0:
            ours = self.term(index)
            if ours is None:
                return index, 0
            if ours <= term:
                return index, ours
            index -= 1
        return 0, 0

    # Appending and committing.

    def maybe_append(
        self, index: int, log_term: int, entries: Sequence[Entry], committed: int
    ) -> int | None:
        """Append what a leader sent after the entry ``index`` of term ``log_term``.

        Returns the last index that is now the leader's; None if the logs do not match there.
        """
        if not self.match_term(index, log_term):
            return None
        last = index + len(entries)
        conflict = self._find_conflict(entries)
        if conflict is not None:
            if conflict <= self.committed:
                raise RaftPanic(
                    f"entry {conflict} conflict with committed entry [committed({self.committed})]"
                )
            self.append(entries[conflict - index - 1 :])
        self.commit_to(min(committed, last))
        return last

    def append(self, entries: Sequence[Entry]) -> int:
        """Append entries in place of those there are from their first index on."""
        if entries:
            if entries[0].index <= self.committed:
                raise RaftPanic(
                    f"after({entries[0].index - 1}) is out of range [committed({self.committed})]"
                )
            self.unstable.truncate_and_append(entries)
        return self.last_index()

    def _find_conflict(self, entries: Sequence[Entry]) -> int | None:
        """The index of the first entry that is new here, or of another term."""
        for entry in entries:
            existing = self.term(entry.index)
            if existing != entry.term:
                if entry.index <= self.last_index():
                    self._logger.info(
                        "found conflict at index %d [existing term: %d, conflicting term: %d]",
                        *(entry.index, existing or 0, entry.term),
                    )
                return entry.index
        return None

    def commit_to(self, index: int) -> None:
        """Commit up to ``index``; never back."""
        if index > self.committed:
            if index > self.last_index():
                raise RaftPanic(
                    f"tocommit({index}) is out of range [lastIndex({self.last_index()})]. "
                    "Was the raft log corrupted, truncated, or lost?"
                )
            self.committed = index

    def maybe_commit(self, index: int, term: int) -> bool:
        """Commit up to ``index`` if that entry is of the leader's own term (Raft, figure 8)."""
        if index > self.committed and term != 0 and self.match_term(index, term):
            self.commit_to(index)
            return True
        return False

    def restore(self, snapshot: Snapshot) -> None:
        """Begin anew after a snapshot."""
        self._logger.info(
            "log [%s] starts to restore snapshot [index: %d, term: %d]",
            *(self, snapshot.index, snapshot.term),
        )
        self.committed = snapshot.index
        self.unstable.restore(snapshot)

    # Applying.

    def max_appliable_index(self, allow_unstable: bool) -> int:
        """How far entries may be applied; not beyond what is stored, unless it is allowed."""
        if allow_unstable:
            return self.committed
        return min(self.committed, self.unstable.offset - 1)

    def has_next_committed(self, allow_unstable: bool) -> bool:
        """Whether there are entries to apply now; a snapshot comes first."""
        if self._applying_paused or self.unstable.snapshot is not None:
            return False
        return self.applying < self.max_appliable_index(allow_unstable)

    def next_committed(self, allow_unstable: bool) -> tuple[Entry, ...]:
        """Entries to apply now."""
        if not self.has_next_committed(allow_unstable):
            return ()
        room = self.max_applying_size - self._applying_size
        hi = self.max_appliable_index(allow_unstable) + 1
        try:
            return self.slice(self.applying + 1, hi, room)
        except Compacted as error:
            raise RaftPanic(f"unexpected error when getting unapplied entries ({error})") from error

    def accept_applying(self, index: int, size: int, allow_unstable: bool) -> None:
        """Entries up to ``index``, of ``size`` bytes, have been handed out to be applied."""
        if index > self.committed:
            raise RaftPanic(
                f"applying({index}) is out of range [prevApplying({self.applying}), "
                f"committed({self.committed})]"
            )
        self.applying = index
        self._applying_size += size
        # If not all were handed out, the next one did not fit.
        self._applying_paused = (
            self._applying_size >= self.max_applying_size
            or index < self.max_appliable_index(allow_unstable)
        )

    def applied_to(self, index: int, size: int) -> None:
        """Entries up to ``index``, of ``size`` bytes, are applied."""
        if not self.applied <= index <= self.committed:
            raise RaftPanic(
                f"applied({index}) is out of range [prevApplied({self.applied}), "
                f"committed({self.committed})]"
            )
        self.applied = index
        self.applying = max(self.applying, index)
        self._applying_size = max(self._applying_size - size, 0)
        self._applying_paused = self._applying_size >= self.max_applying_size

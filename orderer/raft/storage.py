"""What a Raft node reads back of what it had written (etcd: Storage in storage.go)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .messages import ConfState, Entry, HardState, Snapshot


class Storage(Protocol):
    """Log and state on the disk, read by the core and written by whoever handles its Ready.

    May raise StorageError where it says so; any other exception ends the node.
    """

    def initial_state(self) -> tuple[HardState, ConfState]:
        """The saved state and the membership of the latest snapshot; empty ones at first."""

    def entries(self, lo: int, hi: int, max_size: int) -> Sequence[Entry]:
        """Entries [lo, hi), as many as fit into ``max_size`` encoded bytes but at least one.

        Raises Compacted, Unavailable.
        """

    def term(self, index: int) -> int:
        """The term of an entry in [first_index - 1, last_index].

        Raises Compacted, Unavailable.
        """

    def last_index(self) -> int:
        """The last entry's index; the snapshot's if there is none."""

    def first_index(self) -> int:
        """The index of the first entry that is not in the snapshot."""

    def snapshot(self) -> Snapshot:
        """The latest snapshot.

        Raises SnapshotTemporarilyUnavailable if it has to be made first.
        """

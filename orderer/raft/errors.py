"""What a Raft node refuses, and what it cannot go on from.

The sentences are etcd's, for they stand in its traces (etcd: storage.go, raft.go, rawnode.go).
"""

from __future__ import annotations

from gridloom.common.errors import GridloomError


class RaftError(GridloomError):
    """Root of what the Raft core reports."""


class InvalidRaftConfig(RaftError):
    """Settings a node cannot run with."""


class InvalidConfChange(RaftError):
    """A membership change that cannot be made on the present configuration."""


class ProposalDropped(RaftError):
    """A proposal that this node does not take now; it may be proposed again later."""

    def __init__(self) -> None:
        super().__init__("raft proposal dropped")


class CannotStep(RaftError):
    """A message this node does not accept: a local one from outside, or a stranger's answer."""


class StorageError(RaftError):
    """Root of what a ``Storage`` may report; anything else stops the node."""


class Compacted(StorageError):
    """Entries that were there but have gone into a snapshot."""

    def __init__(self, index: int) -> None:
        super().__init__("requested index is unavailable due to compaction")
        self.index = index


class Unavailable(StorageError):
    """Entries that are not there yet."""

    def __init__(self, index: int) -> None:
        super().__init__("requested entry at index is unavailable")
        self.index = index


class SnapshotOutOfDate(StorageError):
    """A snapshot that is not newer than the one there is."""

    def __init__(self, index: int, existing: int) -> None:
        super().__init__("requested index is older than the existing snapshot")
        self.index = index
        self.existing = existing


class SnapshotTemporarilyUnavailable(StorageError):
    """A storage that is still preparing its snapshot; it is asked again later."""

    def __init__(self) -> None:
        super().__init__("snapshot is temporarily unavailable")


class RaftPanic(RaftError):
    """A broken invariant: a lost or corrupt log, or a bug.  The node must not go on."""

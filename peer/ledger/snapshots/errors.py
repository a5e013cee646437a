"""What snapshots report when they cannot be made or used.

The texts are those of Fabric's peer; its commands print them behind "failed to submit the
request" and the like.  (Fabric: kvledger/{snapshot,snapshot_mgmt}.go, ledgermgmt.)
"""

from __future__ import annotations

from ..errors import LedgerError


class SnapshotError(LedgerError):
    """Root of what snapshots report."""


class SnapshotRefused(SnapshotError):
    """A request that cannot be taken or withdrawn: channel, block number, and why."""

    def __init__(self, channel_id: str, number: int, reason: str) -> None:
        super().__init__(reason)
        self.channel_id = channel_id
        self.number = number


class SnapshotFailed(SnapshotError):
    """A snapshot that could not be written: its place and the reason."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"error while generating snapshot {place}: {reason}")
        self.place = place
        self.reason = reason


class SnapshotDamaged(SnapshotError):
    """A snapshot no channel can be joined from: the file or folder, and what is wrong."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


class HashMismatch(SnapshotError):
    """A file of a snapshot that is not what the metadata say (both hashes as hex)."""

    def __init__(self, file: str, expected: str, actual: str) -> None:
        super().__init__(
            f"hash mismatch for file [{file}]. "
            f"Expected hash = [{expected}], Actual hash = [{actual}]"
        )
        self.file, self.expected, self.actual = file, expected, actual


class JoinInProgress(SnapshotError):
    """No channel can be joined while one is being joined from the snapshot in this folder."""

    def __init__(self, folder: str) -> None:
        super().__init__(
            f"a ledger is being created from a snapshot at {folder}. "
            "Call ledger creation again after it is done."
        )
        self.folder = folder

"""Joining a channel from a ledger snapshot: in the background, one at a time.

Whoever asks is told at once whether it has begun; how it ended is in the log and in the list
of channels, as with Fabric.  (Fabric: core/ledger/ledgermgmt/ledger_mgmt.go, core/peer/peer.go.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from gridloom.common.channel.bundle import ChannelBundle

from .ledger.errors import LedgerExists
from .ledger.ledger import Ledger
from .ledger.provider import LedgerProvider
from .ledger.snapshots.errors import JoinInProgress, SnapshotDamaged
from .ledger.snapshots.private_part import MayHold
from .ledger.snapshots.stored_snapshot import StoredSnapshot

log = logging.getLogger(__name__)


class SnapshotJoin:
    """Makes ledgers of snapshots.

    check: raises a GridloomError for a configuration the peer cannot use; may_hold: by one,
    whether the peer is a member of a collection; joined: takes the new channel over.
    Use it on one event loop.
    """

    def __init__(
        self,
        ledgers: LedgerProvider,
        check: Callable[[ChannelBundle], None],
        may_hold: Callable[[ChannelBundle], MayHold],
        joined: Callable[[ChannelBundle, Ledger], object],
    ) -> None:
        self._ledgers = ledgers
        self._check = check
        self._may_hold = may_hold
        self._joined = joined
        self._folder: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def folder(self) -> str | None:
        """The snapshot that a channel is being joined from, None while there is none."""
        return self._folder

    def ensure_idle(self) -> None:
        """JoinInProgress while a channel is being joined from a snapshot."""
        if self._folder is not None:
            raise JoinInProgress(self._folder)

    def start(self, folder: str) -> asyncio.Task[None]:
        """Begin to join from the snapshot in a folder; the task fails with what it failed of.

        JoinInProgress; SnapshotDamaged when there is no such folder or nothing in it.
        """
        _check_folder(folder)
        self.ensure_idle()
        self._folder = folder
        self._task = asyncio.create_task(self._join(folder), name=f"join from {folder}")
        self._task.add_done_callback(self._ended)
        return self._task

    async def finish(self) -> None:
        """Return once no channel is being joined."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _join(self, folder: str) -> None:
        snapshot, bundle = await asyncio.to_thread(self._open, Path(folder))
        ledger = await asyncio.to_thread(
            self._ledgers.create_from_snapshot, snapshot, self._may_hold(bundle)
        )
        self._joined(bundle, ledger)
        log.info("joined channel %s from the snapshot in %s", bundle.channel_id, folder)

    def _open(self, folder: Path) -> tuple[StoredSnapshot, ChannelBundle]:
        """Verify all there is to verify before anything is stored."""
        snapshot = StoredSnapshot.open(folder)
        if snapshot.channel_id in self._ledgers.list():
            raise LedgerExists(snapshot.channel_id)
        bundle = ChannelBundle(snapshot.channel_id, snapshot.config().config)
        self._check(bundle)
        return snapshot, bundle

    def _ended(self, task: asyncio.Task[None]) -> None:
        folder, self._folder = self._folder, None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("cannot create ledger from snapshot %s: %s", folder, error)


def _check_folder(folder: str) -> None:
    try:
        empty = next(Path(folder).iterdir(), None) is None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SnapshotDamaged(f"error opening dir [{folder}]", reason) from error
    if empty:
        raise SnapshotDamaged(folder, f"snapshot dir {folder} is empty")

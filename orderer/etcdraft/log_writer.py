"""Puts what a node has decided into its log, and waits until the disk has it.

A disk that fails is tried again; until it works the node promises nothing, so that the others go
on without it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

from ..raft.ready import Ready
from .storage import RaftStorage
from .write_ahead_log import LogWriteFailed, Record

log = logging.getLogger(__name__)

RETRY_DISK = 0.25
"""Seconds between attempts to write to a disk that failed."""


class DiskWatcher(Protocol):
    """Who is told how the disk does."""

    def disk_failed(self, error: Exception) -> None:
        """The log cannot be written for now."""

    def disk_recovered(self) -> None:
        """The log is whole again."""


class LogWriter:
    """The log of the node ``node_id``; disk: runs what waits for it."""

    def __init__(
        self, node_id: int, storage: RaftStorage, disk: Executor, watcher: DiskWatcher
    ) -> None:
        self._node_id = node_id
        self._storage = storage
        self._disk = disk
        self._watcher = watcher
        self._writing: asyncio.Future[None] | None = None

    async def store(self, ready: Ready) -> None:
        """Return when what may be promised by now is on the disk."""
        storage = self._storage
        records = storage.keep(ready.hard_state, ready.entries, ready.snapshot)
        if not (ready.must_sync or ready.snapshot is not None):
            return  # the commit index alone is learnt again after a crash
        failing = False
        while True:
            try:
                await self._write(records)
            except LogWriteFailed as error:
                storage.written(successfully=False)
                if not failing:
                    log.error("node %d falls silent: %s", self._node_id, error)
                failing = True
                self._watcher.disk_failed(error)
                await asyncio.sleep(RETRY_DISK)
            else:
                storage.written(successfully=True)
                if failing:
                    log.warning("node %d: the disk takes writes again", self._node_id)
                    self._watcher.disk_recovered()
                return

    async def close(self) -> None:
        """Close the log once the thread is done with it."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._storage.close()

    async def _write(self, records: Sequence[Record]) -> None:
        job = self._storage.job(records)
        if not self._storage.waits_for_disk:
            job()
            return
        self._writing = asyncio.get_running_loop().run_in_executor(self._disk, job)
        await asyncio.shield(self._writing)

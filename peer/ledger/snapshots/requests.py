"""Which snapshots are due, and making each when its block has been committed.

A request is kept in the ledger until its snapshot is complete, so a stopped peer makes it
when it runs again.  The files are written in a thread of their own from the state as it was
at that block; blocks go on being committed meanwhile.  (Fabric: kvledger/snapshot_mgmt.go.)
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from ..errors import LedgerError
from ..store import LastBlock, LedgerStore
from .errors import SnapshotRefused
from .export import LedgerView, snapshot_folder, write_snapshot

log = logging.getLogger(__name__)


class SnapshotRequests:
    """The snapshot requests of one channel.

    root: folder of all snapshots of this peer.  ``submit``, ``block_committed`` and ``resume``
    are told the newest block, and called while none is being committed.
    """

    def __init__(self, channel_id: str, store: LedgerStore, root: Path) -> None:
        self._channel_id = channel_id
        self._store = store
        self._root = root
        self._lock = Lock()
        self._pending = set(store.snapshot_requests())
        self._running: set[int] = set()
        self._worker: ThreadPoolExecutor | None = None

    def pending(self) -> list[int]:
        """Blocks of which a snapshot is due or being made, ascending."""
        with self._lock:
            return sorted(self._pending)

    def submit(self, number: int, newest: LastBlock) -> None:
        """Ask for the snapshot of a block, 0 for the newest, which is begun at once.

        SnapshotRefused; StoreFailed.
        """
        wanted = number or newest.number
        if wanted < newest.number:
            raise self._refused(
                wanted,
                f"requested snapshot for block number {wanted} cannot be less than the last "
                f"committed block number {newest.number}",
            )
        if wanted == newest.number and self._exists(wanted):
            reason = f"snapshot already generated for block number {wanted}"
            raise self._refused(wanted, reason)
        with self._lock:
            if wanted in self._pending:
                reason = f"duplicate snapshot request for block number {wanted}"
                raise self._refused(wanted, reason)
            self._store.add_snapshot_request(wanted)
            self._pending.add(wanted)
        if wanted == newest.number:
            self._begin(newest)

    def cancel(self, number: int) -> None:
        """Withdraw a request; SnapshotRefused if there is none or it is being worked on."""
        with self._lock:
            if number in self._running:
                raise self._refused(
                    number, "cannot cancel the snapshot request because it is under processing"
                )
            if number not in self._pending:
                reason = f"no snapshot request exists for block number {number}"
                raise self._refused(number, reason)
            self._store.drop_snapshot_request(number)
            self._pending.discard(number)

    def block_committed(self, newest: LastBlock) -> None:
        """Begin the snapshot of a block that has just been committed, if one is due."""
        if newest.number in self._pending:
            self._begin(newest)

    def resume(self, newest: LastBlock) -> None:
        """After a restart: make what was due at the last block, forget what cannot be made."""
        for number in self.pending():
            if number == newest.number and not self._exists(number):
                self._begin(newest)
            elif number <= newest.number:
                if not self._exists(number):
                    log.error(
                        "channel %s: the snapshot of block %d was not complete when this peer "
                        "stopped, and its state is gone; it has to be requested anew",
                        self._channel_id,
                        number,
                    )
                self._forget(number)

    def close(self) -> None:
        """Finish what is being made; may be called again."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown()

    def _begin(self, last: LastBlock) -> None:
        """Hold the state as it is now, for the worker to write; the commit does not wait."""
        store, number = self._store, last.number
        try:
            state = store.snapshot()
        except LedgerError as error:
            self._failed(number, error)
            return
        view = LedgerView(
            self._channel_id,
            last,
            state,
            tx_ids=lambda: store.tx_ids(number + 1),
            collections=lambda: (row for row in store.collections() if row.block <= number),
            state_database=store.state_database,
        )
        with self._lock:
            self._running.add(number)
            if self._worker is None:
                name = f"snapshot {self._channel_id}"
                self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
            self._worker.submit(self._make, view)

    def _make(self, view: LedgerView) -> None:
        number = view.last.number
        try:
            folder = write_snapshot(self._root, view)
        except Exception as error:
            self._failed(number, error)
        else:
            log.info("channel %s: snapshot of block %d is in %s", self._channel_id, number, folder)
            self._forget(number)
        finally:
            view.state.close()

    def _failed(self, number: int, error: Exception) -> None:
        """Say so, and let the administrator ask again."""
        expected = isinstance(error, LedgerError)
        message = "channel %s: the snapshot of block %d failed: %s"
        log.error(message, self._channel_id, number, error, exc_info=None if expected else error)
        self._forget(number)

    def _forget(self, number: int) -> None:
        with self._lock:
            self._pending.discard(number)
            self._running.discard(number)
            try:
                self._store.drop_snapshot_request(number)
            except LedgerError as error:  # it will be forgotten at the next start
                log.error("channel %s: %s", self._channel_id, error)

    def _exists(self, number: int) -> bool:
        return snapshot_folder(self._root, self._channel_id, number).exists()

    def _refused(self, number: int, reason: str) -> SnapshotRefused:
        return SnapshotRefused(self._channel_id, number, reason)

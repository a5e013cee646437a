"""Telling who waits for a transaction what became of it (Fabric: core/ledger/util/notifier)."""

from __future__ import annotations

import asyncio

from gridloom.common.errors import GridloomError

from .ledger.committing import CommittedBlock
from .ledger.ledger import Ledger


class CommitNotifier:
    """The waiters of one ledger, by transaction id; used on one event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: dict[str, list[asyncio.Future[tuple[int, int]]]] = {}
        self._failure: GridloomError | None = None
        self._listening = False

    async def wait_for(self, tx_id: str) -> tuple[int, int]:
        """Return (TxValidationCode, block number), at once if the transaction is committed.

        Of several transactions with the same id the first one counts.  Raises the failure
        that stopped the channel, if one did.
        """
        if not self._listening:
            self._listening = True
            self._ledger.subscribe(self._committed)
        future: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(tx_id, [])
        waiting.append(future)
        try:
            # Asked only now: a commit before this line is found, a later one is told.
            status = self._ledger.tx_status(tx_id)
            if status is not None:
                return status
            if self._failure is not None:
                raise self._failure
            return await future
        finally:
            waiting.remove(future)
            if not waiting:
                self._waiting.pop(tx_id, None)

    def fail(self, failure: GridloomError) -> None:
        """Nothing will be committed any more: everyone who waits is told why."""
        self._failure = failure
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(failure)

    def _committed(self, committed: CommittedBlock) -> None:
        for transaction in committed.transactions:
            for future in self._waiting.get(transaction.indexed_id, ()):
                if not future.done():
                    future.set_result((transaction.code, committed.number))

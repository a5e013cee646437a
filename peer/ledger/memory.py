"""A ledger that lives and dies with its process: the twin of sqlite.py for tests and demos."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from threading import Lock

from gridloom.protos.common import common_pb2

from .errors import StoreFailed
from .memory_state import MemoryState
from .private_data import without_purged
from .state_db import StateSnapshot
from .store import BlockRecord, HistoryRow, PrivateRow, TransactionRow, TransientRow
from .update_batch import UpdateBatch


class MemoryStore:
    """One channel's ledger in dictionaries."""

    def __init__(self) -> None:
        self._state = MemoryState()
        self._blocks: list[common_pb2.Block] = []
        self._numbers: dict[bytes, int] = {}
        self._transactions: dict[str, TransactionRow] = {}
        self._history: dict[tuple[str, bytes], list[HistoryRow]] = {}
        self._private: dict[int, list[PrivateRow]] = {}
        self._transient: dict[str, list[TransientRow]] = {}
        self._transient_lock = Lock()

    @property
    def height(self) -> int:
        """Number of blocks stored."""
        return len(self._blocks)

    def snapshot(self) -> StateSnapshot:
        """The state as committed."""
        return self._state.snapshot()

    def commit(self, record: BlockRecord) -> None:
        """Keep a block; the state changes first, the height last."""
        number = record.number
        if number != self.height:
            raise StoreFailed("memory", f"block {number} after {self.height} blocks")
        self._state.apply(record.updates.stored(), number + 1)
        for row in record.history:
            insort(self._history.setdefault((row.namespace, row.key), []), row)
        for index, (tx_id, code) in enumerate(zip(record.tx_ids, record.codes, strict=True)):
            if tx_id:
                self._transactions.setdefault(tx_id, TransactionRow(number, index, code))
        if record.private:
            self._private[number] = sorted(record.private)
        self._purge(record.updates)
        with self._transient_lock:
            for tx_id in record.committed:
                self._transient.pop(tx_id, None)
        self._numbers[record.block_hash] = number
        self._blocks.append(record.block)

    def block(self, number: int) -> common_pb2.Block | None:
        """A block by number; None beyond the height."""
        return self._blocks[number] if 0 <= number < len(self._blocks) else None

    def block_number(self, block_hash: bytes) -> int | None:
        """The number of the block with this header hash."""
        return self._numbers.get(block_hash)

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id."""
        return self._transactions.get(tx_id)

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first."""
        return reversed(tuple(self._history.get((namespace, key), ())))

    def private_data(self, block: int) -> list[PrivateRow]:
        """Cleartext kept with a block, by transaction, namespace and collection."""
        return list(self._private.get(block, ()))

    def put_transient(self, tx_id: str, row: TransientRow) -> None:
        """Keep a private set."""
        with self._transient_lock:
            self._transient.setdefault(tx_id, []).append(row)

    def transient(self, tx_ids: Sequence[str]) -> dict[str, list[TransientRow]]:
        """Sets kept for these ids, oldest first."""
        with self._transient_lock:
            return {i: list(self._transient[i]) for i in tx_ids if i in self._transient}

    def purge_transient(self, below_height: int) -> None:
        """Forget sets that were kept when the ledger was lower than this."""
        with self._transient_lock:
            for tx_id, rows in list(self._transient.items()):
                kept = [row for row in rows if row.height >= below_height]
                if kept:
                    self._transient[tx_id] = kept
                else:
                    del self._transient[tx_id]

    def close(self) -> None:
        """Nothing to release."""

    def _purge(self, updates: UpdateBatch) -> None:
        for (namespace, collection, hashed_key), version in updates.purged.items():
            for block, rows in self._private.items():
                for place, row in enumerate(rows):
                    before = (block, row.tx) < version
                    if before and (row.namespace, row.collection) == (namespace, collection):
                        rows[place] = row._replace(rwset=without_purged(row.rwset, {hashed_key}))

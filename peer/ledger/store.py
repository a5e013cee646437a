"""Where a ledger keeps what it commits: the contract of memory.py and sqlite.py.

A store knows nothing of validation; it writes one BlockRecord at a time, whole or not at
all, and answers look-ups.  One thread commits; any thread may read meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.queryresult import kv_query_result_pb2

from .state_db import StateSnapshot
from .update_batch import UpdateBatch


class HistoryRow(NamedTuple):
    """One public write of a valid transaction; seconds and nanos are its header's time."""

    namespace: str
    key: bytes
    block: int
    tx: int
    tx_id: str
    seconds: int
    nanos: int
    is_delete: bool
    value: bytes

    def key_modification(self) -> kv_query_result_pb2.KeyModification:
        """The form in which history is answered."""
        result = kv_query_result_pb2.KeyModification(
            tx_id=self.tx_id, value=self.value, is_delete=self.is_delete
        )
        result.timestamp.seconds, result.timestamp.nanos = self.seconds, self.nanos
        return result


class PrivateRow(NamedTuple):
    """Cleartext writes of one transaction in one collection: a serialized KVRWSet."""

    tx: int
    namespace: str
    collection: str
    rwset: bytes


class TransactionRow(NamedTuple):
    """Where a transaction stands, and what became of it (TxValidationCode)."""

    block: int
    tx: int
    code: int


class TransientRow(NamedTuple):
    """A private set kept since endorsement: ledger height then, serialized TxPvtReadWriteSet."""

    height: int
    rwset: bytes


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """Everything one block leaves in the ledger.

    tx_ids, codes: one entry for each transaction; "" is not indexed.
    committed: transaction ids whose transient sets are no longer needed.
    """

    block: common_pb2.Block
    block_hash: bytes
    tx_ids: Sequence[str]
    codes: Sequence[int]
    updates: UpdateBatch
    history: Sequence[HistoryRow] = ()
    private: Sequence[PrivateRow] = field(default=(), repr=False)
    committed: Sequence[str] = ()

    @property
    def number(self) -> int:
        """The block's number."""
        return self.block.header.number


class LedgerStore(Protocol):
    """The store of one channel.  Blocks it hands out are shared: read, never change them."""

    @property
    def height(self) -> int:
        """Number of blocks stored."""
        ...

    def snapshot(self) -> StateSnapshot: ...

    def commit(self, record: BlockRecord) -> None:
        """Store block number ``height``, durable on return."""
        ...

    def block(self, number: int) -> common_pb2.Block | None: ...

    def block_number(self, block_hash: bytes) -> int | None: ...

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id, valid or not."""
        ...

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first."""
        ...

    def private_data(self, block: int) -> list[PrivateRow]: ...

    def put_transient(self, tx_id: str, row: TransientRow) -> None:
        """Keep a private set, durable on return."""
        ...

    def transient(self, tx_ids: Sequence[str]) -> dict[str, list[TransientRow]]:
        """Sets kept for these ids, oldest first; ids without any are left out."""
        ...

    def purge_transient(self, below_height: int) -> None:
        """Forget sets that were kept when the ledger was lower than this."""
        ...

    def close(self) -> None: ...

"""One channel's ledger on a peer: commits validated blocks, answers everything about them.

(Fabric: core/ledger/kvledger/kv_ledger.go.)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock

from gridloom.common import blocks
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, ledger_pb2
from gridloom.protos.ledger.queryresult import kv_query_result_pb2
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer import transaction_pb2

from ..validation.block_transaction import BlockTransaction
from .block_record import block_record
from .cached_snapshot import CachedSnapshot
from .collection_catalog import CollectionCatalog
from .committing import CommittedBlock, Committing, see_through
from .errors import BlockRejected, BlockUnavailable, NotInIndex, TransactionUnavailable
from .heights import Heights
from .private_data import matching_rows, private_sets
from .private_record import PrivateBlockData
from .query_executor import QueryExecutor
from .reconciliation import LatePrivateData, reconcile
from .rich_queries import RichQueries
from .shared_snapshot import SharedSnapshots
from .simulator import TxSimulator
from .snapshots.errors import SnapshotRefused
from .snapshots.requests import SnapshotRequests
from .state_db import StateSnapshot, encode_key
from .store import (
    UNKNOWN_CODE,
    CollectionsRow,
    LastBlock,
    LedgerStore,
    MissingRow,
    PrivateRow,
    TransactionRow,
)
from .transaction_index import TransactionIndex
from .transient_store import TransientStore
from .update_batch import UpdateBatch

LAST_BLOCK = 2**64 - 1
"""As a block number: the newest one (Fabric: blkstorage, qscc)."""

_CACHED_BLOCKS = 16
_NO_PRIVATE_DATA = PrivateBlockData()


class Ledger:
    """The ledger of one channel over a store.

    collections: checks collection names in simulations; may be set later, once the
    lifecycle exists.  snapshots: folder for all snapshots of this peer, None for making none.
    before_announcing: told what a block has changed, before anyone hears of the block.
    One thread commits at a time; everything else may be called from any.
    """

    def __init__(
        self,
        channel_id: str,
        store: LedgerStore,
        collections: CollectionCatalog | None = None,
        snapshots: Path | None = None,
    ) -> None:
        self.channel_id = channel_id
        self.collections = collections
        self.before_announcing: Callable[[UpdateBatch], None] = lambda _: None
        self.transient = TransientStore(store)
        self.rich_queries = RichQueries(store)
        self._store = store
        self._commit_lock = Lock()
        self._cache_lock = Lock()
        self._cache: OrderedDict[int, common_pb2.Block] = OrderedDict()
        self._heights: Heights[CommittedBlock] = Heights(store.height)
        self._changed_at: dict[str, int] = {}
        self._shared = SharedSnapshots(store.snapshot)
        self._transactions = TransactionIndex(store, self._shared)
        self._last = self._stored_last()
        self._snapshots: SnapshotRequests | None = None
        if snapshots is not None:
            self._snapshots = SnapshotRequests(channel_id, store, snapshots)
            if self._last is not None:
                self._snapshots.resume(self._last)

    @property
    def height(self) -> int:
        """Number of committed blocks."""
        return self._heights.height

    @property
    def is_remote(self) -> bool:
        """Whether who looks something up waits for another process."""
        return self._store.is_remote

    def changed_at(self, namespace: str) -> int:
        """The height at which a namespace or one of its collections changed last.

        0 if no block has changed it since this ledger was opened.  What was read of it holds
        as long as this does.
        """
        return self._changed_at.get(namespace, 0)

    @property
    def first(self) -> int:
        """Number of the oldest block there is or will be; 0 unless it began with a snapshot."""
        base = self._store.base
        return 0 if base is None else base.number + 1

    @property
    def last_hash(self) -> bytes:
        """Header hash of the newest block, which need not be here; b"" while there is none."""
        return self._last.block_hash if self._last else b""

    @property
    def commit_hash(self) -> bytes:
        """Commit hash of the newest block; b"" while there is only the genesis block."""
        return self._last.commit_hash if self._last else b""

    def commit(
        self,
        block: common_pb2.Block,
        transactions: Sequence[BlockTransaction],
        private: PrivateBlockData = _NO_PRIVATE_DATA,
        state: CachedSnapshot | None = None,
    ) -> CommittedBlock:
        """Judge reads against the state, then store the block and all it leaves, durable.

        transactions: one for each entry of the block, in order, past stage A; their codes
        become final.  private: the cleartext this peer has, every set held against its hash.
        state: of ``state_before_commit``, for what was read in it; it gets closed.
        The given block is not changed.  BlockRejected if it does not continue this chain;
        StoreFailed if it could not be stored, and then nothing of it was.
        """
        return see_through(self.committing(block, transactions, private, state))

    def committing(
        self,
        block: common_pb2.Block,
        transactions: Sequence[BlockTransaction],
        private: PrivateBlockData = _NO_PRIVATE_DATA,
        state: CachedSnapshot | None = None,
    ) -> Committing:
        """``commit`` in two steps."""
        with self._commit_lock:
            self._check_next(block, transactions)
            with closing(state or self.state_before_commit()) as before:
                record, new_hash = block_record(
                    block,
                    transactions,
                    private,
                    before,
                    self.commit_hash,
                    catalog=self.collections,
                    store=self._store,
                )
            if record.updates.purged or self._store.holds_purged:
                self._shared.retire()  # what it still sees is to be wiped
            with self._store.committing(record):
                yield
            self._shared.retire()
            self._transactions.added(record.tx_ids)
            for transaction, code in zip(transactions, record.codes, strict=True):
                transaction.code = code
            previous = block.header.previous_hash
            self._last = LastBlock(record.number, record.block_hash, previous, new_hash)
            self._remember(record.number, record.block)
            committed = CommittedBlock(record.block, transactions, new_hash)
            if self._snapshots is not None:
                self._snapshots.block_committed(self._last)
            for namespace in record.updates.namespaces():
                self._changed_at[namespace] = record.number + 1
            self.before_announcing(record.updates)
        self._heights.advance(record.number + 1, committed)
        return committed

    def _check_next(
        self, block: common_pb2.Block, transactions: Sequence[BlockTransaction]
    ) -> None:
        number = block.header.number
        problem = ""
        if number != self.height:
            problem = f"the ledger has {self.height} blocks"
        elif block.header.previous_hash != self.last_hash:
            problem = "its previous hash is not the hash of the last block"
        elif [t.index for t in transactions] != list(range(len(block.data.data))):
            problem = f"{len(transactions)} transactions for {len(block.data.data)} entries"
        elif any(t.code == transaction_pb2.NOT_VALIDATED for t in transactions):
            problem = "a transaction was not validated"
        if problem:
            raise BlockRejected(self.channel_id, number, problem)

    def kept(self, transactions: Sequence[BlockTransaction]) -> list[PrivateRow]:
        """Cleartext kept since endorsement that hashes to what the transactions say."""
        private = {t.tx_id: t.rwset for t in transactions if t.rwset and t.rwset.has_private_writes}
        kept = self._store.transient(list(private)) if private else {}
        return [
            row
            for transaction in transactions
            if transaction.rwset is not None and transaction.tx_id in kept
            for row in matching_rows(transaction.index, transaction.rwset, kept[transaction.tx_id])
        ]

    def missing(
        self, blocks: int, below: int, *, unavailable: bool = False
    ) -> Sequence[MissingRow]:
        """Private data this peer should have and has not, of the newest blocks; see the store."""
        return self._store.missing(blocks, below, unavailable=unavailable)

    def reconcile(
        self, found: Sequence[LatePrivateData], unavailable: Sequence[MissingRow]
    ) -> Sequence[LatePrivateData]:
        """Store what came of missing private data, durable; return what was refused.

        unavailable: what nobody had who should have; it will be asked for less often.
        """
        with self._commit_lock:
            refused = reconcile(self._store, self.block, self.collections, found, unavailable)
            self._shared.retire()
            return refused

    def collections_below(self, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of a chaincode's collections before a block."""
        return self._store.collections_below(namespace, block)

    def collection_history(self) -> Iterator[CollectionsRow]:
        """Every definition of explicit collections, by chaincode, newest first."""
        return self._store.collections()

    async def wait_for_height(self, height: int) -> None:
        """Return once at least so many blocks are committed."""
        await self._heights.wait_for(height)

    def subscribe(self, listener: Callable[[CommittedBlock], None]) -> Callable[[], None]:
        """Have each block told on the running loop, in order; calling the result ends it."""
        return self._heights.subscribe(listener)

    def info(self) -> ledger_pb2.BlockchainInfo:
        """Height, and the hashes of the last block and of the one before."""
        last, first = self._last, self.first
        if last is None:
            return ledger_pb2.BlockchainInfo()
        info = ledger_pb2.BlockchainInfo(
            height=last.number + 1,
            currentBlockHash=last.block_hash,
            previousBlockHash=last.previous_hash,
        )
        if self._store.base is not None:
            info.bootstrappingSnapshotInfo.lastBlockInSnapshot = first - 1
        return info

    def block(self, number: int) -> common_pb2.Block:
        """A block by number, LAST_BLOCK for the newest.  Shared: read only.

        NotInIndex; BlockUnavailable before ``first``.
        """
        wanted = self._store.height - 1 if number == LAST_BLOCK else number
        if 0 <= wanted < self.first:
            raise BlockUnavailable(wanted, self.first)
        found = self._cache.get(wanted)
        if found is None:
            found = self._store.block(wanted)
            if found is None:
                raise NotInIndex("block number", str(number))
            self._remember(wanted, found)
        return found

    def block_by_hash(self, block_hash: bytes) -> common_pb2.Block:
        """A block by its header hash; NotInIndex."""
        number = self._store.block_number(block_hash)
        if number is None:
            raise NotInIndex("block hash", block_hash.hex())
        return self.block(number)

    def block_by_tx_id(self, tx_id: str) -> common_pb2.Block:
        """The block with the first transaction of this id; NotInIndex, TransactionUnavailable."""
        return self.block(self._place(tx_id).block)

    def transaction(self, tx_id: str) -> transaction_pb2.ProcessedTransaction:
        """Envelope and validation code of the first transaction of this id.

        NotInIndex; TransactionUnavailable if only the id is known, from a snapshot.
        """
        place = self._place(tx_id)
        entry = self.block(place.block).data.data[place.tx]
        return transaction_pb2.ProcessedTransaction(
            transactionEnvelope=parse(common_pb2.Envelope, entry, f"envelope of {tx_id}"),
            validationCode=place.code,
        )

    def tx_status(self, tx_id: str) -> tuple[int, int] | None:
        """Validation code and block number of the first transaction of this id, if known."""
        place = self._transactions.find(tx_id)
        return (place.code, place.block) if place and place.code != UNKNOWN_CODE else None

    def has_transaction(self, tx_id: str) -> bool:
        """True if any block holds a transaction of this id, valid or not."""
        return self._transactions.find(tx_id) is not None

    def known_transactions(self, tx_ids: Sequence[str]) -> set[str]:
        """Those of the ids that some block holds, valid or not."""
        return self._transactions.known(tx_ids)

    def snapshot(self) -> StateSnapshot:
        """The committed state; close it."""
        return self._store.snapshot()

    def state_before_commit(self) -> CachedSnapshot:
        """The committed state for the one who will commit the next block; close it."""
        # Where look-ups wait for another process, simulations should not wait behind them.
        return CachedSnapshot(self._store.snapshot() if self.is_remote else self._shared.take())

    def simulator(self, tx_id: str) -> TxSimulator:
        """A simulation against the present state; call done() on it."""
        return TxSimulator(tx_id, self._shared.take(), self.collections)

    def query_executor(self) -> QueryExecutor:
        """The same getters without a read set; call done() on it."""
        return QueryExecutor(self._store.snapshot(), self.collections)

    def history(self, namespace: str, key: str) -> Iterator[kv_query_result_pb2.KeyModification]:
        """Every write of a key by a valid transaction, newest first."""
        for row in self._store.history(namespace, encode_key(key)):
            yield row.key_modification()

    def private_data(self, number: int) -> dict[int, TxPvtReadWriteSet]:
        """Cleartext this peer holds of a block's transactions, by their index."""
        return private_sets(self._store.private_data(number))

    def private_rows(self, number: int) -> list[PrivateRow]:
        """The same, set by set."""
        return self._store.private_data(number)

    def request_snapshot(self, number: int) -> None:
        """Have a snapshot made of a block: of the newest now if 0, of one to come in its time.

        SnapshotRefused if that cannot be.
        """
        requests = self._snapshot_requests(number)
        with self._commit_lock:
            assert self._last is not None
            requests.submit(number, self._last)

    def cancel_snapshot(self, number: int) -> None:
        """Withdraw such a request; SnapshotRefused."""
        self._snapshot_requests(number).cancel(number)

    def pending_snapshots(self) -> list[int]:
        """Blocks of which a snapshot is due or being made, ascending."""
        return self._snapshots.pending() if self._snapshots else []

    def close(self) -> None:
        """Finish a snapshot that is being made and release the store; may be called again."""
        if self._snapshots is not None:
            self._snapshots.close()
        self._shared.retire()
        self._store.close()

    def _snapshot_requests(self, number: int) -> SnapshotRequests:
        if self._snapshots is None:
            reason = "this peer has no folder for snapshots"
            raise SnapshotRefused(self.channel_id, number, reason)
        return self._snapshots

    def _place(self, tx_id: str) -> TransactionRow:
        place = self._store.transaction(tx_id)
        if place is None:
            raise NotInIndex("transaction ID", tx_id)
        if place.code == UNKNOWN_CODE:
            raise TransactionUnavailable(tx_id, self.first)
        return place

    def _stored_last(self) -> LastBlock | None:
        base = self._store.base
        if not self._store.height or (base and self._store.height == base.number + 1):
            return base
        newest = self.block(LAST_BLOCK)
        header = newest.header
        return LastBlock(
            header.number,
            blocks.header_hash(header),
            header.previous_hash,
            blocks.commit_hash(newest),
        )

    def _remember(self, number: int, block: common_pb2.Block) -> None:
        with self._cache_lock:
            self._cache[number] = block
            while len(self._cache) > _CACHED_BLOCKS:
                self._cache.popitem(last=False)

"""A ledger that lives and dies with its process: the twin of sqlite.py for tests and demos."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from gridloom.protos.common import common_pb2

from .errors import StoreFailed
from .memory_private import MemoryPrivateData
from .memory_state import MemoryState
from .queries.indexes import IndexDefinition
from .state_database import StateDatabase
from .state_db import FullStateSnapshot, Version
from .store import (
    UNKNOWN_CODE,
    BlockRecord,
    Bootstrap,
    CollectionsRow,
    HistoryRow,
    KeyExpiry,
    LastBlock,
    MissingRow,
    PrivateRow,
    Reconciliation,
    TransactionRow,
    TransientRow,
)
from .update_batch import Updates


class MemoryStore:
    """One channel's ledger in dictionaries."""

    is_remote = False
    holds_purged = False

    def __init__(self, state_database: StateDatabase = StateDatabase.LEVELDB) -> None:
        self.state_database = state_database
        self._state = MemoryState(state_database)
        self._base: LastBlock | None = None
        self._base_hashes: dict[tuple[int, int, str, str], dict[bytes, bytes]] = {}
        self._blocks: list[common_pb2.Block] = []
        self._numbers: dict[bytes, int] = {}
        self._transactions: dict[str, TransactionRow] = {}
        self._history: dict[tuple[str, bytes], list[HistoryRow]] = {}
        self._private = MemoryPrivateData()
        self._private_lock = Lock()
        self._transient: dict[str, list[TransientRow]] = {}
        self._transient_lock = Lock()
        self._requests: set[int] = set()

    @property
    def height(self) -> int:
        """Number the next block will have."""
        return self._first + len(self._blocks)

    @property
    def base(self) -> LastBlock | None:
        """The block behind which this store begins, None if it has all blocks."""
        return self._base

    @property
    def _first(self) -> int:
        return 0 if self._base is None else self._base.number + 1

    def bootstrap(self, start: Bootstrap) -> None:
        """Begin from a snapshot; everything is read before anything is kept."""
        if self.height:
            raise StoreFailed("memory", f"there are {self.height} blocks already")
        number = start.last.number
        ids = {
            tx_id: TransactionRow(number, place, UNKNOWN_CODE)
            for place, tx_id in enumerate(start.tx_ids)
        }
        changes: dict[str, Updates] = {}
        for namespace, key, entry in start.state:
            updates = changes.setdefault(namespace, {})
            if key in updates:
                raise StoreFailed("memory", f"namespace {namespace!r} has key {key!r} twice")
            updates[key] = entry
        hashes: dict[tuple[int, int, str, str], dict[bytes, bytes]] = {}
        for each in start.hashes:
            hashes.setdefault(each[:4], {})[each.key_hash] = each.value_hash
        self._base_hashes = hashes
        self._state.apply(changes.items(), number + 1)
        with self._private_lock:
            self._private.begin(start.private)
        self._transactions = ids
        self._base = start.last

    def base_hashes(
        self, block: int, tx: int, namespace: str, collection: str
    ) -> dict[bytes, bytes]:
        """Value hashes by key hash of what a transaction before ``base`` has left in it."""
        return self._base_hashes.get((block, tx, namespace, collection), {})

    def snapshot(self) -> FullStateSnapshot:
        """The state as committed."""
        return self._state.snapshot(self._transactions.get)

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
        with self._private_lock:
            self._private.record(record)
        with self._transient_lock:
            for tx_id in record.committed:
                self._transient.pop(tx_id, None)
        self._numbers[record.block_hash] = number
        self._blocks.append(record.block)

    @contextmanager
    def committing(self, record: BlockRecord) -> Iterator[None]:
        """Keep a block once it is left: there is no disk to wait for."""
        yield
        self.commit(record)

    def block(self, number: int) -> common_pb2.Block | None:
        """A block by number; None beyond the height."""
        place = number - self._first
        return self._blocks[place] if 0 <= place < len(self._blocks) else None

    def block_number(self, block_hash: bytes) -> int | None:
        """The number of the block with this header hash."""
        return self._numbers.get(block_hash)

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id."""
        return self._transactions.get(tx_id)

    def known_transactions(self, tx_ids: Sequence[str]) -> set[str]:
        """Those of the ids that some transaction carried."""
        return {tx_id for tx_id in tx_ids if tx_id in self._transactions}

    def tx_ids(self, below: int) -> Iterator[str]:
        """Ids of all transactions before a block, by length and then in byte order."""
        known = list(self._transactions.items())
        ids = [(tx_id.encode(), tx_id) for tx_id, row in known if row.block < below]
        yield from (tx_id for _, tx_id in sorted(ids, key=lambda each: (len(each[0]), each[0])))

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first."""
        return reversed(tuple(self._history.get((namespace, key), ())))

    def private_data(self, block: int) -> list[PrivateRow]:
        """Cleartext kept with a block, by transaction, namespace and collection."""
        with self._private_lock:
            return self._private.rows(block)

    def private_key(self, namespace: str, collection: str, key_hash: bytes) -> bytes | None:
        """A key with cleartext here, by its hash."""
        with self._private_lock:
            return self._private.key(namespace, collection, key_hash)

    def purges(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, Version]:
        """The last purges of those keys that have one."""
        with self._private_lock:
            return self._private.purges(namespace, collection, key_hashes)

    def missing(self, blocks: int, below: int, *, unavailable: bool = False) -> list[MissingRow]:
        """Wanted private data of the newest blocks below a number."""
        with self._private_lock:
            return self._private.missing(blocks, below, unavailable=unavailable)

    def expiring(self, block: int) -> list[KeyExpiry]:
        """Private keys that go with a block."""
        with self._private_lock:
            return self._private.expiring(block)

    def collections_below(self, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of collections before a block."""
        with self._private_lock:
            return self._private.collections_below(namespace, block)

    def collections(self) -> Iterator[CollectionsRow]:
        """Every definition of collections, by chaincode, newest first."""
        with self._private_lock:
            return iter(list(self._private.collections()))

    def reconcile(self, found: Reconciliation) -> None:
        """Keep private data of old blocks; the height stays."""
        with self._private_lock:
            self._state.apply(found.updates.stored(), self.height)
            self._private.reconcile(found)

    def define_indexes(self, namespace: str, definitions: Sequence[IndexDefinition]) -> None:
        """Know indexes of a namespace; they order results, nothing more."""
        for index in definitions:
            self._state.define_index(namespace, index)

    def snapshot_requests(self) -> list[int]:
        """Blocks of which a snapshot is due."""
        return sorted(self._requests)

    def add_snapshot_request(self, number: int) -> None:
        """Remember that one is due."""
        self._requests.add(number)

    def drop_snapshot_request(self, number: int) -> None:
        """Forget one."""
        self._requests.discard(number)

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

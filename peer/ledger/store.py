"""Where a ledger keeps what it commits: the contract of memory.py, sqlite.py and postgres.py.

A store knows nothing of validation; it writes one BlockRecord at a time, whole or not at
all, and answers look-ups.  One thread commits; any thread may read meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.queryresult import kv_query_result_pb2

from .queries.indexes import IndexDefinition
from .state_database import StateDatabase
from .state_db import FullStateSnapshot, Version, VersionedValue
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
    """Cleartext writes of one transaction in one collection: a serialized KVRWSet.

    expires_at: number of the block whose commit removes it, None for never.
    """

    tx: int
    namespace: str
    collection: str
    rwset: bytes
    expires_at: int | None = None


class PrivateKeyRow(NamedTuple):
    """A key whose cleartext is stored, findable by its hash: who wrote it, where.

    expires_at: as of the cleartext.
    """

    namespace: str
    collection: str
    key_hash: bytes
    block: int
    tx: int
    key: bytes
    expires_at: int | None = None


class MissingRow(NamedTuple):
    """Cleartext of one transaction in one collection that this peer does not have.

    wanted: False if the peer is no member, so that the data is missing by right.
    """

    block: int
    tx: int
    namespace: str
    collection: str
    wanted: bool
    expires_at: int | None = None


class KeyExpiry(NamedTuple):
    """A private key written in ``block`` whose hash and cleartext go when ``expires_at`` commits.

    If the key is written again before that, this entry means nothing.
    """

    expires_at: int
    namespace: str
    collection: str
    key_hash: bytes
    block: int


class CollectionsRow(NamedTuple):
    """A chaincode's collections as block ``block`` defined them: a CollectionConfigPackage."""

    namespace: str
    block: int
    package: bytes


class TransactionRow(NamedTuple):
    """Where a transaction stands, and what became of it (TxValidationCode)."""

    block: int
    tx: int
    code: int


class TransientRow(NamedTuple):
    """A private set kept since endorsement: ledger height when it came, and its bytes.

    sets: a serialized TxPvtReadWriteSetWithConfigInfo.
    """

    height: int
    sets: bytes


@dataclass(frozen=True, slots=True)
class PrivatePart:
    """What a block leaves of private data besides the state.

    keys: index of the private keys that the rows and the state's cleartext write.
    opened: (namespace, collection) that this peer may hold from now on, past data included.
    """

    rows: Sequence[PrivateRow] = field(default=(), repr=False)
    keys: Sequence[PrivateKeyRow] = field(default=(), repr=False)
    missing: Sequence[MissingRow] = ()
    key_expiries: Sequence[KeyExpiry] = ()
    collections: Sequence[CollectionsRow] = ()
    opened: Sequence[tuple[str, str]] = ()


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
    private: PrivatePart = PrivatePart()
    committed: Sequence[str] = ()

    @property
    def number(self) -> int:
        """The block's number."""
        return self.block.header.number


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Private data of old blocks that has been found, and what was looked for in vain.

    rows: by block number; updates: cleartext that is still what the public hashes speak of.
    unavailable: those whom somebody could have had but nobody did; asked for less often.
    """

    rows: Sequence[tuple[int, PrivateRow]] = field(default=(), repr=False)
    keys: Sequence[PrivateKeyRow] = field(default=(), repr=False)
    updates: UpdateBatch = field(default_factory=UpdateBatch, repr=False)
    unavailable: Sequence[MissingRow] = ()


class LastBlock(NamedTuple):
    """The newest block of a chain, as far as the next one needs it.

    A ledger made from a snapshot begins behind one: blocks up to ``number`` are not there.
    commit_hash: b"" while there is only the genesis block.
    """

    number: int
    block_hash: bytes
    previous_hash: bytes
    commit_hash: bytes


class BaseHash(NamedTuple):
    """A private write of before the snapshot a ledger began with, by which late data are judged."""

    block: int
    tx: int
    namespace: str
    collection: str
    key_hash: bytes
    value_hash: bytes


UNKNOWN_CODE = -1
"""Code of a transaction that is known by its id only, from a snapshot."""


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """All a ledger begins with when it is made from a snapshot.

    tx_ids, state (namespace, hashes included; key; entry) and hashes are read once while they
    are stored; an error while reading leaves nothing stored.
    private: past definitions of collections, what is missing, and when the hashes in
    ``state`` go; hashes: those again, to be kept as they are now.
    """

    last: LastBlock
    private: PrivatePart
    tx_ids: Iterable[str]
    state: Iterable[tuple[str, bytes, VersionedValue]]
    hashes: Iterable[BaseHash] = ()


class LedgerStore(Protocol):
    """The store of one channel.  Blocks it hands out are shared: read, never change them."""

    @property
    def holds_purged(self) -> bool:
        """Whether what was purged is still on the disk, for somebody reads an older state."""
        ...

    @property
    def is_remote(self) -> bool:
        """Whether look-ups go to another process, so that one waits for them."""
        ...

    @property
    def height(self) -> int:
        """Number the next block will have."""
        ...

    @property
    def base(self) -> LastBlock | None:
        """The block behind which this store begins, None if it has all blocks."""
        ...

    def bootstrap(self, start: Bootstrap) -> None:
        """Begin from a snapshot, durable on return; only for a store of height 0."""
        ...

    @property
    def state_database(self) -> StateDatabase:
        """By whose rules the state is kept."""
        ...

    def base_hashes(
        self, block: int, tx: int, namespace: str, collection: str
    ) -> dict[bytes, bytes]:
        """Value hashes by key hash of what a transaction before ``base`` has left in it."""
        ...

    def snapshot(self) -> FullStateSnapshot: ...

    def define_indexes(self, namespace: str, definitions: Sequence[IndexDefinition]) -> None:
        """Make indexes for rich queries, over those of the same design document and name."""
        ...

    def commit(self, record: BlockRecord) -> None:
        """Store block number ``height``, durable on return.

        What expires at this block is removed; of purged keys all private writes up to the
        purge are, and reconciliation will be told so by ``purges``.
        """
        ...

    def committing(self, record: BlockRecord) -> AbstractContextManager[None]:
        """``commit`` in two steps: entered, all is written; left, it is durable and to be read.

        Left by an exception, nothing of the block is there.  Another thread may leave it.
        """
        ...

    def reconcile(self, found: Reconciliation) -> None:
        """Store private data of old blocks, durable on return; what came is missing no more."""
        ...

    def block(self, number: int) -> common_pb2.Block | None: ...

    def block_number(self, block_hash: bytes) -> int | None: ...

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """The first transaction that carried this id, valid or not."""
        ...

    def known_transactions(self, tx_ids: Sequence[str]) -> set[str]:
        """Those of the ids that some transaction carried, valid or not."""
        ...

    def tx_ids(self, below: int) -> Iterator[str]:
        """Ids of all transactions before block ``below``, by length, then in byte order."""
        ...

    def history(self, namespace: str, key: bytes) -> Iterator[HistoryRow]:
        """Writes of a key, newest first."""
        ...

    def private_data(self, block: int) -> list[PrivateRow]: ...

    def private_key(self, namespace: str, collection: str, key_hash: bytes) -> bytes | None:
        """A key this peer has cleartext of, by its hash."""
        ...

    def purges(
        self, namespace: str, collection: str, key_hashes: Sequence[bytes]
    ) -> dict[bytes, Version]:
        """The last purge of each of these keys that was ever purged."""
        ...

    def missing(self, blocks: int, below: int, *, unavailable: bool = False) -> list[MissingRow]:
        """Wanted private data of the newest ``blocks`` blocks that miss any, newest first.

        below: only blocks before this one; unavailable: what was looked for in vain before,
        instead of the rest.
        """
        ...

    def expiring(self, block: int) -> list[KeyExpiry]:
        """Private keys that go when this block is committed."""
        ...

    def collections_below(self, namespace: str, block: int) -> CollectionsRow | None:
        """The last definition of a chaincode's collections before a block, None without any."""
        ...

    def collections(self) -> Iterator[CollectionsRow]:
        """Every definition of collections, by chaincode, newest first."""
        ...

    def snapshot_requests(self) -> list[int]:
        """Numbers of the blocks of which a snapshot is due, ascending."""
        ...

    def add_snapshot_request(self, number: int) -> None:
        """Remember that one is due, durable on return."""
        ...

    def drop_snapshot_request(self, number: int) -> None:
        """Forget one, durable on return."""
        ...

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

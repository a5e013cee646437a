"""All ledgers of one peer (Fabric: kv_ledger_provider.go, core/ledger/ledgermgmt).

storage.py says where they may lie.
"""

from __future__ import annotations

import re
from pathlib import Path
from threading import Lock

from gridloom.common import blocks
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.peer import transaction_pb2

from ..validation.block_transaction import BlockTransaction
from .errors import BlockRejected, LedgerExists, LedgerNotFound
from .ledger import Ledger
from .snapshots.export import remove_unfinished
from .snapshots.private_part import MayHold
from .snapshots.stored_snapshot import StoredSnapshot
from .state_database import StateDatabase
from .storage import open_storage

_CHANNEL_ID = re.compile(r"[a-z][a-z0-9.-]{0,248}")


class LedgerProvider:
    """Creates, opens and lists ledgers in a folder, in a database or in memory.

    A ledger exists once its genesis block, or its snapshot, is stored: a crash before that
    leaves nothing that list() or open() would find, and creating may be repeated.
    snapshots: folder for those this peer makes, None for making none.
    owner: the peer's name, for databases that it shares; state_database: whose rules the
    states of new ledgers follow, and those of old ones must.
    """

    def __init__(
        self,
        storage: Path | str,
        snapshots: Path | None = None,
        *,
        owner: str = "peer",
        state_database: StateDatabase = StateDatabase.LEVELDB,
    ) -> None:
        self._storage = open_storage(storage, owner, state_database)
        self._snapshots = snapshots
        self._opened: dict[str, Ledger] = {}
        self._lock = Lock()
        if snapshots is not None:
            remove_unfinished(snapshots)

    def create(self, genesis_block: common_pb2.Block) -> Ledger:
        """Store a channel's genesis block and return its ledger.

        LedgerExists if the peer has joined already; BlockRejected if the block is no first
        block of a channel.
        """
        transaction = genesis_transaction(genesis_block)
        channel_id = transaction.channel_id
        with self._lock:
            ledger = self._opened.get(channel_id) or self._ledger(channel_id)
            if ledger.height:
                self._opened[channel_id] = ledger
                raise LedgerExists(channel_id)
            try:
                ledger.commit(genesis_block, [transaction])
            except BaseException:
                ledger.close()
                raise
            self._opened[channel_id] = ledger
            return ledger

    def create_from_snapshot(
        self, snapshot: StoredSnapshot, may_hold: MayHold = lambda _: False
    ) -> Ledger:
        """Store what a snapshot holds and return the ledger that begins behind it.

        may_hold: tells the collections whose cleartext the peer will look for.
        LedgerExists if the peer has joined already; SnapshotDamaged, StoreFailed when it
        cannot be stored, and then nothing of it is.
        """
        channel_id = snapshot.channel_id
        with self._lock:
            store = None if channel_id in self._opened else self._storage.store(channel_id)
            if store is None or store.height:
                if store is not None:
                    store.close()
                raise LedgerExists(channel_id)
            try:
                store.bootstrap(snapshot.bootstrap(may_hold))
                ledger = Ledger(channel_id, store, snapshots=self._snapshots)
            except BaseException:
                store.close()
                self._storage.discard(channel_id)
                raise
            self._opened[channel_id] = ledger
            return ledger

    def open(self, channel_id: str) -> Ledger:
        """The ledger of a channel this peer has joined, the same object each time."""
        with self._lock:
            ledger = self._opened.get(channel_id)
            if ledger is None:
                if not self._is_stored(channel_id):
                    raise LedgerNotFound(channel_id)
                ledger = self._ledger(channel_id)
                if not ledger.height:
                    ledger.close()
                    raise LedgerNotFound(channel_id)
                self._opened[channel_id] = ledger
            return ledger

    def list(self) -> list[str]:
        """Ids of all channels this peer has joined, sorted."""
        channels = self._storage.stored() | self._opened.keys()
        return sorted(channel for channel in channels if self._exists(channel))

    def close(self) -> None:
        """Close every ledger; may be called again."""
        with self._lock:
            while self._opened:
                self._opened.popitem()[1].close()

    def _exists(self, channel_id: str) -> bool:
        try:
            self.open(channel_id)
        except LedgerNotFound:
            return False
        return True

    def _is_stored(self, channel_id: str) -> bool:
        return bool(_CHANNEL_ID.fullmatch(channel_id)) and channel_id in self._storage.stored()

    def _ledger(self, channel_id: str) -> Ledger:
        return Ledger(channel_id, self._storage.store(channel_id), snapshots=self._snapshots)


def genesis_transaction(block: common_pb2.Block) -> BlockTransaction:
    """The configuration transaction of a genesis block, valid by definition.

    BlockRejected if it is no first block of a channel.
    """
    number = block.header.number
    try:
        return _open_genesis(block)
    except (blocks.BlockError, MalformedMessage) as error:
        raise BlockRejected("", number, f"not a genesis block: {error}") from error


def _open_genesis(block: common_pb2.Block) -> BlockTransaction:
    envelope = blocks.envelope_at(block, 0)
    payload = parse(common_pb2.Payload, envelope.payload, "payload")
    header = parse(common_pb2.ChannelHeader, payload.header.channel_header, "channel header")
    config = parse(configtx_pb2.ConfigEnvelope, payload.data, "ConfigEnvelope")
    reason = ""
    if block.header.number or block.header.previous_hash:
        reason = "it is not the first block of a chain"
    elif len(block.data.data) != 1:
        reason = f"it has {len(block.data.data)} transactions instead of one"
    elif header.type != common_pb2.CONFIG or not payload.data:
        reason = "its transaction is not a configuration"
    elif not _CHANNEL_ID.fullmatch(header.channel_id):
        reason = f"{header.channel_id!r} is no channel id"
    if reason:
        raise BlockRejected(header.channel_id, block.header.number, reason)
    return BlockTransaction(
        index=0,
        envelope=block.data.data[0],
        code=transaction_pb2.VALID,
        tx_id=header.tx_id,
        indexed_id=header.tx_id,
        header_type=header.type,
        channel_id=header.channel_id,
        timestamp=header.timestamp,
        config=config,
        config_bytes=payload.data,
    )

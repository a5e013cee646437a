"""What one block leaves in the ledger: the last of the steps between validation and storage.

(Fabric: txmgr ``ValidateAndPrepare``, kv_ledger.go ``commit``.)
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.common import blocks
from gridloom.protos.common import common_pb2

from ..validation.block_transaction import BlockTransaction
from ..validation.mvcc import validate_and_prepare
from .block_history import history_rows
from .cached_snapshot import CachedSnapshot
from .collection_catalog import CollectionCatalog
from .commit_hash import commit_hash
from .private_record import PrivateBlockData, private_part
from .store import BlockRecord, LedgerStore


def block_record(
    block: common_pb2.Block,
    transactions: Sequence[BlockTransaction],
    private: PrivateBlockData,
    state: CachedSnapshot,
    previous_hash: bytes,
    *,
    catalog: CollectionCatalog | None,
    store: LedgerStore,
) -> tuple[BlockRecord, bytes]:
    """Judge reads, and return all there is to store with the block's commit hash.

    state: just before the block; previous_hash: commit hash of the block before, b"" for
    block 1 and where there is no chain of them; then the block gets none.
    """
    number = block.header.number
    rwsets = [each.rwset for each in transactions if each.valid and each.rwset]
    state.load(place for rwset in rwsets for place in rwset.places(state.has_metadata))
    codes, batch = validate_and_prepare(number, transactions, state)
    chained = number == 1 or previous_hash
    new_hash = commit_hash(bytes(codes), batch, previous_hash) if chained else b""
    part = private_part(number, private, codes, batch, snapshot=state, catalog=catalog, store=store)
    stored = common_pb2.Block()
    stored.CopyFrom(block)
    blocks.set_metadata(stored, common_pb2.TRANSACTIONS_FILTER, bytes(codes))
    if new_hash:
        wrapped = common_pb2.Metadata(value=new_hash).SerializeToString()
        blocks.set_metadata(stored, common_pb2.COMMIT_HASH, wrapped)
    record = BlockRecord(
        block=stored,
        block_hash=blocks.header_hash(stored.header),
        tx_ids=[t.indexed_id for t in transactions],
        codes=codes,
        updates=batch,
        history=history_rows(number, transactions, codes),
        private=part,
        committed=[t.tx_id for t in transactions if t.rwset and t.rwset.has_private_writes],
    )
    return record, new_hash

"""Stage B of validation: transactions of one block in their order, against the state.

A transaction is valid if everything it read is still so: no earlier valid transaction of the
block touched it, and the committed version is the one it saw.  Its writes then join the
pending batch, which later transactions are judged against.  Pure: state in, codes and batch
out.  (Fabric: core/ledger/kvledger/txmgmt/validation/{batch_preparer,validator,
rangequery_validator,combined_iterator}.go.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset.kvrwset import kv_rwset_pb2
from gridloom.protos.peer import transaction_pb2

from ..ledger.errors import InvalidDocument
from ..ledger.queries.documents import check_key, check_value
from ..ledger.range_query import RangeQueryResults
from ..ledger.rwset import CollRwSet, KeyRead, NsRwSet, TxRwSet, read_version
from ..ledger.state_db import StateSnapshot, Version, VersionedValue, hashed_namespace
from ..ledger.update_batch import UpdateBatch
from ..ledger.write_set import apply_write_set
from .block_transaction import BlockTransaction

CONFIG_NAMESPACE = ""
CONFIG_KEY = b"CHANNEL_CONFIG_ENV_BYTES"
"""Where the state keeps the channel configuration (Fabric: core/peer/configtx_processor.go)."""

_Entry = tuple[bytes, VersionedValue]


def validate_and_prepare(
    block_number: int, transactions: Sequence[BlockTransaction], snapshot: StateSnapshot
) -> tuple[list[int], UpdateBatch]:
    """Judge the transactions that stage A left VALID and gather what the valid ones write.

    Returns one TxValidationCode for each transaction (other codes are passed through) and
    the batch of public and hashed updates, versioned (block_number, index).  What a write may
    be depends on the state database, so all peers of a channel must have the same kind.
    """
    batch = UpdateBatch()
    codes: list[int] = []
    for transaction in transactions:
        code = transaction.code
        version = Version(block_number, transaction.index)
        if code == transaction_pb2.VALID:
            if transaction.header_type == common_pb2.CONFIG:
                code = _apply_config(transaction, version, batch)
            elif transaction.header_type == common_pb2.ENDORSER_TRANSACTION:
                code = _apply_endorsed(transaction, version, batch, snapshot)
        codes.append(code)
    return codes, batch


def _apply_config(transaction: BlockTransaction, version: Version, batch: UpdateBatch) -> int:
    if not transaction.config_bytes:
        return transaction_pb2.INVALID_OTHER_REASON
    entry = VersionedValue(transaction.config_bytes, version)
    batch.put(CONFIG_NAMESPACE, "", CONFIG_KEY, entry)
    return transaction_pb2.VALID


def _apply_endorsed(
    transaction: BlockTransaction, version: Version, batch: UpdateBatch, snapshot: StateSnapshot
) -> int:
    if not transaction.proposal_response_payload:
        return transaction_pb2.NIL_TXACTION
    if transaction.rwset is None:
        return transaction_pb2.INVALID_OTHER_REASON
    if snapshot.documents() is not None and not _are_documents(transaction.rwset):
        return transaction_pb2.INVALID_WRITESET
    code = validate_reads(transaction.rwset, batch, snapshot)
    if code == transaction_pb2.VALID:
        apply_write_set(transaction.rwset, version, batch, snapshot)
    return code


def _are_documents(rwset: TxRwSet) -> bool:
    """Whether a state with CouchDB's rules can hold all public writes."""
    try:
        for ns in rwset.namespaces:
            for write in ns.writes:
                check_key(write.key)
                check_value(write.value)
    except InvalidDocument:
        return False
    return True


def validate_reads(rwset: TxRwSet, batch: UpdateBatch, snapshot: StateSnapshot) -> int:
    """VALID, or the conflict found first: in each namespace keys, ranges, then hashes."""
    for ns in rwset.namespaces:
        if not all(_read_holds(ns.namespace, read, batch, snapshot) for read in ns.reads):
            return transaction_pb2.MVCC_READ_CONFLICT
        if not all(_range_holds(ns, info, batch, snapshot) for info in ns.kv.range_queries_info):
            return transaction_pb2.PHANTOM_READ_CONFLICT
        if not all(_hashed_reads_hold(ns, coll, batch, snapshot) for coll in ns.collections):
            return transaction_pb2.MVCC_READ_CONFLICT
    return transaction_pb2.VALID


def _read_holds(namespace: str, read: KeyRead, batch: UpdateBatch, snapshot: StateSnapshot) -> bool:
    if read.key in batch.public.get(namespace, {}):
        return False
    return _version(snapshot.get(namespace, read.key)) == read.version


def _hashed_reads_hold(
    ns: NsRwSet, coll: CollRwSet, batch: UpdateBatch, snapshot: StateSnapshot
) -> bool:
    pending = batch.hashed.get((ns.namespace, coll.name), {})
    stored_in = hashed_namespace(ns.namespace, coll.name)
    return all(
        read.key_hash not in pending
        and _version(snapshot.get(stored_in, read.key_hash)) == read_version(read)
        for read in coll.hashed.hashed_reads
    )


def _version(found: VersionedValue | None) -> Version | None:
    return found.version if found else None


def _range_holds(
    ns: NsRwSet, info: kv_rwset_pb2.RangeQueryInfo, batch: UpdateBatch, snapshot: StateSnapshot
) -> bool:
    """Read the range again and compare.

    A range that was not read to its end ends with its last key, which belongs to it.
    """
    start, end = info.start_key.encode(), info.end_key.encode()
    present = _overlaid(ns.namespace, start, end, batch, snapshot)
    if not info.itr_exhausted:
        present = chain(present, _end_key(ns.namespace, end, batch, snapshot))
    if info.HasField("reads_merkle_hashes"):
        return _same_hashes(info.reads_merkle_hashes, present)
    return _same_reads(info.raw_reads.kv_reads, present)


def _same_reads(reads: Sequence[kv_rwset_pb2.KVRead], present: Iterator[_Entry]) -> bool:
    for read in reads:
        key, found = next(present, (b"", None))
        if found is None or key != read.key.encode():
            return False
        if found.version != read_version(read):
            return False
    return next(present, None) is None


def _same_hashes(expected: kv_rwset_pb2.QueryReadsMerkleSummary, present: Iterator[_Entry]) -> bool:
    """Compare summaries; a degree that no tree can have never matches (Fabric's peer stops)."""
    if expected.max_degree < 2:
        return False
    results = RangeQueryResults(expected.max_degree)
    for key, found in present:
        results.add(key.decode(), found.version)
    _, summary = results.done()
    return summary is not None and (
        summary.max_level == expected.max_level
        and summary.max_level_hashes == expected.max_level_hashes
    )


def _overlaid(
    namespace: str, start: bytes, end: bytes, batch: UpdateBatch, snapshot: StateSnapshot
) -> Iterator[_Entry]:
    """The range as it would be after the batch, in key order."""
    updates = batch.public.get(namespace, {})
    pending = iter(sorted(k for k in updates if k >= start and (not end or k < end)))
    newest = next(pending, None)
    for key, found in snapshot.range(namespace, start, end):
        while newest is not None and newest < key:
            yield from _unless_deleted(newest, updates[newest])
            newest = next(pending, None)
        if newest == key:
            yield from _unless_deleted(key, updates[key])
            newest = next(pending, None)
        else:
            yield key, found
    while newest is not None:
        yield from _unless_deleted(newest, updates[newest])
        newest = next(pending, None)


def _end_key(
    namespace: str, end: bytes, batch: UpdateBatch, snapshot: StateSnapshot
) -> Iterator[_Entry]:
    found = batch.pending(namespace, "", end) or snapshot.get(namespace, end)
    if found is not None:
        yield from _unless_deleted(end, found)


def _unless_deleted(key: bytes, entry: VersionedValue) -> Iterator[_Entry]:
    if not entry.is_delete:
        yield key, entry

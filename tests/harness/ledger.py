"""Blocks for ledger tests: the golden channel's, and small ones made up on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common import blocks
from gridloom.peer.ledger.committing import CommittedBlock
from gridloom.peer.ledger.ledger import LAST_BLOCK, Ledger
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.private_record import PrivateBlockData
from gridloom.peer.ledger.rwset import TxRwSet
from gridloom.peer.ledger.simulator import SimulationResults, TxSimulator
from gridloom.peer.validation.block_transaction import BlockTransaction
from gridloom.peer.validation.message_validation import (
    open_chaincode_action,
    open_config,
    open_endorser_transaction,
    open_headers,
)
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer import transaction_pb2
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo

from .shared import shared

GOLDEN_HEIGHT = 66
_STAGE_B = (transaction_pb2.MVCC_READ_CONFLICT, transaction_pb2.PHANTOM_READ_CONFLICT)


def golden_block(number: int, node: str = "peer") -> common_pb2.Block:
    """A block as the real peer (with codes and commit hash) or the real orderer served it."""
    data = shared("golden", "blocks", node, f"{number:03}.pb").read_bytes()
    return common_pb2.Block.FromString(data)


def stage_a(number: int) -> list[BlockTransaction]:
    """A golden block's transactions with the codes that the real peer's stage A gave them."""
    block = golden_block(number)
    transactions = []
    for index, envelope in enumerate(block.data.data):
        transaction = BlockTransaction(index=index, envelope=envelope)
        headers = open_headers(transaction)
        if transaction.header_type == common_pb2.CONFIG:
            open_config(transaction, headers)
        else:
            extension = open_endorser_transaction(transaction, headers)
            open_chaincode_action(transaction, headers, extension)
        code = blocks.transactions_filter(block)[index]
        transaction.code = transaction_pb2.VALID if code in _STAGE_B else code
        transactions.append(transaction)
    return transactions


def replay_golden(ledger: Ledger, until: int = GOLDEN_HEIGHT) -> None:
    """Commit golden blocks, as ordered, up to a height; the ledger has block 0 already."""
    for number in range(ledger.height, until):
        ledger.commit(golden_block(number, "orderer"), stage_a(number))


def memory_ledger() -> Ledger:
    """A ledger with one made-up first block, so that versions start at block 1."""
    ledger = Ledger("test", MemoryStore())
    commit(ledger, [])
    return ledger


def endorsed(rwset: bytes, tx_id: str = "") -> BlockTransaction:
    """A transaction past stage A with these results; its place is set by next_block."""
    tx_id = tx_id or sha256(rwset).hexdigest()
    return BlockTransaction(
        index=0,
        envelope=b"envelope of " + tx_id.encode(),
        code=transaction_pb2.VALID,
        tx_id=tx_id,
        indexed_id=tx_id,
        header_type=common_pb2.ENDORSER_TRANSACTION,
        channel_id="test",
        timestamp=Timestamp(seconds=1_700_000_000, nanos=5),
        proposal_response_payload=b"signed",
        results=rwset,
        rwset=TxRwSet.parse(rwset),
    )


def simulate(
    ledger: Ledger, work: Callable[[TxSimulator], object], tx_id: str = "tx"
) -> SimulationResults:
    """What a simulation of this work leaves."""
    simulator = ledger.simulator(tx_id)
    try:
        work(simulator)
        return simulator.results()
    finally:
        simulator.done()


def next_block(ledger: Ledger, transactions: Sequence[BlockTransaction]) -> common_pb2.Block:
    """The block that would come next with these transactions, which learn their index."""
    for index, transaction in enumerate(transactions):
        transaction.index = index
    previous = blocks.header_hash(ledger.block(LAST_BLOCK).header) if ledger.height else b""
    envelopes = [transaction.envelope for transaction in transactions]
    return blocks.new_block(ledger.height, previous, envelopes)


def commit(ledger: Ledger, transactions: Sequence[BlockTransaction]) -> CommittedBlock:
    """Commit the next block, with what private data were kept since endorsement."""
    block = next_block(ledger, transactions)
    return ledger.commit(block, transactions, PrivateBlockData(ledger.kept(transactions)))


def keep(ledger: Ledger, tx_id: str, private: TxPvtReadWriteSet | None, height: int = 0) -> None:
    """Put private writes into the transient store, as an endorsement does."""
    assert private is not None
    sets = TxPvtReadWriteSetWithConfigInfo(pvt_rwset=private)
    ledger.transient.put(tx_id, sets, height or ledger.height)


def write(
    ledger: Ledger, *writes: tuple[str, bytes], namespace: str = "cc", tx_id: str = ""
) -> CommittedBlock:
    """Commit a block of one transaction that writes these keys blindly."""

    def work(simulator: TxSimulator) -> None:
        for key, value in writes:
            simulator.set_state(namespace, key, value)

    return commit(ledger, [endorsed(simulate(ledger, work).public, tx_id)])

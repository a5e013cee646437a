"""Stage B for an auditor: final codes, the state after the block, and its commit hash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridloom.protos.common import common_pb2
from gridloom.protos.peer import transaction_pb2

from ..ledger.commit_hash import commit_hash
from ..ledger.update_batch import UpdateBatch
from ..validation.block_transaction import BlockTransaction
from .judgement import Judgement, Knowledge
from .recorded import Recorded
from .replay import ReplayedState
from .verdicts import Notes, TransactionVerdict, code_name

_NOT_VALIDATED = transaction_pb2.NOT_VALIDATED
_CONFLICTS = (transaction_pb2.MVCC_READ_CONFLICT, transaction_pb2.PHANTOM_READ_CONFLICT)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a block: codes (None if open), commit hash (None if unknown or none)."""

    transactions: Sequence[BlockTransaction]
    codes: Sequence[int | None]
    commit_hash: bytes | None
    complete: bool = True


class Settling:
    """Takes judged blocks into the state and keeps the chain of commit hashes."""

    def __init__(self, state: ReplayedState) -> None:
        self._state = state
        self._last_hash: bytes | None = None

    def settle(
        self, number: int, judgement: Judgement, recorded: Recorded, knowledge: Knowledge
    ) -> Settlement:
        """Finish a block.  With full knowledge nothing recorded plays a part in it.

        Otherwise recorded codes stand in for open ones, so that the state goes on; the
        settlement is not complete if some of those are missing too.
        """
        transactions = judgement.transactions
        if knowledge is Knowledge.FULL:
            final, batch = self._state.judge(number, transactions)
            codes = [None if code == _NOT_VALIDATED else code for code in final]
            complete = not judgement.halts
        else:
            codes = [None if t.code == _NOT_VALIDATED else t.code for t in transactions]
            for transaction, code in zip(transactions, recorded.codes, strict=True):
                if transaction.code == _NOT_VALIDATED and code is not None:
                    transaction.code = code
            final = [transaction.code for transaction in transactions]
            batch, complete = self._state.believe(number, transactions)
            complete = complete and _NOT_VALIDATED not in final
        computed = self._commit_hash(number, final, batch) if complete else None
        self._state.apply(number, transactions, batch)
        self._last_hash = computed if computed is not None else recorded.commit_hash
        return Settlement(transactions, codes, computed, complete)

    def begin(self, commit_hash: bytes) -> None:
        """Go on from the commit hash of a block before."""
        self._last_hash = commit_hash

    def lose(self) -> None:
        """A block is missing: its commit hash, too."""
        self._last_hash = None

    def _commit_hash(self, number: int, codes: Sequence[int], batch: UpdateBatch) -> bytes | None:
        if number == 0:
            return None
        previous = b"" if number == 1 else self._last_hash
        return None if previous is None else commit_hash(bytes(codes), batch, previous)


def unsettled(block: common_pb2.Block) -> Settlement:
    """A block that takes no part in the chain."""
    transactions = [BlockTransaction(*item) for item in enumerate(block.data.data)]
    return Settlement(transactions, [None] * len(transactions), None, complete=False)


def compare(
    settlement: Settlement, halts: Mapping[int, str], recorded: Recorded, notes: Notes
) -> tuple[TransactionVerdict, ...]:
    """Hold codes and commit hash against the record; returns the transactions' verdicts."""
    verdicts = []
    for transaction, code, was in zip(
        settlement.transactions, settlement.codes, recorded.codes, strict=True
    ):
        halted = halts.get(transaction.index)
        reason = _reason(transaction, code, halted)
        unlike = None not in {code, was} and code != was
        impossible = code is None and reason and was == transaction_pb2.VALID
        if unlike or impossible or halted is not None:
            notes.differ(
                "code",
                reason,
                transaction=transaction.index,
                computed=code_name(code),
                recorded=code_name(was),
            )
        verdicts.append(TransactionVerdict(transaction.tx_id, code, was, reason))
    computed, was_hash = settlement.commit_hash, recorded.commit_hash
    if computed is not None and was_hash is not None and computed != was_hash:
        notes.differ("commit hash", "", computed=computed.hex(), recorded=was_hash.hex())
    return tuple(verdicts)


def _reason(transaction: BlockTransaction, code: int | None, halted: str | None) -> str:
    if halted is not None:
        return f"a peer would stop the channel here: {halted}"
    if code in _CONFLICTS:
        return "what it read has changed since"
    if code is None and transaction.reason:
        return f"it cannot be valid: {transaction.reason}"
    return transaction.reason

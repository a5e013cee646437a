"""What an audit says: of each transaction, of each block, and where it differs from the record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from gridloom.protos.peer import transaction_pb2

JsonValue: TypeAlias = bool | int | str | None


def code_name(code: int | None) -> str | None:
    """The name of a TxValidationCode, or the number of one that Fabric does not have."""
    if code is None:
        return None
    known = transaction_pb2.TxValidationCode.DESCRIPTOR.values_by_number.get(code)
    return known.name if known is not None else str(code)


@dataclass(frozen=True, slots=True)
class TransactionVerdict:
    """One transaction: its id ("" for none), the code computed and the one in the file.

    code: None where it cannot be known; reason says why, or why the code is not VALID.
    """

    tx_id: str
    code: int | None
    recorded_code: int | None
    reason: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """The form in which ``gridloom ledger verify --json`` writes it."""
        return {
            "tx_id": self.tx_id,
            "code": code_name(self.code),
            "recorded_code": code_name(self.recorded_code),
        }


@dataclass(frozen=True, slots=True)
class BlockVerdict:
    """One block; None stands for what cannot be known, and for what the file does not have.

    source: the file it was read from.  data_hash_ok: the data are well formed and have the hash
    in the header (a peer accepts no hash of anything else).  chain_ok: the previous hash is
    the hash of the block before.  orderer_signatures_ok: they satisfy the BlockValidation
    policy in force (the genesis block, which is taken on trust, has none and is ok).
    """

    number: int | None
    source: str
    header_hash: bytes | None = None
    data_hash_ok: bool = False
    chain_ok: bool | None = None
    orderer_signatures_ok: bool | None = None
    commit_hash: bytes | None = None
    recorded_commit_hash: bytes | None = None
    transactions: tuple[TransactionVerdict, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The form in which ``gridloom ledger verify --json`` writes it."""
        return {
            "number": self.number,
            "header_hash": _hex(self.header_hash),
            "data_hash_ok": self.data_hash_ok,
            "chain_ok": self.chain_ok,
            "orderer_signatures_ok": self.orderer_signatures_ok,
            "commit_hash": _hex(self.commit_hash),
            "recorded_commit_hash": _hex(self.recorded_commit_hash),
            "txs": [transaction.to_json() for transaction in self.transactions],
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it should be.

    block: its number, None if unreadable; transaction: its index, None for the block itself.
    what: ``block``, ``chain``, ``data``, ``signatures``, ``code`` or ``commit hash``.
    computed, recorded: the two values where there are two; reason: in words.
    """

    block: int | None
    what: str
    reason: str
    transaction: int | None = None
    computed: str | None = None
    recorded: str | None = None

    def __str__(self) -> str:
        place = f"block {'?' if self.block is None else self.block}"
        if self.transaction is not None:
            place += f", transaction {self.transaction}"
        values = ""
        if self.recorded is not None or self.computed is not None:
            values = f"recorded {self.recorded or 'nothing'}, computed {self.computed or 'nothing'}"
        return f"{place}: {self.what}: {'; '.join(filter(None, (values, self.reason)))}"

    def to_json(self) -> dict[str, JsonValue]:
        """The form in which ``gridloom ledger verify --json`` writes it."""
        return {
            "block": self.block,
            "transaction": self.transaction,
            "what": self.what,
            "computed": self.computed,
            "recorded": self.recorded,
            "reason": self.reason,
        }


@dataclass(slots=True)
class Notes:
    """What is said of one block while it is examined; remarks: what cannot be checked, and why."""

    block: int | None
    differences: list[Difference] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def differ(
        self,
        what: str,
        reason: str,
        *,
        transaction: int | None = None,
        computed: str | None = None,
        recorded: str | None = None,
    ) -> None:
        """Note that something is wrong with the block, or one transaction (its index) of it."""
        self.differences.append(
            Difference(self.block, what, reason, transaction, computed, recorded)
        )

    def remark(self, text: str) -> None:
        """Note something that is nobody's fault."""
        self.remarks.append(f"from block {self.block} on, {text}")


@dataclass(slots=True)
class AuditReport:
    """A whole audit, in block order."""

    channel_id: str = ""
    blocks: list[BlockVerdict] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, verdict: BlockVerdict, notes: Notes) -> None:
        """Take in what came of the next block."""
        self.blocks.append(verdict)
        self.differences.extend(notes.differences)
        self.remarks.extend(notes.remarks)

    def transactions(self) -> Iterator[TransactionVerdict]:
        """All transactions, in order."""
        for block in self.blocks:
            yield from block.transactions

    def to_json(self) -> dict[str, object]:
        """The form in which ``gridloom ledger verify --json`` writes it."""
        return {
            "blocks": [block.to_json() for block in self.blocks],
            "differences": [difference.to_json() for difference in self.differences],
        }


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()

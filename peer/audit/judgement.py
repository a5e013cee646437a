"""Stage A for an auditor: a code for each transaction, or the reason why there is none.

What a peer needs for its verdict may be missing here: the blocks before the first file, the
configuration, or the rules of a Fabric older than 2.0.  Then only what the transaction's own
bytes and the known part decide is said, and everything else is left open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NoReturn

from gridloom.common import blocks
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.peer import transaction_pb2

from ..chaincodes.lifecycle.definitions import ChaincodeDefinitions, StateQuery
from ..ledger.provider import genesis_transaction
from ..validation.block_transaction import BlockTransaction
from ..validation.block_validator import BlockValidator, IdentityJudge, ValidationHalted
from ..validation.message_validation import (
    InvalidTransaction,
    open_content,
    open_headers,
    open_readable,
)
from .replay import ReplayedState

_DECIDED_BY_FORM = frozenset(
    {
        transaction_pb2.BAD_PAYLOAD,
        transaction_pb2.BAD_COMMON_HEADER,
        transaction_pb2.BAD_CREATOR_SIGNATURE,
        transaction_pb2.UNSUPPORTED_TX_PAYLOAD,
        transaction_pb2.BAD_PROPOSAL_TXID,
        transaction_pb2.INVALID_ENDORSER_TRANSACTION,
        transaction_pb2.INVALID_CONFIG_TRANSACTION,
        transaction_pb2.DUPLICATE_TXID,
    }
)
"""Codes given before endorsement is looked at, alike in every version of Fabric."""


class Knowledge(Enum):
    """What an auditor knows when it comes to a block."""

    FULL = auto()
    NO_STATE = auto()
    NO_CONFIGURATION = auto()
    OLD_APPLICATION = auto()

    @property
    def limits(self) -> str:
        """What is not judged because of it, in words."""
        return _LIMITS[self]


_LIMITS = {
    Knowledge.FULL: "everything is judged",
    Knowledge.NO_STATE: (
        "only the configuration is known, not the state, because earlier blocks are missing:"
        " form, identities and signatures are judged, endorsement policies and reads are not;"
        " commit hashes are those that the recorded codes lead to"
    ),
    Knowledge.NO_CONFIGURATION: (
        "neither configuration nor state are known, because earlier blocks are missing or"
        " cannot be used: the form of transactions is judged, signatures are not; commit hashes"
        " are those that the recorded codes lead to"
    ),
    Knowledge.OLD_APPLICATION: (
        "the Application capabilities are below V2_0, whose endorsement rules are not"
        " supported: form, identities and signatures are judged; for the state the recorded"
        " codes are taken over"
    ),
}


class Undecided(GridloomError):
    """A verdict depends on what is not known here."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Stage A of one block.

    transactions: their codes set, NOT_VALIDATED where there is none.  halts: by index, why a
    peer would stop the channel there.  bundle: the configuration after the block.
    """

    transactions: Sequence[BlockTransaction]
    bundle: ChannelBundle | None
    halts: Mapping[int, str] = field(default_factory=dict)


class StageA:
    """Stage A of one channel over a replayed state."""

    def __init__(self, state: ReplayedState) -> None:
        self._state = state
        self._bundle: ChannelBundle | None = None
        self._full = BlockValidator(self._identities, ChaincodeDefinitions())
        self._partial = BlockValidator(self._identities, _UnknownDefinitions())

    def judge(
        self, block: common_pb2.Block, bundle: ChannelBundle, knowledge: Knowledge
    ) -> Judgement:
        """Give a code wherever ``knowledge`` allows one."""
        self._bundle = bundle
        halted: list[ValidationHalted] = []
        validator = self._full if knowledge is Knowledge.FULL else self._partial
        snapshot = self._state.snapshot()
        try:
            validated = validator.validate(
                block, bundle, snapshot, self._state.known_transactions, halted.append
            )
        finally:
            snapshot.close()
        halts = {
            halt.index: halt.reason for halt in halted if not isinstance(halt.__cause__, Undecided)
        }
        if knowledge is not Knowledge.FULL:
            _leave_open(validated.transactions, knowledge)
        return Judgement(validated.transactions, validated.bundle, halts)

    def _identities(self, channel_id: str) -> IdentityJudge | None:
        if self._bundle is None or channel_id != self._bundle.channel_id:
            return None
        return self._bundle.msp_manager


class _UnknownDefinitions(ChaincodeDefinitions):
    def definition(self, name: str, query: StateQuery) -> NoReturn:
        raise Undecided(f"the definition of chaincode {name} is not known")


def judge_genesis(block: common_pb2.Block) -> Judgement:
    """A genesis block, whose configuration is taken on trust; a GridloomError if it is none."""
    bundle = read_configuration(block)
    return Judgement([genesis_transaction(block)], bundle)


def judge_form(block: common_pb2.Block) -> Judgement:
    """A block of which nobody's signature can be judged: only broken headers decide.

    If it is a configuration block it ends this state of things.
    """
    transactions = [BlockTransaction(*item) for item in enumerate(block.data.data)]
    for transaction in transactions:
        try:
            headers = open_headers(transaction)
        except InvalidTransaction as error:
            transaction.code, transaction.reason = error.code, error.reason
            continue
        try:
            open_content(transaction, headers)
        except GridloomError as error:
            transaction.reason = str(error)
    bundle = None
    if blocks.is_config_block(block):
        try:
            bundle = read_configuration(block)
        except GridloomError as error:
            transactions[0].reason = str(error)
    return Judgement(transactions, bundle)


def read_configuration(block: common_pb2.Block) -> ChannelBundle:
    """The configuration in a block, of whatever capabilities; a GridloomError without one."""
    envelope = blocks.envelope_at(block, 0)
    payload = parse(common_pb2.Payload, envelope.payload, "payload")
    config = parse(configtx_pb2.ConfigEnvelope, payload.data, "ConfigEnvelope").config
    return ChannelBundle(blocks.channel_id(block), config, allow_old_application=True)


def _leave_open(transactions: Sequence[BlockTransaction], knowledge: Knowledge) -> None:
    """Take back codes that what is not known might change; open what the record may call valid."""
    for transaction in transactions:
        if transaction.rwset is None:
            open_readable(transaction)
        code = transaction.code
        if code == transaction_pb2.VALID:
            decided = transaction.header_type == common_pb2.CONFIG
        elif code == transaction_pb2.INVALID_OTHER_REASON:
            decided = not transaction.creator  # not even an envelope
        else:
            decided = code in _DECIDED_BY_FORM
        if not decided:
            transaction.code = transaction_pb2.NOT_VALIDATED
            if knowledge is Knowledge.OLD_APPLICATION:
                transaction.reason = ""

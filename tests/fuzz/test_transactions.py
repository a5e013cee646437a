"""Transactions in a block: any bytes get a code, or stop the channel with our own error.

Signatures are not judged here, for otherwise nothing mutated would come past them.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest

from gridloom.common import blocks
from gridloom.common.policies import language
from gridloom.peer.chaincodes.lifecycle.definitions import ChaincodeDefinitions
from gridloom.peer.filtered_block import filtered_block
from gridloom.peer.ledger.block_history import history_rows
from gridloom.peer.ledger.commit_hash import commit_hash
from gridloom.peer.validation.block_validator import BlockValidator
from gridloom.peer.validation.message_validation import read_committed
from gridloom.peer.validation.mvcc import validate_and_prepare
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import policy_pb2, proposal_pb2
from harness.consortium import CHANNEL, consortium
from harness.fuzz import fuzz
from harness.golden_channel import peer_block
from harness.golden_transactions import golden_transaction
from harness.stage_a import StageA
from harness.transactions import Draft


@dataclass(frozen=True)
class Anybody:
    """A signer whose signatures nobody checks."""

    serialized: bytes = b"\x0a\x07Org1MSP"
    msp_id: str = "Org1MSP"

    def sign(self, message: bytes) -> bytes:
        return b"signature"


class EverybodyIsFine:
    """Stands in for the MSPs of a channel."""

    def deserialize(self, serialized: bytes, /) -> Any:
        return self

    def validate(self, identity: object, /) -> None: ...

    def verify(self, message: bytes, signature: bytes) -> None: ...


NO_ENDORSEMENTS = policy_pb2.ApplicationPolicy(
    signature_policy=language.parse("OutOf(0, 'Org1MSP.member')")
).SerializeToString()


class Validation(StageA):
    """Both stages over a state with the chaincodes of the golden channel."""

    def __init__(self) -> None:
        super().__init__(consortium().bundle())
        everybody = EverybodyIsFine()
        self._validator = BlockValidator(lambda _: everybody, ChaincodeDefinitions())
        for name in ("gold", "basic", "goldcaller"):
            self.define(name, NO_ENDORSEMENTS)
        self.guard("gold", "guarded", b"\x08\x00")

    def process(self, entry: bytes) -> None:
        """Judge a block with this entry, twice in it, then do all that a commit does."""
        validated = self.validate(entry, entry)
        transactions = validated.transactions
        snapshot = self._state.snapshot()
        try:
            codes, batch = validate_and_prepare(7, transactions, snapshot)
        finally:
            snapshot.close()
        assert commit_hash(bytes(codes), batch, b"")
        history_rows(7, transactions, codes)
        block = blocks.new_block(7, b"", [entry, entry])
        blocks.set_metadata(block, common_pb2.TRANSACTIONS_FILTER, bytes(codes))
        assert len(read_committed(block)) == 2


@pytest.fixture
def validation(caplog) -> Validation:
    caplog.set_level(logging.CRITICAL, logger="gridloom.peer")
    return Validation()


def golden_entries() -> list[bytes]:
    numbers = (5, 8, 13, 22, 24, 31, 38, 41)
    return [entry for number in numbers for entry in peer_block(number).data.data]


def golden_actions() -> list[proposal_pb2.ChaincodeAction]:
    return [golden_transaction(number).action for number in (5, 8, 13, 22, 23, 24, 31, 38, 41)]


def draft(**parts: Any) -> bytes:
    return Draft(creator=Anybody(), channel_id=CHANNEL, chaincode="gold", **parts).envelope()


def test_entries_of_a_block(validation):
    fuzz(validation.process, golden_entries())


def test_actions(validation):
    seeds = [action.SerializeToString() for action in golden_actions()]
    fuzz(lambda data: validation.process(draft(response_extension=data)), seeds)


def test_read_write_sets(validation):
    seeds = [action.results for action in golden_actions()]
    fuzz(lambda data: validation.process(draft(results=data)), seeds)


def test_config_transactions(validation):
    config = common_pb2.Payload.FromString(
        common_pb2.Envelope.FromString(peer_block(50).data.data[0]).payload
    ).data

    def process(data: bytes) -> None:
        validation.process(draft(data=data, header_type=common_pb2.CONFIG))

    fuzz(process, [config])


def test_short_forms_of_blocks():
    def shorten(data: bytes) -> None:
        block = blocks.new_block(1, b"", [data])
        blocks.set_metadata(block, common_pb2.TRANSACTIONS_FILTER, b"\x00")
        filtered_block(block)

    fuzz(shorten, golden_entries())

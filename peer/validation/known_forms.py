"""What well-formed transactions say, found out once for all peers of a process.

Opening a transaction is half of what judging it takes.  Nothing is remembered but what stands in
its bytes, and only of one in whose form there is no fault; signatures, policies, duplicates
and reads are judged by each peer for itself.
"""

from __future__ import annotations

from typing import NamedTuple

from gridloom.common.memo import BoundedMemo

from .block_transaction import BlockTransaction
from .message_validation import Headers

REMEMBERED = 1 << 8
"""Transactions, at least; the peers of a process commit a block at about the same time."""
LARGEST = 1 << 13
"""Bytes of a transaction that is remembered, so that all of them take 10 to 15 MB."""

_known: BoundedMemo[bytes, KnownForm] = BoundedMemo(REMEMBERED)


class KnownForm(NamedTuple):
    """An endorser transaction that was opened to the end.

    opened: as the first peer has it; its code and reason are that peer's, all else is the bytes'
    and never changed.
    """

    headers: Headers
    opened: BlockTransaction

    def give_headers(self, transaction: BlockTransaction) -> None:
        """Fill in what ``open_headers`` fills in."""
        opened = self.opened
        transaction.tx_id = opened.tx_id
        transaction.indexed_id = opened.indexed_id
        transaction.header_type = opened.header_type
        transaction.channel_id = opened.channel_id
        transaction.timestamp = opened.timestamp
        transaction.creator = opened.creator

    def give_content(self, transaction: BlockTransaction) -> None:
        """Fill in what lies behind the headers."""
        opened = self.opened
        transaction.proposal_response_payload = opened.proposal_response_payload
        transaction.endorsements = opened.endorsements
        transaction.chaincode_name = opened.chaincode_name
        transaction.chaincode_version = opened.chaincode_version
        transaction.event = opened.event
        transaction.results = opened.results
        transaction.rwset = opened.rwset


def known_form(envelope: bytes) -> KnownForm | None:
    """Return the form of a transaction that was opened lately."""
    return _known.get(envelope)


def remember_form(transaction: BlockTransaction, headers: Headers) -> None:
    """Remember the form of a transaction that has just been opened to the end."""
    if len(transaction.envelope) <= LARGEST:
        _known.put(transaction.envelope, KnownForm(headers, transaction))

"""The form of a transaction: envelope, headers, transaction id, action, read-write set.

Each function opens one layer of a :class:`BlockTransaction` and fills the fields behind it; the
first rule broken ends with :class:`InvalidTransaction` and the code Fabric gives it.
(Fabric: core/common/validation/msgvalidation.go, and the unpacking half of
core/committer/txvalidator/v20/plugindispatcher/dispatcher.go)
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from gridloom.common.blocks import transactions_filter
from gridloom.common.envelopes import proposal_hash, transaction_id
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.peer import (
    chaincode_event_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)

from ..ledger.rwset import TxRwSet
from .block_transaction import BlockTransaction

Code: TypeAlias = transaction_pb2.TxValidationCode.ValueType
M = TypeVar("M", bound=Message)

_HEADER_TYPES = (common_pb2.ENDORSER_TRANSACTION, common_pb2.CONFIG_UPDATE, common_pb2.CONFIG)


class InvalidTransaction(GridloomError):
    """A transaction breaks a rule of the protocol.

    code: the TxValidationCode it gets; reason: what is wrong, for the log.
    """

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(f"{transaction_pb2.TxValidationCode.Name(code)}: {reason}")
        self.code = code
        self.reason = reason


class Headers(NamedTuple):
    """What later checks need of an opened envelope, beside the transaction's own fields."""

    signed: bytes
    signature: bytes
    channel_header: bytes
    extension: bytes
    nonce: bytes
    data: bytes


def open_headers(transaction: BlockTransaction) -> Headers:
    """Open envelope, payload and headers (PROTOCOL 13, rows 1 to 4)."""
    bad = transaction_pb2.BAD_COMMON_HEADER
    envelope = _parse(
        common_pb2.Envelope, transaction.envelope, transaction_pb2.INVALID_OTHER_REASON
    )
    payload = _parse(common_pb2.Payload, envelope.payload, transaction_pb2.BAD_PAYLOAD)
    if not payload.HasField("header"):
        raise InvalidTransaction(bad, "the payload has no header")
    channel = _parse(common_pb2.ChannelHeader, payload.header.channel_header, bad)
    transaction.tx_id = transaction.indexed_id = channel.tx_id
    transaction.header_type = channel.type
    transaction.channel_id = channel.channel_id
    if channel.HasField("timestamp"):
        transaction.timestamp = channel.timestamp
    signer = _parse(common_pb2.SignatureHeader, payload.header.signature_header, bad)
    transaction.creator = signer.creator
    if not transaction.tx_id:
        transaction.indexed_id = transaction_id(signer.nonce, signer.creator)
    if channel.type not in _HEADER_TYPES:
        raise InvalidTransaction(bad, f"header type {channel.type}")
    if channel.epoch != 0:
        raise InvalidTransaction(bad, f"epoch {channel.epoch}")
    if not signer.nonce or not signer.creator:
        raise InvalidTransaction(bad, "nonce or creator is empty")
    return Headers(
        signed=envelope.payload,
        signature=envelope.signature,
        channel_header=payload.header.channel_header,
        extension=channel.extension,
        nonce=signer.nonce,
        data=payload.data,
    )


def open_config(transaction: BlockTransaction, headers: Headers) -> configtx_pb2.ConfigEnvelope:
    """Open a CONFIG transaction.

    Only empty data has a code; a ConfigEnvelope that does not parse raises MalformedMessage,
    which must stop the channel.
    """
    if not headers.data:
        raise InvalidTransaction(transaction_pb2.INVALID_CONFIG_TRANSACTION, "no config data")
    config = parse(configtx_pb2.ConfigEnvelope, headers.data)
    transaction.config_bytes = headers.data
    transaction.config = config
    return config


def open_endorser_transaction(transaction: BlockTransaction, headers: Headers) -> bytes:
    """Check transaction id and proposal hash; find what was endorsed (rows 7 and 8).

    Returns the response payload's extension, a ChaincodeAction that is still to be opened.
    """
    malformed = transaction_pb2.INVALID_ENDORSER_TRANSACTION
    expected = transaction_id(headers.nonce, transaction.creator)
    if transaction.tx_id != expected:
        raise InvalidTransaction(
            transaction_pb2.BAD_PROPOSAL_TXID, f"{transaction.tx_id!r} should be {expected!r}"
        )
    actions = _parse(transaction_pb2.Transaction, headers.data, malformed).actions
    action = _only_action(actions)
    payload = _parse(transaction_pb2.ChaincodeActionPayload, action.payload, malformed)
    if not payload.HasField("action") or not payload.chaincode_proposal_payload:
        raise InvalidTransaction(malformed, "the action lacks proposal or response")
    endorsed = payload.action.proposal_response_payload
    response = _parse(proposal_response_pb2.ProposalResponsePayload, endorsed, malformed)
    expected_hash = proposal_hash(
        headers.channel_header, action.header, payload.chaincode_proposal_payload
    )
    if response.proposal_hash != expected_hash:
        raise InvalidTransaction(malformed, "the proposal hash does not match")
    transaction.proposal_response_payload = endorsed
    transaction.endorsements = tuple(payload.action.endorsements)
    return response.extension


def _only_action(
    actions: Sequence[transaction_pb2.TransactionAction],
) -> transaction_pb2.TransactionAction:
    malformed = transaction_pb2.INVALID_ENDORSER_TRANSACTION
    if len(actions) != 1:
        raise InvalidTransaction(malformed, f"{len(actions)} actions instead of one")
    header = _parse(common_pb2.SignatureHeader, actions[0].header, malformed)
    if not header.nonce or not header.creator:
        raise InvalidTransaction(malformed, "the action's header lacks nonce or creator")
    return actions[0]


def open_chaincode_action(
    transaction: BlockTransaction, headers: Headers, response_extension: bytes
) -> TxRwSet:
    """Open the endorsed result: chaincode, event, read-write set (rows 10 to 16)."""
    extension = _parse(
        proposal_pb2.ChaincodeHeaderExtension,
        headers.extension,
        transaction_pb2.BAD_HEADER_EXTENSION,
    )
    bad_response = transaction_pb2.BAD_RESPONSE_PAYLOAD
    if not response_extension:
        raise InvalidTransaction(bad_response, "the response payload has no extension")
    action = _parse(proposal_pb2.ChaincodeAction, response_extension, bad_response)
    try:
        rwset = TxRwSet.parse(action.results)
    except MalformedMessage as error:
        raise InvalidTransaction(transaction_pb2.BAD_RWSET, str(error)) from error
    _check_chaincode_id(extension, action)
    event = _event(action)
    names = [namespace.namespace for namespace in rwset.namespaces]
    if len(set(names)) != len(names):
        raise InvalidTransaction(transaction_pb2.ILLEGAL_WRITESET, "a namespace occurs twice")
    transaction.chaincode_name = action.chaincode_id.name
    transaction.chaincode_version = action.chaincode_id.version
    transaction.event = event
    transaction.results = action.results
    transaction.rwset = rwset
    return rwset


def _check_chaincode_id(
    extension: proposal_pb2.ChaincodeHeaderExtension, action: proposal_pb2.ChaincodeAction
) -> None:
    other, invalid = transaction_pb2.INVALID_OTHER_REASON, transaction_pb2.INVALID_CHAINCODE
    if not extension.HasField("chaincode_id"):
        raise InvalidTransaction(other, "no chaincode id in the header extension")
    if not action.HasField("chaincode_id"):
        raise InvalidTransaction(other, "no chaincode id in the chaincode action")
    name = extension.chaincode_id.name
    if not name or name != action.chaincode_id.name:
        reason = f"chaincode {name!r} in the header, {action.chaincode_id.name!r} in the action"
        raise InvalidTransaction(invalid, reason)
    if not action.chaincode_id.version:
        raise InvalidTransaction(invalid, "the chaincode version is empty")


def _event(action: proposal_pb2.ChaincodeAction) -> chaincode_event_pb2.ChaincodeEvent | None:
    other = transaction_pb2.INVALID_OTHER_REASON
    if not action.events:
        return None
    event = _parse(chaincode_event_pb2.ChaincodeEvent, action.events, other)
    if event.chaincode_id != action.chaincode_id.name:
        reason = f"event of {event.chaincode_id!r} from {action.chaincode_id.name!r}"
        raise InvalidTransaction(other, reason)
    return event


def _parse(message_type: type[M], data: bytes, code: Code) -> M:
    try:
        return parse(message_type, data)
    except MalformedMessage as error:
        raise InvalidTransaction(code, str(error)) from error


def read_committed(block: common_pb2.Block) -> tuple[BlockTransaction, ...]:
    """The transactions of a block from the ledger, with the codes it was committed with.

    Nothing is checked again; of a malformed one only what stands before its fault is known.
    """
    codes = transactions_filter(block)
    return tuple(
        open_readable(BlockTransaction(index, entry, code))
        for index, (entry, code) in enumerate(zip(block.data.data, codes, strict=True))
    )


def open_readable(transaction: BlockTransaction) -> BlockTransaction:
    """Open a transaction as far as its form allows; returns the same one."""
    with suppress(GridloomError):
        open_content(transaction, open_headers(transaction))
    return transaction


def open_content(transaction: BlockTransaction, headers: Headers) -> None:
    """Open all that lies behind the headers; InvalidTransaction, or MalformedMessage of a config.

    The transaction id is held against the headers, but not against any ledger.
    """
    if transaction.header_type == common_pb2.CONFIG:
        open_config(transaction, headers)
    elif transaction.header_type == common_pb2.ENDORSER_TRANSACTION:
        action = open_endorser_transaction(transaction, headers)
        open_chaincode_action(transaction, headers, action)

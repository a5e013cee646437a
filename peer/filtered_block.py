"""The short form of a block for clients that wait for their transactions.

Ids, types, validation codes and the names of chaincode events: no payload leaves the peer.
(Fabric: core/peer/deliverevents.go ``toFilteredBlock``)
"""

from __future__ import annotations

from gridloom.common import blocks
from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import (
    chaincode_event_pb2,
    events_pb2,
    proposal_pb2,
    proposal_response_pb2,
    transaction_pb2,
)


def filtered_block(block: common_pb2.Block) -> events_pb2.FilteredBlock:
    """One entry for each transaction whose headers can be read, valid or not, in order.

    MalformedMessage if a transaction's payload, channel header or actions do not parse: there
    is no short form of such a block.
    """
    filtered = events_pb2.FilteredBlock(number=block.header.number)
    codes = blocks.transactions_filter(block)
    for index, entry in enumerate(block.data.data):
        try:
            envelope = parse(common_pb2.Envelope, entry)
        except MalformedMessage:
            continue
        payload = parse(common_pb2.Payload, envelope.payload, "could not extract payload")
        if not payload.HasField("header"):
            continue
        header = parse(common_pb2.ChannelHeader, payload.header.channel_header)
        filtered.channel_id = header.channel_id
        transaction = filtered.filtered_transactions.add(
            txid=header.tx_id,
            type=common_pb2.HeaderType.ValueType(header.type),  # an open enum: any number may be
            tx_validation_code=_code(codes, index),
        )
        if header.type == common_pb2.ENDORSER_TRANSACTION:
            transaction.transaction_actions.CopyFrom(_actions(payload.data))
    return filtered


def _code(codes: bytes, index: int) -> transaction_pb2.TxValidationCode.ValueType:
    code = codes[index] if index < len(codes) else transaction_pb2.NOT_VALIDATED
    return transaction_pb2.TxValidationCode.ValueType(code)


def _actions(data: bytes) -> events_pb2.FilteredTransactionActions:
    actions = events_pb2.FilteredTransactionActions()
    for action in parse(transaction_pb2.Transaction, data).actions:
        payload = parse(transaction_pb2.ChaincodeActionPayload, action.payload)
        if not payload.HasField("action"):
            continue
        response = parse(
            proposal_response_pb2.ProposalResponsePayload, payload.action.proposal_response_payload
        )
        result = parse(proposal_pb2.ChaincodeAction, response.extension)
        event = parse(chaincode_event_pb2.ChaincodeEvent, result.events)
        if event.chaincode_id:
            named = actions.chaincode_actions.add().chaincode_event
            named.chaincode_id = event.chaincode_id
            named.tx_id = event.tx_id
            named.event_name = event.event_name
    return actions

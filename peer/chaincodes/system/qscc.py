"""The system chaincode qscc: blocks and transactions of a channel, by number, hash and id.

(Fabric: core/scc/qscc/query.go)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from google.protobuf.message import Message

from gridloom.common.errors import GridloomError
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import Response

from ..invocation import Invocation
from ..resources import ChannelLedger, PeerResources
from ..system_chaincode import called_by_another, failure, success

_MAX_UINT64 = 2**64 - 1


class QueryChaincode:
    """``qscc`` of one peer; arguments are [function, channel, what to look for]."""

    name = "qscc"

    def __init__(self, peer: PeerResources) -> None:
        self._peer = peer

    def invoke(self, invocation: Invocation) -> Response:
        """Answer one query with the serialized message."""
        args = list(invocation.input.args)
        if len(args) < 2:
            return failure(f"Incorrect number of arguments, {len(args)}")
        function, channel_id = (arg.decode("utf-8", "replace") for arg in args[:2])
        refusal = called_by_another(self.name, invocation.signed_proposal)
        if refusal is not None:
            return refusal
        if function != "GetChainInfo" and len(args) < 3:
            return failure(f"missing 3rd argument for {function}")
        return self._query(function, channel_id, args, invocation.signed_proposal)

    def _query(
        self, function: str, channel_id: str, args: Sequence[bytes], proposal: SignedProposal
    ) -> Response:
        channel = self._peer.channel(channel_id)
        if channel is None:
            return failure(f"Invalid chain ID, {channel_id}")
        try:
            self._peer.acl.check_proposal(f"{self.name}/{function}", channel_id, proposal)
        except GridloomError as error:
            return failure(f"access denied for [{function}][{channel_id}]: [{error}]")
        query = _QUERIES.get(function)
        if query is None:
            return failure(f"Requested function {function} not found.")
        return query(channel.ledger, args[2] if len(args) > 2 else b"")


def _transaction(ledger: ChannelLedger, key: bytes) -> Response:
    tx_id = key.decode("utf-8", "replace")
    return _found(lambda: ledger.transaction(tx_id), f"transaction with id {tx_id}")


def _block_by_number(ledger: ChannelLedger, key: bytes) -> Response:
    text = key.decode("utf-8", "replace")
    reason = "" if text.isascii() and text.isdecimal() else "invalid syntax"
    if not reason and int(text) > _MAX_UINT64:
        reason = "value out of range"
    if reason:
        return failure(
            f'Failed to parse block number with error strconv.ParseUint: parsing "{text}": {reason}'
        )
    number = int(text)
    wanted = ledger.height - 1 if number == _MAX_UINT64 else number
    return _found(lambda: ledger.block(wanted), f"block number {number}")


def _block_by_hash(ledger: ChannelLedger, key: bytes) -> Response:
    shown = key.decode("utf-8", "replace")
    return _found(lambda: ledger.block_by_hash(key), f"block hash {shown}")


def _block_by_tx_id(ledger: ChannelLedger, key: bytes) -> Response:
    tx_id = key.decode("utf-8", "replace")
    try:
        return success(ledger.block_by_tx_id(tx_id).SerializeToString())
    except GridloomError as error:
        return failure(f"Failed to get block for txID {tx_id}, error {error}")


def _chain_info(ledger: ChannelLedger, _: bytes) -> Response:
    return success(ledger.info().SerializeToString())


def _found(get: Callable[[], Message], what: str) -> Response:
    try:
        return success(get().SerializeToString())
    except GridloomError as error:
        return failure(f"Failed to get {what}, error {error}")


_QUERIES: Mapping[str, Callable[[ChannelLedger, bytes], Response]] = {
    "GetChainInfo": _chain_info,
    "GetBlockByNumber": _block_by_number,
    "GetBlockByHash": _block_by_hash,
    "GetTransactionByID": _transaction,
    "GetBlockByTxID": _block_by_tx_id,
}

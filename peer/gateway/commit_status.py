"""CommitStatus: wait for a transaction and tell its fate (Fabric: gateway/commitstatus.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    CommitStatusResponse,
    SignedCommitStatusRequest,
)
from gridloom.protos.peer.transaction_pb2 import TxValidationCode

from ..acl import GATEWAY_COMMIT_STATUS, AccessControl, AccessDenied


class CommitNotifier(Protocol):
    """A channel that can be asked what became of a transaction."""

    async def wait_for_transaction(self, tx_id: str) -> tuple[int, int]:
        """Return (code, block number) once it is in the ledger; a GridloomError if never."""
        ...


async def commit_status(
    access: AccessControl,
    channels: Callable[[str], CommitNotifier | None],
    signed: SignedCommitStatusRequest,
) -> CommitStatusResponse:
    """Answer at once when it is committed, otherwise when it is; RpcError if not allowed."""
    request = _open(signed)
    caller = SignedData(signed.request, request.identity, signed.signature)
    try:
        access.check(GATEWAY_COMMIT_STATUS, request.channel_id, caller)
    except AccessDenied as error:
        raise RpcError(Code.PERMISSION_DENIED, str(error)) from error
    channel = channels(request.channel_id)
    if channel is None:
        raise RpcError(Code.ABORTED, f"channel '{request.channel_id}' not found")
    try:
        code, block_number = await channel.wait_for_transaction(request.transaction_id)
    except GridloomError as error:
        raise RpcError(Code.ABORTED, str(error)) from error
    return CommitStatusResponse(result=TxValidationCode.ValueType(code), block_number=block_number)


def _open(signed: SignedCommitStatusRequest) -> CommitStatusRequest:
    if not signed.request:
        raise RpcError(Code.INVALID_ARGUMENT, "a commit status request is required")
    try:
        request = parse(CommitStatusRequest, signed.request)
    except MalformedMessage as error:
        raise RpcError(Code.INVALID_ARGUMENT, f"invalid status request: {error.reason}") from error
    if not request.identity:
        raise RpcError(Code.INVALID_ARGUMENT, "no identity provided")
    if not request.channel_id:
        raise RpcError(Code.INVALID_ARGUMENT, "no channel ID provided")
    if not request.transaction_id:
        raise RpcError(Code.INVALID_ARGUMENT, "transaction ID should not be empty")
    return request

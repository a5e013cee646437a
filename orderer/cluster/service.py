"""Receiving from the other orderers: ``orderer.Cluster/Step``.

Who sends is known by the public key of its TLS certificate, which must be that of another member
of the channel (Fabric: orderer/common/cluster/{service,comm}.go).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Protocol, runtime_checkable

from gridloom.common import certificates
from gridloom.common.errors import MalformedMessage
from gridloom.common.identity_errors import InvalidIdentity
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.protos.orderer.cluster_pb2 import (
    ConsensusRequest,
    StepRequest,
    StepResponse,
    SubmitRequest,
)

from .members import public_key

CLUSTER = "orderer.Cluster"


@runtime_checkable
class ClusterReceiver(Protocol):
    """A channel's chain, as the other members' messages reach it."""

    def member_with_key(self, key: bytes) -> int | None:
        """The id of the other member with this client key, None if there is none."""

    async def consensus(self, request: ConsensusRequest, sender: int) -> None:
        """Take a consensus message; MalformedMessage."""

    async def submit(self, request: SubmitRequest, sender: int) -> None:
        """Take a transaction to be ordered, if this node leads."""


class ClusterService:
    """Answers Step streams; find: the receiver of a channel, None where there is none."""

    def __init__(self, find: Callable[[str], ClusterReceiver | None]) -> None:
        self._find = find

    async def step(
        self, requests: AsyncIterator[StepRequest], call: Call
    ) -> AsyncGenerator[StepResponse, None]:
        """Take messages until the sender ends the stream; the first bad one ends it, too."""
        key = _key_of(call)
        async for request in requests:
            await self._dispatch(request, key)
        return
        yield  # nothing is answered: success is silent, and failure ends the stream

    async def _dispatch(self, request: StepRequest, key: bytes) -> None:
        kind = request.WhichOneof("payload")
        if kind is None:
            reason = "message is neither a Submit nor a Consensus request"
            raise RpcError(Code.INVALID_ARGUMENT, reason)
        message = request.consensus_request if kind == "consensus_request" else None
        channel_id = (message or request.submit_request).channel
        if not channel_id:
            raise RpcError(Code.INVALID_ARGUMENT, "badly formatted message, no channel")
        receiver = self._find(channel_id)
        if receiver is None:
            reason = f"channel {channel_id} is not ordered by this node"
            raise RpcError(Code.NOT_FOUND, reason)
        sender = receiver.member_with_key(key)
        if sender is None:
            reason = (
                f"access denied: the TLS certificate shown is none of a consenter of {channel_id}"
            )
            raise RpcError(Code.PERMISSION_DENIED, reason)
        try:
            if message is not None:
                await receiver.consensus(message, sender)
            else:
                await receiver.submit(request.submit_request, sender)
        except MalformedMessage as error:
            raise RpcError(Code.INVALID_ARGUMENT, str(error)) from error


def _key_of(call: Call) -> bytes:
    if call.certificate is None:
        reason = "access denied: no TLS certificate sent"
        raise RpcError(Code.UNAUTHENTICATED, reason)
    try:
        return public_key(certificates.parse(call.certificate))
    except InvalidIdentity as error:
        raise RpcError(Code.UNAUTHENTICATED, f"access denied: {error}") from error

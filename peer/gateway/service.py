"""The service ``gateway.Gateway`` of a peer (Fabric: internal/pkg/gateway/gateway.go, api.go)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeVar

from gridloom.common.rpc import Call, Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    CommitStatusResponse,
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
    SubmitResponse,
)

from ..acl import AccessControl
from ..discovery.peers import PeerDirectory, PeerInfo
from .chaincode_events import EventSource, chaincode_events
from .commit_status import CommitNotifier, commit_status
from .endorse import endorse
from .evaluate import evaluate
from .registry import ChannelView, Registry
from .submit import OrdererDirectory, submit

T = TypeVar("T")


class GatewayChannel(ChannelView, CommitNotifier, EventSource, Protocol):
    """Everything the gateway asks of a channel; ``peer.channel.PeerChannel`` is one."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Limits (Fabric: core.yaml, peer.gateway and peer.limits.concurrency).

    Timeouts in seconds, each for one endorser or one orderer; concurrency: calls at once,
    those that wait for a commit included.
    """

    endorsement_timeout: float = 30.0
    broadcast_timeout: float = 30.0
    concurrency: int = 500


class Gateway:
    """Acts for clients through the peers and orderers of the network."""

    def __init__(
        self,
        local: PeerInfo,
        directory: PeerDirectory,
        orderers: OrdererDirectory,
        channels: Callable[[str], GatewayChannel | None],
        access: AccessControl,
        *,
        random: Random,
        options: GatewayOptions | None = None,
    ) -> None:
        self._registry = Registry(local, directory, channels, random)
        self._orderers = orderers
        self._channels = channels
        self._access = access
        self._random = random
        self._options = options or GatewayOptions()
        self._calls = 0

    async def evaluate(self, request: EvaluateRequest, call: Call) -> EvaluateResponse:
        """Run a function on one peer."""
        with self._limited():
            return await _within(
                call,
                evaluate(self._registry, request, self._options.endorsement_timeout),
                "evaluate timeout expired",
            )

    async def endorse(self, request: EndorseRequest, call: Call) -> EndorseResponse:
        """Collect the endorsements of a transaction."""
        with self._limited():
            return await _within(
                call,
                endorse(self._registry, request, self._options.endorsement_timeout),
                "endorsement timeout expired while collecting endorsements",
            )

    async def submit(self, request: SubmitRequest, call: Call) -> SubmitResponse:
        """Hand a transaction to the ordering service."""
        with self._limited():
            channel = self._channels(request.channel_id)
            bft = channel is not None and channel.bundle.orderer.consensus_type == "BFT"
            work = submit(
                self._orderers(request.channel_id),
                request,
                bft=bft,
                broadcast_timeout=self._options.broadcast_timeout,
                random=self._random,
            )
            return await _within(
                call, work, "submit timeout expired while broadcasting to ordering service"
            )

    async def commit_status(
        self, request: SignedCommitStatusRequest, call: Call
    ) -> CommitStatusResponse:
        """Wait for a transaction's fate."""
        with self._limited():
            return await commit_status(self._access, self._channels, request)

    async def chaincode_events(
        self, request: SignedChaincodeEventsRequest, call: Call
    ) -> AsyncIterator[ChaincodeEventsResponse]:
        """Stream the events of a chaincode."""
        with self._limited():
            async for response in chaincode_events(self._access, self._channels, request):
                yield response

    @contextmanager
    def _limited(self) -> Iterator[None]:
        limit = self._options.concurrency
        if self._calls >= limit:
            raise RpcError(
                Code.UNKNOWN,
                f"too many requests for /gateway.Gateway, exceeding concurrency limit ({limit})",
            )
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1


async def _within(call: Call, work: Awaitable[T], message: str) -> T:
    """Await ``work`` for as long as the client waits; DEADLINE_EXCEEDED with ``message``."""
    try:
        async with asyncio.timeout(call.deadline):
            return await work
    except TimeoutError as error:
        raise RpcError(Code.DEADLINE_EXCEEDED, message) from error

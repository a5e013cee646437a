"""The service ``gateway.Gateway`` of a peer (Fabric: internal/pkg/gateway/gateway.go, api.go)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeAlias

from gridloom.common.rpc import Call
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
from ..discovery.peers import ChannelView, PeerDirectory, PeerInfo
from .broadcast_streams import BroadcastStreams
from .chaincode_events import EventSource, chaincode_events
from .commit_status import CommitNotifier, commit_status
from .deadline import deadline_of, until
from .endorse import ENDORSING_TOO_LATE, endorse
from .evaluate import OwnPeer, evaluate
from .registry import Registry
from .submit import OrdererDirectory, submit


class GatewayChannel(ChannelView, CommitNotifier, EventSource, Protocol):
    """Everything the gateway asks of a channel; ``peer.channel.PeerChannel`` is one."""


Elsewhere: TypeAlias = Callable[[EndorseRequest], Coroutine[Any, Any, EndorseResponse | None]]
"""Has a transaction endorsed by another gateway; None if it is to be done here after all."""


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Seconds for one endorser and for one orderer (Fabric: core.yaml, peer.gateway)."""

    endorsement_timeout: float = 30.0
    broadcast_timeout: float = 30.0


class Gateway:
    """Acts for clients through the peers and orderers of the network.

    own_peer: a shorter way to evaluate on the own one; elsewhere: who may endorse in its place.
    """

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
        own_peer: OwnPeer | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self._registry = Registry(local, directory, channels, random)
        self._orderers = orderers
        self._streams = BroadcastStreams()
        self._channels = channels
        self._access = access
        self._random = random
        self._options = options or GatewayOptions()
        self._own_peer = own_peer
        self._elsewhere = elsewhere

    async def evaluate(self, request: EvaluateRequest, call: Call) -> EvaluateResponse:
        """Run a function on one peer."""
        work = evaluate(
            self._registry,
            request,
            endorsement_timeout=self._options.endorsement_timeout,
            own_peer=self._own_peer,
        )
        return await until(deadline_of(call), "evaluate timeout expired", work)

    async def endorse(self, request: EndorseRequest, call: Call) -> EndorseResponse:
        """Collect the endorsements of a transaction."""
        deadline = deadline_of(call)
        if self._elsewhere is not None:
            response = await until(deadline, ENDORSING_TOO_LATE, self._elsewhere(request))
            if response is not None:
                return response
        return await endorse(
            self._registry,
            request,
            endorsement_timeout=self._options.endorsement_timeout,
            deadline=deadline,
        )

    async def submit(self, request: SubmitRequest, call: Call) -> SubmitResponse:
        """Hand a transaction to the ordering service."""
        message = "submit timeout expired while broadcasting to ordering service"
        work = submit(
            self._registry,
            self._orderers,
            self._streams,
            request,
            broadcast_timeout=self._options.broadcast_timeout,
            random=self._random,
        )
        return await until(deadline_of(call), message, work)

    async def commit_status(
        self, request: SignedCommitStatusRequest, call: Call
    ) -> CommitStatusResponse:
        """Wait for a transaction's fate."""
        return await commit_status(self._access, self._channels, request)

    async def close(self) -> None:
        """Hang up on the orderers."""
        await self._streams.close()

    def chaincode_events(
        self, request: SignedChaincodeEventsRequest, call: Call
    ) -> AsyncGenerator[ChaincodeEventsResponse, None]:
        """Stream the events of a chaincode."""
        return chaincode_events(self._access, self._channels, request)

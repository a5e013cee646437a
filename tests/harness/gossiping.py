"""Peers that only gossip: who they are, how they reach each other, what was said on the wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, SigningIdentity
from gridloom.common.rpc import Channel, Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.gossip.communication import Communication
from gridloom.peer.gossip.connection import Handler
from gridloom.peer.gossip.handshake import Handshake, RemotePeer
from gridloom.protos.gossip.message_pb2 import GossipMessage

from .consortium import Consortium

M = TypeVar("M", bound=Message)

DESCRIPTION = "organizations: [{name: Org1, peers: 2}, {name: Org2}, {name: Org3}]"
"""Four peers: two of Org1, one each of Org2 and Org3."""


class Judge:
    """Knows the identities of one consortium's channel."""

    def __init__(self, consortium: Consortium) -> None:
        self._msps = consortium.bundle().msp_manager

    def __call__(self, serialized: bytes) -> Identity:
        identity = self._msps.deserialize(serialized)
        self._msps.validate(identity)
        return identity


class Wiretap:
    """A channel to a node that keeps a copy of all that passes, both ways."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.heard: list[bytes] = []

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        self.heard.append(request.SerializeToString())
        response = await self._channel.unary(method, request, response_type, timeout=timeout)
        self.heard.append(response.SerializeToString())
        return response

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        self.heard.append(request.SerializeToString())
        async for response in self._channel.server_stream(
            method, request, response_type, timeout=timeout
        ):
            self.heard.append(response.SerializeToString())
            yield response

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        async def overheard() -> AsyncIterator[Message]:
            async for request in requests:
                self.heard.append(request.SerializeToString())
                yield request

        responses = self._channel.stream(method, overheard(), response_type, timeout=timeout)
        try:
            async for response in responses:
                self.heard.append(response.SerializeToString())
                yield response
        finally:
            await responses.aclose()

    async def close(self) -> None:
        await self._channel.close()


class Unreachable:
    """A channel to a node that is not there."""

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        raise RpcError(Code.UNAVAILABLE, "connection refused")

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        raise RpcError(Code.UNAVAILABLE, "connection refused")
        yield response_type()

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        raise RpcError(Code.UNAVAILABLE, "connection refused")
        yield response_type()

    async def close(self) -> None:
        pass


@dataclass
class Gossiper:
    """One peer's gossip service with its way there."""

    name: str
    signer: SigningIdentity
    communication: Communication
    channel: Channel
    heard: list[tuple[RemotePeer, GossipMessage, bool]] = field(default_factory=list)

    @property
    def info(self) -> PeerInfo:
        return PeerInfo(self.signer.msp_id, self.name, self.signer.serialized, self.channel)


class Listener:
    """Keeps what it hears and answers every message with an acknowledgement."""

    def __init__(self) -> None:
        self.heard: list[tuple[RemotePeer, GossipMessage, bool]] = []
        self.error = ""

    async def __call__(
        self, sender: RemotePeer, message: GossipMessage, vouched: bool
    ) -> GossipMessage | None:
        self.heard.append((sender, message, vouched))
        if message.WhichOneof("content") == "empty":
            return None
        answer = GossipMessage(nonce=message.nonce, tag=GossipMessage.CHAN_ONLY)
        answer.ack.SetInParent()
        answer.ack.error = self.error
        return answer


def gossiper(
    consortium: Consortium,
    name: str,
    handler: Handler,
    *,
    tls_certificate: bytes | None = None,
    timeout: float = 60.0,
) -> Gossiper:
    """The gossip service of a node, reached by direct calls."""
    signer = consortium.material.node(name).signing_identity
    handshake = Handshake(signer, Judge(consortium), tls_certificate)
    communication = Communication(signer, handshake, handler, timeout)
    registry = ServiceRegistry()
    registry.add("gossip.Gossip", communication)
    return Gossiper(name, signer, communication, LocalChannel(registry))


@dataclass
class Neighbours:
    """A directory of these peers, the same for every channel; raises when told to."""

    known: list[PeerInfo] = field(default_factory=list)
    failure: GridloomError | None = None

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        if self.failure is not None:
            raise self.failure
        return self.known

"""The gossip service of a peer, and its streams to other peers (Fabric: gossip/comm).

A stream is opened when it is first needed and kept; messages of ours go only on streams that
we opened, where the other end is the server it has to be.  Answers go back on the stream on
which they were asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.rpc import Call, Channel, Code, RpcError
from gridloom.protos.gossip.message_pb2 import Empty, Envelope

from ..discovery.peers import PeerInfo
from .connection import Connection, Handler
from .handshake import Handshake, HandshakeFailed, RemotePeer
from .messages import pki_id

logger = logging.getLogger(__name__)

STREAM = "/gossip.Gossip/GossipStream"


class Communication:
    """Implements gossip.Gossip and connects to others; used on one event loop.

    handler: answers messages of other peers; timeout: seconds for a handshake (Fabric:
    peer.gossip.connTimeout and dialTimeout together).
    """

    def __init__(
        self, signer: Signer, handshake: Handshake, handler: Handler, timeout: float = 5.0
    ) -> None:
        self._signer = signer
        self._handshake = handshake
        self._handler = handler
        self._timeout = timeout
        self._streams: dict[str, asyncio.Task[Connection]] = {}
        self._reading: set[asyncio.Task[None]] = set()
        self._accepted: set[Connection] = set()
        self._closed = False

    async def ping(self, request: Empty, call: Call) -> Empty:
        """Say that this peer is there."""
        self._require_open()
        return Empty()

    async def gossip_stream(
        self, requests: AsyncIterator[Envelope], call: Call
    ) -> AsyncGenerator[Envelope, None]:
        """Serve one stream; HandshakeFailed if the caller does not prove who it is."""
        self._require_open()
        yield self._handshake.own()
        async with asyncio.timeout(self._timeout):
            first = await anext(requests, None)
        if first is None:
            return
        remote = self._handshake.verify(first, call.certificate)
        if remote is None:
            return
        name = f"{remote.msp_id} {remote.identity.details.common_name}"
        connection = Connection(remote, name, self._signer, self._handler)
        self._accepted.add(connection)
        reading = asyncio.create_task(connection.receive(requests))
        try:
            async for envelope in connection.outgoing():
                yield envelope
        finally:
            self._accepted.discard(connection)
            connection.close()
            reading.cancel()
            await asyncio.wait([reading])

    async def connect(self, peer: PeerInfo) -> Connection:
        """Return the stream to a peer, opening it first if need be.

        RpcError or TimeoutError if the peer cannot be reached, HandshakeFailed if it is
        another one than expected.
        """
        self._require_open()
        opening = self._streams.get(peer.endpoint)
        if opening is None or _is_over(opening):
            opening = asyncio.create_task(self._open(peer), name=f"gossip to {peer.endpoint}")
            self._streams[peer.endpoint] = opening
        return await asyncio.shield(opening)

    async def who_is_at(self, channel: Channel) -> RemotePeer:
        """Return the peer at the other end of a channel, on a stream for this only.

        RpcError or TimeoutError if nobody answers, HandshakeFailed if it is nobody known.
        """
        responses = channel.stream(STREAM, _alone(self._handshake.own()), Envelope)
        async with aclosing(responses), asyncio.timeout(self._timeout):
            return _answered(await anext(responses, None), self._handshake)

    def disconnect(self, endpoint: str) -> None:
        """End our stream to a peer, if there is one; the next ``connect`` opens another."""
        opening = self._streams.pop(endpoint, None)
        if opening is not None:
            _end(opening)

    async def close(self) -> None:
        """End all streams and refuse new ones; may be called again."""
        self._closed = True
        for connection in list(self._accepted):
            connection.close()
        streams = list(self._streams.values())
        self._streams.clear()
        for opening in streams:
            _end(opening)
        tasks = [*streams, *self._reading]
        for task in self._reading:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _open(self, peer: PeerInfo) -> Connection:
        ready: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        responses = peer.channel.stream(STREAM, self._outgoing(ready), Envelope)
        try:
            async with asyncio.timeout(self._timeout):
                remote = _answered(await anext(responses, None), self._handshake)
            _check_expected(peer, remote)
        except BaseException:
            ready.set_result(None)
            await responses.aclose()
            raise
        connection = Connection(remote, peer.endpoint, self._signer, self._handler)
        ready.set_result(connection)
        reading = asyncio.create_task(self._read(connection, responses))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        return connection

    async def _outgoing(self, ready: asyncio.Future[Connection | None]) -> AsyncIterator[Envelope]:
        yield self._handshake.own()
        connection = await ready
        if connection is not None:
            async for envelope in connection.outgoing():
                yield envelope

    @staticmethod
    async def _read(connection: Connection, responses: AsyncGenerator[Envelope, None]) -> None:
        try:
            await connection.receive(responses)
        finally:
            await responses.aclose()

    def _require_open(self) -> None:
        if self._closed:
            raise RpcError(Code.UNAVAILABLE, "the peer is stopping")


def _end(opening: asyncio.Task[Connection]) -> None:
    """End a stream, opened or being opened."""
    opening.cancel()
    if opening.done() and not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _is_over(opening: asyncio.Task[Connection]) -> bool:
    """Whether a stream could not be opened, or has ended."""
    if not opening.done():
        return False
    if opening.cancelled() or opening.exception() is not None:
        return True
    return opening.result().closed


def _answered(first: Envelope | None, handshake: Handshake) -> RemotePeer:
    """Who has answered a handshake of ours."""
    if first is None:
        raise HandshakeFailed("the stream ended")
    remote = handshake.verify(first, None)
    if remote is None:
        raise HandshakeFailed("the peer answered with a probe")
    return remote


def _check_expected(peer: PeerInfo, remote: RemotePeer) -> None:
    """It is the peer that was to be reached; a new certificate of its organisation will do."""
    if remote.pki_id != pki_id(peer.identity) and remote.msp_id != peer.msp_id:
        raise HandshakeFailed(f"{peer.endpoint} is a peer of {remote.msp_id}, not {peer.msp_id}")


async def _alone(envelope: Envelope) -> AsyncIterator[Envelope]:
    yield envelope
    await asyncio.Event().wait()  # the stream stays open until its answer has come


UNREACHABLE = (GridloomError, TimeoutError)
"""What ``connect`` and requests raise when a peer does not answer."""

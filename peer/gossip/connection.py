"""One stream to another peer: messages out, answers to their senders, requests to a handler.

A request and its answer have the same nonce.  (Fabric: gossip/comm/conn.go, ack.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from gridloom.common.errors import GridloomError
from gridloom.common.identities import Signer
from gridloom.common.rpc import RpcError
from gridloom.protos.gossip.message_pb2 import Envelope, GossipMessage

from .handshake import RemotePeer
from .messages import open_envelope, sign

logger = logging.getLogger(__name__)

Handler = Callable[[RemotePeer, GossipMessage, bool], Awaitable[GossipMessage | None]]
"""Answers a message of a peer, or not.  The flag: the peer vouches for this very message,
by its signature or because the TLS session is its own."""

ANSWERS = frozenset({"ack", "privateRes", "mem_res"})
MAX_TASKS = 64
"""Requests of one peer that are worked on at the same time; further ones wait."""


class ConnectionLost(GridloomError):
    """The stream ended before an answer came."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"connection to {endpoint} was lost")
        self.endpoint = endpoint


class Connection:
    """A stream whose handshake has been done; used on one event loop.

    endpoint: where it leads, for messages to people.
    """

    def __init__(self, remote: RemotePeer, endpoint: str, signer: Signer, handler: Handler) -> None:
        self.remote = remote
        self.endpoint = endpoint
        self._signer = signer
        self._handler = handler
        self._outgoing: asyncio.Queue[Envelope | None] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[GossipMessage]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MAX_TASKS)
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the stream has ended."""
        return self._closed

    def send(self, message: GossipMessage) -> None:
        """Send a message that is not answered, or by one of its own; ConnectionLost."""
        if self._closed:
            raise ConnectionLost(self.endpoint)
        self._outgoing.put_nowait(sign(message, self._signer))

    async def request(self, message: GossipMessage, timeout: float) -> GossipMessage:
        """Send a message and return its answer; ConnectionLost, TimeoutError (seconds).

        The message's nonce must be unlike that of any other request under way.
        """
        answer: asyncio.Future[GossipMessage] = asyncio.get_running_loop().create_future()
        self._waiting[message.nonce] = answer
        try:
            self.send(message)
            async with asyncio.timeout(timeout):
                return await answer
        finally:
            self._waiting.pop(message.nonce, None)

    async def outgoing(self) -> AsyncIterator[Envelope]:
        """What goes into the stream, until ``close``."""
        while (envelope := await self._outgoing.get()) is not None:
            yield envelope

    async def receive(self, incoming: AsyncIterator[Envelope]) -> None:
        """Work on what comes out of the stream until it ends; then the connection is closed."""
        try:
            async for envelope in incoming:
                await self._places.acquire()
                self._take(envelope)
        except (GridloomError, RpcError) as error:
            logger.info("stream to %s ended: %s", self.endpoint, error)
        finally:
            self.close()

    def close(self) -> None:
        """End the stream; whoever waits for an answer is told.  May be called again."""
        if self._closed:
            return
        self._closed = True
        self._outgoing.put_nowait(None)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionLost(self.endpoint))
        for task in self._tasks:
            task.cancel()

    def _take(self, envelope: Envelope) -> None:
        message = open_envelope(envelope)
        kind = message.WhichOneof("content")
        if kind in ANSWERS:
            self._places.release()
            answer = self._waiting.get(message.nonce)
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        vouched = self.remote.bound or self.remote.has_signed(envelope)
        task = asyncio.create_task(self._answer(message, vouched))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _answer(self, message: GossipMessage, vouched: bool) -> None:
        answer = await self._handler(self.remote, message, vouched)
        if answer is not None and not self._closed:
            self._outgoing.put_nowait(sign(answer, self._signer))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._places.release()
        if not task.cancelled() and task.exception() is not None:
            logger.error(
                "a message of %s was not handled", self.endpoint, exc_info=task.exception()
            )

"""Following events: a request that can be signed, and the stream it opens.

A request may be iterated at once, which begins to listen with the first event asked for.
Where nothing between now and then may be missed, enter it first:

>>> async with network.chaincode_events("basic") as events:
...     await contract.submit_transaction("CreateAsset", ...)
...     event = await anext(events)

(hyperledger/fabric-gateway: CloseableAsyncIterable of the Node SDK.)
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Generic, Self, TypeVar

from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.gateway.gateway_pb2 import SignedChaincodeEventsRequest

from .session import Session

E = TypeVar("E")


class EventStream(Generic[E]):
    """Events as they come, until closed; GatewayError when the peer refuses or stops.

    Inside its own ``async with``, giving up waiting for one event (``asyncio.timeout`` around
    ``anext``) does not end it; anywhere else it does, as nobody else would.
    """

    def __init__(self, events: AsyncGenerator[E, None]) -> None:
        self._events = events
        self._next: asyncio.Task[E] | None = None
        self._entered = False

    def start(self) -> asyncio.Task[E]:
        """Begin to wait for the next event, if that is not under way."""
        if self._next is None:
            self._next = asyncio.ensure_future(_next(self._events))
        return self._next

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        waiting = self.start()
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if waiting.cancelled() and task is not None and not task.cancelling():
                raise StopAsyncIteration from None  # somebody else has closed the stream
            if not self._entered:
                await self.aclose()
            raise
        finally:
            if waiting.done():
                self._next = None

    async def aclose(self) -> None:
        """Stop listening; the stream then ends."""
        waiting, self._next = self._next, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                waiting.exception()  # nobody wants to know any more
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        self._entered = True
        self.start()
        await asyncio.sleep(0)  # so that the request is on its way before anything else happens
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class EventsRequest(Generic[E]):
    """What the requests for events have in common: signing, opening a stream.

    message: what is sent, once it has a signature over ``signed``.
    """

    def __init__(
        self, session: Session, message: Envelope | SignedChaincodeEventsRequest, signed: bytes
    ) -> None:
        self._session = session
        self._message = message
        self._signed = signed
        self._opened: list[EventStream[E]] = []

    @property
    def serialized(self) -> bytes:
        """Bytes that the gateway turns into the same request (``new_signed_...``)."""
        return self._message.SerializeToString()

    @property
    def digest(self) -> bytes:
        """What has to be signed to sign the request."""
        return self._session.digest(self._signed)

    def set_signature(self, signature: bytes) -> None:
        """Sign with a signature made elsewhere over ``digest``."""
        self._message.signature = signature

    @abstractmethod
    def _events(self) -> AsyncGenerator[E, None]:
        """Send the signed message and yield what comes back."""

    def __aiter__(self) -> EventStream[E]:
        """Sign the request if nobody has, and return its stream; OfflineError."""
        if not self._message.signature:
            self._message.signature = self._session.signer.sign(self._signed)
        return EventStream(self._events())

    async def __aenter__(self) -> EventStream[E]:
        stream = self.__aiter__()
        self._opened.append(stream)
        return await stream.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.pop().aclose()


async def _next(events: AsyncGenerator[E, None]) -> E:
    return await anext(events)

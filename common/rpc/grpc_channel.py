"""A channel to a node over gRPC (Fabric: internal/pkg/comm/client.go)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from ..tls_context import ALPN, client_context
from .channel import UNIX
from .http2.client_side import ClientConnection, ResponseStream, Unprocessed
from .http2.messages import encoded
from .http2.wire import AsyncioWire, Keepalive
from .liveness import PATIENT, Liveness
from .status import Code, RpcError
from .tls import ClientTls

M = TypeVar("M", bound=Message)

_SLOWER = 1.6
"""How much longer each wait between two attempts is (grpc: connection-backoff.md)."""

_FAREWELL = 1.0
"""Seconds until a server must have taken what was last sent to it."""


class GrpcChannel:
    """Connects lazily to ``target``, ``host:port`` or ``unix:path``; see Channel."""

    def __init__(
        self, target: str, tls: ClientTls | None = None, liveness: Liveness = PATIENT
    ) -> None:
        self.target = target
        self._tls = tls
        self._liveness = liveness
        self._context: ssl.SSLContext | None = None
        self._connection: ClientConnection | None = None
        self._connecting: asyncio.Task[ClientConnection] | None = None
        self._wires: set[AsyncioWire[ClientConnection]] = set()
        self._failure: RpcError | None = None
        self._not_before = 0.0
        self._wait = 0.0
        self._closed = False

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        message = encoded(request)
        began = asyncio.get_running_loop().time()
        connection, left = self._connection, timeout
        if connection is None or not connection.usable:
            connection, left = await self._connected(timeout)
        try:
            response = await connection.unary(method, message, left)
        except Unprocessed:
            if timeout is not None:
                timeout -= asyncio.get_running_loop().time() - began
            connection, timeout = await self._connected(timeout)
            response = await connection.unary(method, message, timeout)
        return _decoded(response_type, response)

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        connection, timeout = await self._connected(timeout)
        call = await connection.stream(method, timeout)
        try:
            await connection.send(call, encoded(request), last=True)
            call.local_done = True
            while (response := await call.next()) is not None:
                yield _decoded(response_type, response)
        finally:
            connection.give_up(call)

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        connection, timeout = await self._connected(timeout)
        call = await connection.stream(method, timeout)
        writing = asyncio.create_task(_write(connection, call, requests))
        try:
            while (response := await call.next()) is not None:
                yield _decoded(response_type, response)
        finally:
            connection.give_up(call)
            writing.cancel()
            # What the requests' source raised ended the call and is what the caller must see.
            (failure,) = await asyncio.gather(writing, return_exceptions=True)
            if isinstance(failure, Exception):
                raise failure

    async def wait_for_ready(self) -> None:
        """Return once connected; wrap it in asyncio.timeout to bound the wait."""
        while True:
            try:
                await self._connected(None)
            except RpcError as error:
                if error.code is not Code.UNAVAILABLE:
                    raise
                await asyncio.sleep(self._not_before - asyncio.get_running_loop().time())
            else:
                return

    async def close(self) -> None:
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        wires = list(self._wires)
        for wire in wires:
            wire.connection.close()
        if wires:
            await asyncio.wait([wire.lost for wire in wires], timeout=_FAREWELL)
        for wire in wires:
            wire.abort()

    async def _connected(self, timeout: float | None) -> tuple[ClientConnection, float | None]:
        """Return a connection that takes calls, and what it left of the time."""
        if self._closed:
            raise RpcError(Code.CANCELLED, "the channel is closed")
        if self._connection is not None and self._connection.usable:
            return self._connection, timeout
        loop = asyncio.get_running_loop()
        began = loop.time()
        if self._connecting is None:
            if self._failure is not None and began < self._not_before:
                raise RpcError(self._failure.code, self._failure.message)
            self._connecting = loop.create_task(self._connect())
            self._connecting.add_done_callback(self._attempted)
        try:
            async with asyncio.timeout(timeout):
                connection = await asyncio.shield(self._connecting)
        except TimeoutError:
            why = f"deadline exceeded while connecting to {self.target}"
            raise RpcError(Code.DEADLINE_EXCEEDED, why) from None
        except asyncio.CancelledError:
            if self._closed and not _cancelling():
                raise RpcError(Code.CANCELLED, "the channel is closed") from None
            raise
        return connection, None if timeout is None else timeout - (loop.time() - began)

    def _attempted(self, attempt: asyncio.Task[ClientConnection]) -> None:
        self._connecting = None
        if not attempt.cancelled():
            attempt.exception()  # those who wait for it have it

    async def _connect(self) -> ClientConnection:
        """Connect; RpcError UNAVAILABLE if that fails, and for a while after it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        shortest, longest = (value / 1000 for value in self._liveness.reconnect)
        try:
            async with asyncio.timeout(self._liveness.attempt / 1000):
                connection = await self._dial()
        except (OSError, ValueError, TimeoutError) as error:
            self._wait = min(longest, self._wait * _SLOWER) if self._wait else shortest
            self._not_before = began + self._wait
            why = str(error) or "no answer"
            self._failure = RpcError(Code.UNAVAILABLE, f"failed to connect to {self.target}: {why}")
            raise self._failure from error
        self._failure, self._wait = None, 0.0
        self._connection = connection
        return connection

    async def _dial(self) -> ClientConnection:
        wire = await self._reach()
        try:
            await wire.connection.introduced
        except BaseException as error:
            wire.abort()
            if isinstance(error, RpcError):
                raise OSError(error.message) from error
            raise
        return wire.connection

    async def _reach(self) -> AsyncioWire[ClientConnection]:
        """Return the wire to the target, TLS's handshake done."""
        loop = asyncio.get_running_loop()

        def make() -> AsyncioWire[ClientConnection]:
            return AsyncioWire(self._begin, self._keepalive)

        if self.target.startswith(UNIX):
            _, wire = await loop.create_unix_connection(make, self.target.removeprefix(UNIX))
            return wire
        host, _, port = self.target.rpartition(":")
        host = host.strip("[]")
        if self._tls is not None and self._context is None:
            self._context = client_context(self._tls, alpn=ALPN)
        name = (self._tls.server_name or host) if self._tls is not None else None
        _, wire = await loop.create_connection(
            make, host, int(port), ssl=self._context, server_hostname=name
        )
        return wire

    @property
    def _keepalive(self) -> Keepalive:
        liveness = self._liveness
        return Keepalive(liveness.ping / 1000, liveness.ping_timeout / 1000, always=False)

    def _begin(self, wire: AsyncioWire[ClientConnection]) -> ClientConnection:
        self._wires.add(wire)
        wire.lost.add_done_callback(lambda _: self._wires.discard(wire))
        scheme = "http" if self._tls is None else "https"
        name = self._tls.server_name if self._tls is not None else None
        target = "localhost" if self.target.startswith(UNIX) else self.target
        return ClientConnection(wire, name or target, scheme)


def _cancelling() -> bool:
    """Return whether it is this task that is to end, not what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _write(
    connection: ClientConnection, call: ResponseStream, requests: AsyncIterator[Message]
) -> None:
    """Send the requests until they or the call end.

    A server may end the call while a request is on its way; the reading side learns why.
    """
    try:
        async for request in requests:
            if not await connection.send(call, encoded(request)):
                return
        connection.send_last(call)
    except BaseException:
        connection.give_up(call)
        raise


def _decoded(response_type: type[M], response: bytes) -> M:
    try:
        return response_type.FromString(response)
    except DecodeError as error:
        raise RpcError(Code.INTERNAL, f"grpc: error unmarshalling response: {error}") from error

"""The least that could carry our calls between two processes: frames over one TLS connection.

Not for use: it shows what client and network do when the transport behind ``common/rpc`` costs
next to nothing (``measure_framed.py``).  No flow control, no metadata, one connection.

A frame is length, call number and kind, then what the kind says.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Generic, TypeVar, cast

from google.protobuf.message import Message

from gridloom.common.rpc import Call, Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import as_rpc_error

M = TypeVar("M", bound=Message)
T = TypeVar("T")

_HEAD = struct.Struct(">IIB")
_OPEN, _MESSAGE, _END, _CANCEL = range(4)
_SEPARATOR = b"\n"
_NO_LIMIT = 0.0
_MOST_HELD = 32 * 1024
"""Bytes that are sent at once, so that both ends work at the same time."""


class _Inbox(Generic[T]):
    """What has arrived for a call, in order: a queue for one reader."""

    def __init__(self) -> None:
        self._arrived: deque[T] = deque()
        self._some = asyncio.Event()

    def put(self, message: T) -> None:
        """Add a message."""
        self._arrived.append(message)
        self._some.set()

    async def get(self) -> T:
        """Return the next one, once there is one."""
        while not self._arrived:
            self._some.clear()
            await self._some.wait()
        return self._arrived.popleft()


class _Connection(asyncio.Protocol, ABC):
    """Takes frames apart, and sends a few together."""

    def __init__(self) -> None:
        self._received: list[bytes] = []
        self._missing = 0
        self._to_send: list[bytes] = []
        self._held = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._received:
            self._received.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._received)
            self._received.clear()
        place, end = 0, len(data)
        self._missing = _HEAD.size
        while end - place >= _HEAD.size:
            length, number, kind = _HEAD.unpack_from(data, place)
            start = place + _HEAD.size
            if end - start < length:
                self._missing += length
                break
            place = start + length
            self.frame(number, kind, data[start:place])
        if place < end:
            self._received.append(data[place:])
            self._missing -= end - place

    @abstractmethod
    def frame(self, number: int, kind: int, body: bytes) -> None:
        """Take a frame."""

    def send(self, number: int, kind: int, body: bytes) -> None:
        """Send a frame with some others of this pass."""
        if not self._to_send:
            asyncio.get_running_loop().call_soon(self._flush)
        self._to_send.append(_HEAD.pack(len(body), number, kind))
        self._to_send.append(body)
        self._held += len(body)
        if self._held >= _MOST_HELD:
            self._flush()

    def _flush(self) -> None:
        frames, self._to_send, self._held = self._to_send, [], 0
        if self._transport is not None and frames:
            self._transport.write(b"".join(frames))


class FramedServer(_Connection):
    """The server's end of a connection; registry: what it serves."""

    def __init__(self, registry: ServiceRegistry) -> None:
        super().__init__()
        self._registry = registry
        self._requests: dict[int, _Inbox[Message | None]] = {}
        self._types: dict[int, type[Message]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def frame(self, number: int, kind: int, body: bytes) -> None:
        if kind == _MESSAGE:
            self._requests[number].put(self._types[number].FromString(body))
        elif kind == _END:
            self._requests[number].put(None)
        elif kind == _CANCEL:
            if number in self._tasks:
                self._tasks[number].cancel()
        else:
            self._open(number, body)

    def _open(self, number: int, body: bytes) -> None:
        path, _, rest = body.partition(_SEPARATOR)
        limit, data = struct.unpack_from(">d", rest)[0], rest[8:]
        method = self._registry.find(path.decode())
        call = Call(deadline=limit or None)
        if method.client_streaming:
            self._requests[number], self._types[number] = _Inbox(), method.request_type
            work = self._stream(number, method.handler(self._take(number), call))
        elif method.server_streaming:
            work = self._stream(number, method.handler(method.request_type.FromString(data), call))
        else:
            work = self._unary(number, method.handler, method.request_type.FromString(data), call)
        self._tasks[number] = asyncio.get_running_loop().create_task(work)

    async def _take(self, number: int) -> AsyncIterator[Message]:
        requests = self._requests[number]
        while (request := await requests.get()) is not None:
            yield request

    async def _unary(
        self, number: int, handler: Callable[..., Any], request: Message, call: Call
    ) -> None:
        try:
            answer = await handler(request, call)
        except Exception as error:
            self._fail(number, error)
        else:
            self.send(number, _MESSAGE, answer.SerializeToString())
        finally:
            del self._tasks[number]

    async def _stream(self, number: int, responses: AsyncGenerator[Message, None]) -> None:
        try:
            async with aclosing(responses):
                async for response in responses:
                    self.send(number, _MESSAGE, response.SerializeToString())
            self.send(number, _END, b"")
        except Exception as error:
            self._fail(number, error)
        finally:
            del self._tasks[number]

    def _fail(self, number: int, error: Exception) -> None:
        status = as_rpc_error(error, "call")
        self.send(number, _END, bytes([int(status.code)]) + status.message.encode())


class FramedChannel(_Connection):
    """The client's end; see ``common.rpc.Channel`` for the contract."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._unary: dict[int, asyncio.Future[bytes]] = {}
        self._streams: dict[int, _Inbox[bytes | RpcError | None]] = {}

    @classmethod
    async def connect(cls, port: int, context: ssl.SSLContext, name: str) -> FramedChannel:
        """Connect to a server on this machine whose certificate has the given name."""
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_connection(
            cls, "127.0.0.1", port, ssl=context, server_hostname=name
        )
        return channel

    def frame(self, number: int, kind: int, body: bytes) -> None:
        failure = RpcError(Code(body[0]), body[1:].decode()) if kind == _END and body else None
        waiting = self._unary.pop(number, None)
        if waiting is None:
            if number in self._streams:
                self._streams[number].put(body if kind == _MESSAGE else failure)
        elif not waiting.done():
            if failure is None:
                waiting.set_result(body)
            else:
                waiting.set_exception(failure)

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        number = self._begin(method, request.SerializeToString(), timeout)
        answer = self._unary[number] = asyncio.get_running_loop().create_future()
        return response_type.FromString(await answer)

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        number = self._begin(method, request.SerializeToString(), timeout)
        async with aclosing(self._responses(number, response_type)) as responses:
            async for response in responses:
                yield response

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        number = self._begin(method, b"", timeout)
        writing = asyncio.create_task(self._write(number, requests))
        try:
            async with aclosing(self._responses(number, response_type)) as responses:
                async for response in responses:
                    yield response
        finally:
            writing.cancel()

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _begin(self, method: str, data: bytes, timeout: float | None) -> int:
        self._number += 1
        limit = struct.pack(">d", timeout or _NO_LIMIT)
        self.send(self._number, _OPEN, method.encode() + _SEPARATOR + limit + data)
        return self._number

    async def _write(self, number: int, requests: AsyncIterator[Message]) -> None:
        async for request in requests:
            self.send(number, _MESSAGE, request.SerializeToString())
        self.send(number, _END, b"")

    async def _responses(self, number: int, response_type: type[M]) -> AsyncGenerator[M, None]:
        received = self._streams[number] = _Inbox()
        try:
            while (body := await received.get()) is not None:
                if isinstance(body, RpcError):
                    raise body
                yield response_type.FromString(body)
        finally:
            del self._streams[number]
            self.send(number, _CANCEL, b"")

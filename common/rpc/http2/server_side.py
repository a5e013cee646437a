"""The server's side of a connection: each stream is a call of a registered service.

(Fabric: grpc's internal/transport/http2_server.go and server.go)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

from google.protobuf.message import DecodeError, Message

from ...errors import GridloomError
from ..liveness import MAX_MESSAGE_BYTES
from ..local import as_rpc_error
from ..server import Call, Method, ServiceRegistry
from ..status import Code, RpcError
from . import frames
from .closing import RESPONSE, SUCCESS, failure, refusal
from .connection import Connection
from .frames import ErrorCode, Http2Error, Setting
from .header_blocks import MAX_HEADER_BYTES, Fields, header_frames
from .inbox import Inbox
from .messages import PREFIX, MessageReader, encoded
from .opening import Opening, read_opening
from .sending import Wire
from .stream import Stream

log = logging.getLogger(__name__)

MOST_STREAMS = 10_000
"""Calls under way on one connection."""
_PING_STRIKES = 2
"""Pings too soon that are forgiven (grpc: maxPingStrikes)."""

_RESPONSE_HEAD = len(RESPONSE) << 8 | frames.HEADERS
_SUCCESS_HEAD = len(SUCCESS) << 8 | frames.HEADERS
_LAST = frames.END_HEADERS | frames.END_STREAM


class ServerStream(Stream):
    """A call that a client made."""

    __slots__ = ("_connection", "_headers_sent", "_method", "_request", "_task", "_timeout")

    def __init__(
        self,
        connection: ServerConnection,
        number: int,
        method: Method,
        opening: Opening,
    ) -> None:
        super().__init__(number)
        self._connection = connection
        self._method = method
        self._timeout = opening.timeout
        self._request: bytes | None = None
        self._headers_sent = False
        self._task: asyncio.Task[None] | None = None
        self.reader = MessageReader(opening.encoding, MAX_MESSAGE_BYTES, Code.UNIMPLEMENTED)
        if method.client_streaming:
            self.inbox = Inbox()
            self._start(self._stream(self._requests(self.inbox)))

    def message(self, message: bytes) -> None:
        if self.inbox is not None:
            self.inbox.put(message)
        elif self._request is None:
            self._request = message
        else:
            raise RpcError(Code.INTERNAL, "grpc: more than one request for a unary call")

    def ended(self) -> None:
        if self.inbox is not None:
            self.inbox.end()
        elif self._request is None:
            self.close(RpcError(Code.INTERNAL, "grpc: no request for a unary call"))
        elif self._method.server_streaming:
            self._start(self._stream(self._request))
        else:
            self._start(self._unary(self._request))

    def fail(self, error: RpcError) -> None:
        self.cancel()

    def refuse(self, error: RpcError) -> None:
        self.close(error)

    def expire(self) -> None:
        self.close(RpcError(Code.DEADLINE_EXCEEDED, f"{self._method.path}: deadline exceeded"))

    def cancel(self) -> None:
        """Stop whoever answers; nothing is sent any more."""
        # The task's CancelledError holds its frames, which hold this stream: no cycle, or what
        # was being sent stays in memory until the collector runs, which is rare.
        task, self._task = self._task, None
        if task is not None:
            self._connection.end(task)

    def close(self, error: RpcError | None) -> None:
        """End the call with a status, and whoever still works on it."""
        if not self.local_done:
            self._finish(error)
        self.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = self._connection.loop.create_task(work)

    def _call(self) -> Call:
        connection = self._connection
        return Call(connection.certificate, connection.mutual_tls, self._timeout)

    async def _unary(self, request: bytes) -> None:
        connection = self._connection
        try:
            message = _decode(self._method, request)
            answer = await self._method.handler(message, self._call())
            response = encoded(answer)
        except asyncio.CancelledError:
            self._cancelled()
            raise
        except Exception as error:
            self._fail(error)
            return
        if self.local_done:
            return
        if connection.fits(self, len(response) + PREFIX.size):
            head = frames.HEAD.pack(_RESPONSE_HEAD, frames.END_HEADERS, self.number)
            tail = frames.HEAD.pack(_SUCCESS_HEAD, _LAST, self.number)
            data = connection.data(self, response)
            connection.finish(self, head + RESPONSE, *data, tail + SUCCESS)
            return
        self._send_headers()
        if await connection.send(self, response):
            self._finish(None)

    async def _stream(self, requests: AsyncIterator[Message] | bytes) -> None:
        connection = self._connection
        try:
            first = _decode(self._method, requests) if isinstance(requests, bytes) else requests
            async with aclosing(self._method.handler(first, self._call())) as responses:
                async for response in responses:
                    self._send_headers()
                    if not await connection.send(self, encoded(response)):
                        return
        except asyncio.CancelledError:
            self._cancelled()
            raise
        except Exception as error:
            self._fail(error)
        else:
            self._finish(None)

    async def _requests(self, inbox: Inbox) -> AsyncIterator[Message]:
        while (request := await inbox.get()) is not None:
            self._connection.grant(self)
            yield _decode(self._method, request)

    def _send_headers(self) -> None:
        if not self._headers_sent and not self.local_done:
            self._headers_sent = True
            head = frames.HEAD.pack(_RESPONSE_HEAD, frames.END_HEADERS, self.number)
            self._connection.wire.write(head + RESPONSE)

    def _cancelled(self) -> None:
        """End the call if it was not this side that had the service cancelled."""
        self._finish(RpcError(Code.CANCELLED, f"{self._method.path}: cancelled by the service"))

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, GridloomError | TimeoutError):
            log.error("%s failed: %s", self._method.path, error, exc_info=error)
        self._finish(as_rpc_error(error, self._method.path))

    def _finish(self, error: RpcError | None) -> None:
        if self.local_done:
            return
        if error is None:
            self._send_headers()
            trailers = SUCCESS
        else:
            largest = self._connection.largest_headers
            trailers = failure(error, first=not self._headers_sent, largest=largest)
        self._connection.finish(self, header_frames(self.number, trailers, last=True))
        if not self.remote_done:  # whatever the client still sends is not read
            self._connection.abandon(self, ErrorCode.NO_ERROR)


class ServerConnection(Connection[ServerStream, Opening]):
    """Serves a registry.

    certificate: DER of the client's, None without one; min_ping: seconds between two pings that
    are put up with.
    """

    def __init__(
        self,
        wire: Wire,
        registry: ServiceRegistry,
        *,
        certificate: bytes | None = None,
        mutual_tls: bool = False,
        min_ping: float = 0.0,
    ) -> None:
        super().__init__(wire, {Setting.MAX_CONCURRENT_STREAMS: MOST_STREAMS}, MAX_HEADER_BYTES)
        self.certificate = certificate
        self.mutual_tls = mutual_tls
        self.loop = asyncio.get_running_loop()
        self._registry = registry
        self._preface: bytes | None = b""
        self._last = 0
        self._draining = False
        self._min_ping = min_ping
        self._last_ping = float("-inf")
        self._strikes = 0
        self._ending: set[asyncio.Task[None]] = set()
        self.open()

    def receive(self, data: bytes) -> None:
        if self._preface is None:
            super().receive(data)
            return
        self._preface += data
        if not frames.PREFACE.startswith(self._preface[: len(frames.PREFACE)]):
            self.break_off(Http2Error(ErrorCode.PROTOCOL_ERROR, "this is not HTTP/2"))
        elif len(self._preface) >= len(frames.PREFACE):
            rest, self._preface = self._preface[len(frames.PREFACE) :], None
            super().receive(rest)

    def drain(self) -> None:
        """Take no more calls, and close once those under way are over."""
        if not self._draining and not self.closed:
            self._draining = True
            self.wire.write(frames.goaway(self._last, ErrorCode.NO_ERROR, "the server stops"))
            self._close_when_done()

    def forget(self, stream: ServerStream) -> bool:
        known = super().forget(stream)
        if self._draining:
            self._close_when_done()
        return known

    def end(self, task: asyncio.Task[None]) -> None:
        """Cancel a task and keep it until it is done."""
        if not task.done() and task is not asyncio.current_task():
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def cancel(self, patience: float = 1.0) -> None:
        """End the calls that are under way, and return once nobody works on them.

        patience: seconds for those who work on them to heed it.
        """
        for stream in list(self.streams.values()):
            stream.close(RpcError(Code.UNAVAILABLE, "the server stops"))
        if self._ending:
            await asyncio.wait(self._ending, timeout=patience)

    def _close_when_done(self) -> None:
        if not self.streams and not self.closed:
            self.closed = True
            self.wire.close()

    def _read_fields(self, fields: Fields) -> Opening:
        return read_opening(fields)

    def _was_open(self, number: int) -> bool:
        return 0 < number <= self._last and number % 2 == 1

    def _highest(self) -> int:
        return self._last

    def _take_headers(self, number: int, said: Opening, *, last: bool) -> None:
        stream = self.streams.get(number)
        if stream is not None:
            self._take_trailers(stream, said, last)
            return
        if number % 2 == 0:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, f"a client's stream has number {number}")
        if number <= self._last:
            raise Http2Error(ErrorCode.STREAM_CLOSED, f"stream {number} is over")
        self._last = number
        if said.malformed or said.trailing:
            reason = said.malformed or "there is no request"
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, reason, number)
        if self._draining or len(self.streams) + len(self._ending) >= MOST_STREAMS:
            self.wire.write(frames.reset(number, ErrorCode.REFUSED_STREAM))
            return
        self._open_call(number, said, last)

    def _open_call(self, number: int, opening: Opening, last: bool) -> None:
        if opening.refusal:
            self._answer(number, refusal(opening.refusal), last)
            return
        try:
            method = self._registry.find(opening.path)
        except RpcError as error:
            self._answer(number, failure(error, first=True), last)
            return
        stream = ServerStream(self, number, method, opening)
        self.streams[number] = stream
        if opening.timeout is not None:
            self.watch(stream, self.loop.time() + opening.timeout)
        if last:
            stream.remote_done = True
            stream.ended()

    def _answer(self, number: int, fields: bytes, last: bool) -> None:
        """Answer a request that is no call of ours."""
        self.wire.write(header_frames(number, fields, last=True))
        if not last:
            self.wire.write(frames.reset(number, ErrorCode.NO_ERROR))

    def _take_trailers(self, stream: ServerStream, said: Opening, last: bool) -> None:
        if stream.remote_done:
            raise Http2Error(ErrorCode.STREAM_CLOSED, "headers after the end", stream.number)
        if not said.trailing or not last:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "headers within a request", stream.number)
        self._end(stream)

    def _take_reset(self, stream: ServerStream, code: int) -> None:
        stream.cancel()

    def _take_goaway(self, last: int, code: int, reason: str) -> None:
        """A client that goes away ends its streams itself."""

    def _take_ping(self, number: int, flags: int, payload: bytes) -> None:
        super()._take_ping(number, flags, payload)
        if flags & frames.ACK:
            return
        if self.spoke:
            self.spoke, self._strikes, self._last_ping = False, 0, float("-inf")
        now = self.loop.time()
        if now - self._last_ping < self._min_ping:
            self._strikes += 1
            if self._strikes > _PING_STRIKES:
                raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings")
        self._last_ping = now


def _decode(method: Method, request: bytes) -> Message:
    try:
        return method.request_type.FromString(request)
    except DecodeError as error:
        raise RpcError(Code.INTERNAL, f"grpc: error unmarshalling request: {error}") from error

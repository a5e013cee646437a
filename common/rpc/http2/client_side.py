"""The client's side of a connection: each stream is a call it makes.

(Fabric: grpc's internal/transport/http2_client.go and stream.go)
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from functools import lru_cache

from ..liveness import MAX_MESSAGE_BYTES
from ..status import Code, RpcError
from . import frames
from .closing import Said, read_said
from .connection import Connection
from .frames import ErrorCode, Http2Error, Setting
from .header_blocks import MAX_TRAILER_BYTES, Fields
from .inbox import Inbox
from .messages import PREFIX, MessageReader
from .opening import opening_block
from .sending import Wire
from .stream import Stream

_RESET_CODES: dict[int, Code] = {
    ErrorCode.REFUSED_STREAM: Code.UNAVAILABLE,
    ErrorCode.CANCEL: Code.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: Code.PERMISSION_DENIED,
}
"""grpc: PROTOCOL-HTTP2.md, Errors; every other one is INTERNAL."""

_CUT = "grpc: the response ended within a message"

_block = lru_cache(maxsize=1024)(opening_block)


class Unprocessed(RpcError):
    """UNAVAILABLE where the server has said that it has not begun: the call may be made again."""

    def __init__(self, why: str) -> None:
        super().__init__(Code.UNAVAILABLE, why)


class ClientStream(Stream):
    """A call that this side made."""

    __slots__ = ("_connection", "method")

    def __init__(self, connection: ClientConnection, number: int, method: str) -> None:
        super().__init__(number)
        self._connection = connection
        self.method = method

    @abstractmethod
    def close(self, error: RpcError | None) -> None:
        """Know how the call ended."""

    def headers(self, said: Said, *, last: bool) -> None:
        """Take a header block."""
        if said.informational and not last:
            return
        if last:
            self.remote_done = True
            self._connection.done(self)
            cut = self.reader is not None and self.reader.in_message
            self.close(said.error or (RpcError(Code.INTERNAL, _CUT) if cut else None))
        elif self.reader is not None:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "headers within a response", self.number)
        elif said.http != 200 or not said.grpc:  # HTTP's OK
            self.refuse(said.error or RpcError(Code.UNKNOWN, "grpc: the response is not gRPC's"))
        else:
            self.reader = MessageReader(said.encoding, MAX_MESSAGE_BYTES)

    def ended(self) -> None:
        self._connection.done(self)
        self.close(RpcError(Code.INTERNAL, "grpc: the response ended without a status"))

    def fail(self, error: RpcError) -> None:
        self.close(error)

    def refuse(self, error: RpcError) -> None:
        self._connection.abandon(self, ErrorCode.CANCEL)
        self.close(error)

    def expire(self) -> None:
        self.refuse(RpcError(Code.DEADLINE_EXCEEDED, f"{self.method}: deadline exceeded"))


class UnaryStream(ClientStream):
    """A call with one response; answer: its bytes."""

    __slots__ = ("_response", "answer")

    def __init__(self, connection: ClientConnection, number: int, method: str) -> None:
        super().__init__(connection, number, method)
        self.answer: asyncio.Future[bytes] = connection.loop.create_future()
        self._response: bytes | None = None

    def message(self, message: bytes) -> None:
        if self._response is not None:
            raise RpcError(Code.INTERNAL, "grpc: more than one response to a unary call")
        self._response = message

    def close(self, error: RpcError | None) -> None:
        if self.answer.done():
            return
        if error is None and self._response is None:
            error = RpcError(Code.INTERNAL, "grpc: no response to a unary call")
        if error is not None:
            self.answer.set_exception(error)
            self.answer.exception()  # whoever waited may have gone
        elif self._response is not None:
            self.answer.set_result(self._response)


class ResponseStream(ClientStream):
    """A call with many responses."""

    __slots__ = ("_inbox",)

    def __init__(self, connection: ClientConnection, number: int, method: str) -> None:
        super().__init__(connection, number, method)
        self.inbox = self._inbox = Inbox()

    def message(self, message: bytes) -> None:
        self._inbox.put(message)

    def close(self, error: RpcError | None) -> None:
        self._inbox.end(error)

    async def next(self) -> bytes | None:
        """Return the next response, None after the last; RpcError if the call failed."""
        response = await self._inbox.get()
        self._connection.grant(self)
        return response


class ClientConnection(Connection[ClientStream, Said]):
    """Makes calls.

    authority: what the server is called; scheme: https over TLS, else http; leaving: whether the
    server wants no more calls here.
    """

    def __init__(self, wire: Wire, authority: str, scheme: str) -> None:
        super().__init__(wire, {Setting.ENABLE_PUSH: 0}, MAX_TRAILER_BYTES)
        self.loop = asyncio.get_running_loop()
        self.leaving = False
        self._authority = authority
        self._scheme = scheme
        self._next = 1
        self._places: deque[asyncio.Future[None]] = deque()
        self.open(frames.PREFACE)

    @property
    def usable(self) -> bool:
        """Whether new calls may be made."""
        return not self.closed and not self.leaving and self._next < frames.LAST_STREAM

    async def unary(self, method: str, message: bytes, timeout: float | None) -> bytes:
        """Make a call with one request and return its response's bytes; timeout: seconds."""
        if len(self.streams) >= self.most_streams:
            timeout = await self._place(timeout)
        stream = UnaryStream(self, self._next, method)
        opening = self._begin(stream, timeout)
        try:
            if self.fits(stream, len(message) + PREFIX.size):
                self.wire.write(opening, *self.data(stream, message, last=True))
                stream.local_done = True
            else:
                self.wire.write(opening)
                if await self.send(stream, message, last=True):
                    stream.local_done = True
            return await stream.answer
        except asyncio.CancelledError:
            self.abandon(stream, ErrorCode.CANCEL)
            raise
        finally:
            # The answer's error holds this frame: no cycle, or the request stays in memory.
            del stream

    async def stream(self, method: str, timeout: float | None) -> ResponseStream:
        """Begin a call whose requests follow (:meth:`send`, :meth:`send_last`)."""
        if len(self.streams) >= self.most_streams:
            timeout = await self._place(timeout)
        stream = ResponseStream(self, self._next, method)
        self.wire.write(self._begin(stream, timeout))
        return stream

    def send_last(self, stream: ResponseStream) -> None:
        """Say that no request follows."""
        if not stream.local_done:
            self.finish(stream, frames.frame(frames.DATA, frames.END_STREAM, stream.number))

    def give_up(self, stream: ClientStream) -> None:
        """Let the server know that nobody waits for more, if the call is not over."""
        self.abandon(stream, ErrorCode.CANCEL)
        stream.close(RpcError(Code.CANCELLED, "the call was cancelled"))

    def done(self, stream: ClientStream) -> None:
        """Know that the server has answered all it will."""
        if stream.local_done:
            self.forget(stream)
        else:
            self.abandon(stream, ErrorCode.NO_ERROR)

    def forget(self, stream: ClientStream) -> bool:
        known = super().forget(stream)
        self._admit()
        if self.leaving:
            self._close_when_done()
        return known

    def _admit(self) -> None:
        """Let as many calls look again as there are places, all if there will be none."""
        free = self.most_streams - len(self.streams) if self.usable else len(self._places)
        while self._places and free > 0:
            place = self._places.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1

    def lost(self, error: RpcError) -> None:
        super().lost(error)
        self._admit()

    def close(self) -> None:
        """End the connection; calls under way end with CANCELLED."""
        if not self.closed:
            self.wire.write(frames.goaway(0, ErrorCode.NO_ERROR, ""))
            self.lost(RpcError(Code.CANCELLED, "the channel is closed"))
            self.wire.close()

    def _begin(self, stream: ClientStream, timeout: float | None) -> bytes:
        if not self.usable:
            raise Unprocessed("the connection is closed")
        self._next += 2
        self.streams[stream.number] = stream
        if timeout is not None:
            self.watch(stream, self.loop.time() + timeout)
        block = _block(stream.method, self._authority, self._scheme, timeout)
        head = len(block) << 8 | frames.HEADERS
        return frames.HEAD.pack(head, frames.END_HEADERS, stream.number) + block

    async def _place(self, timeout: float | None) -> float | None:
        """Wait until the server's limit allows one more call; return what is left of the time."""
        deadline = None if timeout is None else self.loop.time() + timeout
        while len(self.streams) >= self.most_streams and self.usable:
            place: asyncio.Future[None] = self.loop.create_future()
            self._places.append(place)
            try:
                async with asyncio.timeout_at(deadline):
                    await place
            except (TimeoutError, asyncio.CancelledError) as error:
                self._admit()  # the place may have been given to this call
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise RpcError(
                    Code.DEADLINE_EXCEEDED, "deadline exceeded before the server took the call"
                ) from None
        return None if deadline is None else deadline - self.loop.time()

    def _close_when_done(self) -> None:
        if not self.streams and not self.closed:
            self.closed = True
            self.wire.close()

    def _read_fields(self, fields: Fields) -> Said:
        return read_said(fields)

    def _was_open(self, number: int) -> bool:
        return 0 < number < self._next and number % 2 == 1

    def _take_headers(self, number: int, said: Said, *, last: bool) -> None:
        stream = self.streams.get(number)
        if stream is not None:
            stream.headers(said, last=last)
        elif not self._was_open(number):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a response to no request")

    def _take_reset(self, stream: ClientStream, code: int) -> None:
        if code == ErrorCode.REFUSED_STREAM:
            stream.fail(Unprocessed("the server refused the call before it began"))
            return
        status = _RESET_CODES.get(code, Code.INTERNAL)
        late = stream.deadline is not None and stream.deadline <= self.loop.time()
        if status is Code.CANCELLED and late:  # a server's clock may be ahead of ours
            status = Code.DEADLINE_EXCEEDED
        stream.fail(RpcError(status, f"grpc: the server reset the stream, error {code}"))

    def _take_goaway(self, last: int, code: int, reason: str) -> None:
        self.leaving = True
        why = f"the server goes away ({_name(code)}{': ' * bool(reason)}{reason})"
        for stream in [s for s in self.streams.values() if s.number > last]:
            self.forget(stream)
            stream.fail(Unprocessed(why))
        self._admit()
        self._close_when_done()


_CODES = frozenset(ErrorCode)


def _name(code: int) -> str:
    return ErrorCode(code).name if code in _CODES else str(code)

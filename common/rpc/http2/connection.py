"""What both sides of an HTTP/2 connection do: settings, windows, pings, and taking frames in.

Bytes go in at :meth:`Connection.receive` and out at the :class:`Wire`; sockets, timers and TLS
are elsewhere (``wire``).  (Fabric: grpc's internal/transport, RFC 9113)
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from ..status import Code, RpcError
from . import control, frames
from .frames import ErrorCode, FrameReader, Http2Error, Setting
from .header_blocks import Fields, HeaderReader
from .sending import MAX_FRAME, S, Sending, Wire
from .stream import STREAM_WINDOW

H = TypeVar("H")

_SMALL_PIECES, _FAIR_PIECE = 64, 8 * 1024
"""CONTINUATION frames that are put up with whatever their size, and bytes that earn one more."""
CONNECTION_WINDOW = 16 * 1024 * 1024
"""Bytes that may be on their way on all streams together."""

_ANNOUNCED = {
    Setting.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
    Setting.MAX_FRAME_SIZE: MAX_FRAME,
}


class Connection(Sending[S], ABC, Generic[S, H]):
    """One side of a connection.

    most_streams, largest_headers: how many, and of how many bytes, as the other side allows;
    introduced: done once it has sent its SETTINGS, or the connection is lost.
    """

    def __init__(self, wire: Wire, settings: dict[Setting, int], largest_block: int) -> None:
        super().__init__(wire)
        self.most_streams = frames.MOST_WINDOW
        self.largest_headers = frames.MOST_WINDOW
        self.closed = False
        self._reader = FrameReader(MAX_FRAME)
        self._headers: HeaderReader[H] = HeaderReader(self._read_fields, largest_block)
        self._largest_block = largest_block
        self._settings = {**settings, Setting.MAX_HEADER_LIST_SIZE: largest_block}
        self._receive_window = CONNECTION_WINDOW
        self._block: list[bytes] = []
        self._block_size = 0
        self._block_of: tuple[int, bool] | None = None
        self.introduced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._takers = {
            frames.PRIORITY: self._take_priority,
            frames.RST_STREAM: self._take_rst_stream,
            frames.SETTINGS: self._take_settings,
            frames.PUSH_PROMISE: self._take_push_promise,
            frames.PING: self._take_ping,
            frames.GOAWAY: self._take_goaway_frame,
            frames.WINDOW_UPDATE: self._take_window_update,
            frames.CONTINUATION: self._take_continuation,
        }

    # What a side makes of it.

    @abstractmethod
    def _read_fields(self, fields: Fields) -> H:
        """Return what a block's fields mean."""

    @abstractmethod
    def _take_headers(self, number: int, said: H, *, last: bool) -> None:
        """Take a header block of a stream."""

    @abstractmethod
    def _take_reset(self, stream: S, code: int) -> None:
        """Know that the other side gave up a stream, which is no longer in ``streams``."""

    @abstractmethod
    def _take_goaway(self, last: int, code: int, reason: str) -> None:
        """Know that the other side takes no streams beyond ``last``."""

    @abstractmethod
    def _was_open(self, number: int) -> bool:
        """Return whether there ever was a stream of this number."""

    # Outwards.

    def open(self, preface: bytes = b"") -> None:
        """Send what comes first."""
        more = CONNECTION_WINDOW - frames.DEFAULT_WINDOW
        announced = frames.settings({**_ANNOUNCED, **self._settings})
        self.wire.write(preface, announced, frames.window_update(0, more))

    def grant(self, stream: S) -> None:
        """Let the other side send more on a stream if it may."""
        credit = stream.credit()
        if credit and stream.number in self.streams:
            self.wire.write(frames.window_update(stream.number, credit))

    def lost(self, error: RpcError) -> None:
        """End all streams, since the connection is gone."""
        self.closed = True
        if not self.introduced.done():
            self.introduced.set_exception(error)
            self.introduced.exception()  # perhaps nobody waits for it
        streams = list(self.streams.values())
        self.streams.clear()
        self._blocked.clear()
        for stream in streams:
            stream.local_done = True
            stream.make_room()
            stream.fail(error)

    def break_off(self, error: Http2Error) -> None:
        """End a connection whose other side broke the protocol."""
        self.wire.write(frames.goaway(self._highest(), error.code, error.reason))
        self.wire.close()
        self.lost(RpcError(Code.UNAVAILABLE, f"HTTP/2 connection broken: {error}"))

    def _highest(self) -> int:
        """Return the highest stream of the other side's."""
        return 0

    # Inwards.

    def receive(self, data: bytes) -> None:
        """Take in what arrived; what breaks the protocol ends the stream or the connection."""
        try:
            for kind, flags, number, payload in self._reader.feed(data):
                if self.closed:
                    return
                self._take(kind, flags, number, payload)
        except Http2Error as error:
            self.break_off(error)

    def _take(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if not self.introduced.done() and (kind != frames.SETTINGS or flags & frames.ACK):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "the first frame is no SETTINGS")
        if self._block_of is not None and kind != frames.CONTINUATION:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "a header block is interrupted")
        try:
            if kind == frames.DATA:
                self._take_data(number, flags, payload)
            elif kind == frames.HEADERS:
                self._take_block(number, flags, payload)
            elif kind in self._takers:
                self._takers[kind](number, flags, payload)
        except Http2Error as error:
            if not error.stream:
                raise
            self._break_stream(error)

    def _break_stream(self, error: Http2Error) -> None:
        stream = self.streams.get(error.stream)
        if stream is not None:
            self.forget(stream)
            stream.fail(RpcError(Code.INTERNAL, f"HTTP/2 stream broken: {error}"))
        self.wire.write(frames.reset(error.stream, error.code))

    def _take_data(self, number: int, flags: int, payload: bytes) -> None:
        size = len(payload)
        self._receive_window -= size
        if self._receive_window < 0:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than was granted")
        if self._receive_window < CONNECTION_WINDOW // 2:
            credit = CONNECTION_WINDOW - self._receive_window
            self._receive_window = CONNECTION_WINDOW
            self.wire.write(frames.window_update(0, credit))
        if flags & frames.PADDED:
            payload = control.unpadded(flags, payload)
        stream = self.streams.get(number)
        if stream is None:
            self._must_have_been_open(number, "DATA")
            raise Http2Error(ErrorCode.STREAM_CLOSED, "DATA on a stream that is over", number)
        if stream.remote_done:
            raise Http2Error(ErrorCode.STREAM_CLOSED, "DATA after the end", number)
        stream.receive_window -= size
        if stream.receive_window < 0:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more DATA than was granted", number)
        self._deliver(stream, payload, bool(flags & frames.END_STREAM))

    def _deliver(self, stream: S, payload: bytes, last: bool) -> None:
        if stream.reader is None:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "DATA before headers", stream.number)
        try:
            for message in stream.reader.feed(payload):
                stream.message(message)
        except RpcError as error:
            stream.refuse(error)
            return
        if last:
            self._end(stream)
        else:
            self.grant(stream)

    def _end(self, stream: S) -> None:
        """Know that the other side has ended a stream."""
        stream.remote_done = True
        if stream.reader is not None and stream.reader.in_message:
            stream.refuse(RpcError(Code.INTERNAL, "grpc: the stream ended within a message"))
        else:
            stream.ended()

    def _take_block(self, number: int, flags: int, payload: bytes) -> None:
        payload = control.unpadded(flags, payload)
        if flags & frames.PRIORITISED:
            payload = control.without_priority(number, payload)
        last = bool(flags & frames.END_STREAM)
        if flags & frames.END_HEADERS:
            self._take_headers(number, self._headers.read(payload), last=last)
            return
        self._block, self._block_of = [payload], (number, last)
        self._block_size = len(payload)

    def _take_continuation(self, number: int, flags: int, payload: bytes) -> None:
        if self._block_of is None or self._block_of[0] != number:
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of nothing")
        self._block.append(payload)
        self._block_size += len(payload)
        most = _SMALL_PIECES + self._block_size // _FAIR_PIECE
        if self._block_size > self._largest_block or len(self._block) > most:
            raise Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "a header block without end")
        if flags & frames.END_HEADERS:
            (_, last), self._block_of = self._block_of, None
            self._take_headers(number, self._headers.read(b"".join(self._block)), last=last)

    def _take_priority(self, number: int, _: int, payload: bytes) -> None:
        control.read_priority(number, payload)

    def _take_rst_stream(self, number: int, _: int, payload: bytes) -> None:
        code = control.read_rst_stream(payload)
        self._must_have_been_open(number, "RST_STREAM")
        stream = self.streams.get(number)
        if stream is not None:
            self.forget(stream)
            self._take_reset(stream, code)

    def _take_settings(self, number: int, flags: int, payload: bytes) -> None:
        settings = control.read_settings(number, flags, payload)
        if settings is None:
            return
        for name, value in dict(settings).items():
            if name == Setting.INITIAL_WINDOW_SIZE:
                self._initial_window = value
                self.decongested()
            elif name == Setting.MAX_FRAME_SIZE:
                self._largest_frame = min(value, MAX_FRAME)
            elif name == Setting.MAX_CONCURRENT_STREAMS:
                self.most_streams = value
                self._admit()
            elif name == Setting.MAX_HEADER_LIST_SIZE:
                self.largest_headers = value
        if not self.introduced.done():
            self.introduced.set_result(None)
        self.wire.write(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _admit(self) -> None:
        """Know that there may be room for more streams."""

    def _widen(self, stream: S, more: int) -> None:
        stream.used -= more
        if self._initial_window - stream.used > frames.MOST_WINDOW:
            raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "a window overflows", stream.number)
        stream.make_room()

    def _take_push_promise(self, _: int, __: int, ___: bytes) -> None:
        raise Http2Error(ErrorCode.PROTOCOL_ERROR, "nothing may be pushed")

    def _take_ping(self, number: int, flags: int, payload: bytes) -> None:
        control.read_ping(number, payload)
        if not flags & frames.ACK:
            self.wire.write(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _take_goaway_frame(self, number: int, _: int, payload: bytes) -> None:
        self._take_goaway(*control.read_goaway(number, payload))

    def _take_window_update(self, number: int, _: int, payload: bytes) -> None:
        credit = control.read_window_update(number, payload)
        if number == 0:
            self._send_window += credit
            if self._send_window > frames.MOST_WINDOW:
                raise Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "the window overflows")
            self.decongested()
            return
        self._must_have_been_open(number, "WINDOW_UPDATE")
        stream = self.streams.get(number)
        if stream is not None:
            self._widen(stream, credit)

    def _must_have_been_open(self, number: int, what: str) -> None:
        if not self._was_open(number):
            raise Http2Error(ErrorCode.PROTOCOL_ERROR, f"{what} on a stream never opened")

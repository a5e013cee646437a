"""The way out of a connection: messages within the other side's windows, ends, deadlines.

Bytes go to a :class:`Wire`; sockets, timers and TLS are elsewhere (``wire``).
"""

from __future__ import annotations

import asyncio
from typing import Generic, Protocol, TypeVar

from . import frames
from .frames import ErrorCode
from .messages import PREFIX
from .stream import Stream

S = TypeVar("S", bound=Stream)

MAX_FRAME = 256 * 1024
"""Largest frame that is taken; nothing is sent in larger ones."""
_LOOK = 1e-5
"""Seconds for each stream between two looks for deadlines, so that looking costs little."""


class Wire(Protocol):
    """Where a connection's bytes go; congested: more is held than the other side takes."""

    congested: bool

    def write(self, *parts: bytes | memoryview) -> None:
        """Send these bytes, soon and in order."""

    def close(self) -> None:
        """End the connection once what was written is sent."""

    def alarm(self, when: float) -> None:
        """Call :meth:`Connection.expire` at that time of the loop."""


class Sending(Generic[S]):
    """What one side of a connection sends.

    streams: those that are not over, by number; spoke: whether anything but pings was sent.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.streams: dict[int, S] = {}
        self.spoke = False
        self._send_window = frames.DEFAULT_WINDOW
        self._initial_window = frames.DEFAULT_WINDOW
        self._largest_frame = frames.LEAST_MAX_FRAME
        self._blocked: dict[S, None] = {}
        self._alarm = float("inf")
        self._rested = float("-inf")

    def ping(self) -> None:
        """Ask whether the other side is there."""
        self.wire.write(frames.frame(frames.PING, 0, 0, bytes(8)))

    def fits(self, stream: S, size: int) -> bool:
        """Return whether a message of so many bytes, prefix included, can go as one frame now."""
        return (
            size <= self._send_window
            and size <= self._initial_window - stream.used
            and size <= self._largest_frame
            and not self.wire.congested
        )

    def data(self, stream: S, message: bytes, *, last: bool = False) -> tuple[bytes, bytes]:
        """Return a message that fits as a frame to be written, head and payload."""
        length = len(message)
        size = length + PREFIX.size
        self.spoke = True
        self._send_window -= size
        stream.used += size
        head = frames.HEAD.pack(size << 8 | frames.DATA, last, stream.number)
        return head + PREFIX.pack(0, length), message

    async def send(self, stream: S, message: bytes, *, last: bool = False) -> bool:
        """Send a message as fast as the other side takes it; return False if the stream ended."""
        if stream.local_done:
            return False
        if not self.fits(stream, len(message) + PREFIX.size):
            return await self._send_in_pieces(stream, message, last)
        self.wire.write(*self.data(stream, message, last=last))
        return True

    def finish(self, stream: S, *more: bytes) -> None:
        """End this side of a stream, which is over if the other side has ended it too."""
        stream.local_done = True
        self.spoke = True
        self.wire.write(*more)
        if stream.remote_done:
            self.forget(stream)

    def abandon(self, stream: S, code: ErrorCode) -> None:
        """Tell the other side that a stream is over."""
        if self.forget(stream):
            self.wire.write(frames.reset(stream.number, code))

    def forget(self, stream: S) -> bool:
        """Drop a stream that is over; return whether it was there."""
        stream.local_done = True
        stream.make_room()
        self._blocked.pop(stream, None)
        return self.streams.pop(stream.number, None) is not None

    def watch(self, stream: S, deadline: float) -> None:
        """Have ``stream.expire()`` called once the deadline has passed."""
        stream.deadline = deadline
        self._look(deadline)

    def expire(self, now: float) -> None:
        """Tell the streams whose deadline has passed."""
        self._alarm = float("inf")
        self._rested = now + len(self.streams) * _LOOK
        for stream in list(self.streams.values()):
            if stream.deadline is not None and stream.deadline <= now:
                stream.expire()
        left = [s.deadline for s in self.streams.values() if s.deadline is not None]
        if left:
            self._look(min(left))

    def _look(self, when: float) -> None:
        when = max(when, self._rested)
        if when < self._alarm:
            self._alarm = when
            self.wire.alarm(when)

    def decongested(self) -> None:
        """Let all who wait to send look again."""
        blocked, self._blocked = self._blocked, {}
        for stream in blocked:
            stream.make_room()

    async def _send_in_pieces(self, stream: S, message: bytes, last: bool) -> bool:
        place, prefix = 0, PREFIX.pack(0, len(message))
        body = memoryview(message)
        while prefix or place < len(body):
            window = self._initial_window - stream.used
            room = min(self._send_window, window, self._largest_frame)
            if stream.local_done:
                return False
            if room <= 0 or self.wire.congested:
                stream.room = asyncio.get_running_loop().create_future()
                self._blocked[stream] = None
                await stream.room
                continue
            first, prefix = prefix[:room], prefix[room:]
            piece = body[place : place + room - len(first)]
            place += len(piece)
            size = len(first) + len(piece)
            self.spoke = True  # each time, for the other side measures with pings meanwhile
            self._send_window -= size
            stream.used += size
            ending = last and not prefix and place == len(body)
            head = frames.HEAD.pack(size << 8 | frames.DATA, ending, stream.number)
            self.wire.write(head + first, piece)
        return True

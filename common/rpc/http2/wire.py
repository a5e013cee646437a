"""A connection's bytes over asyncio: sent a few frames together, with pings and deadlines.

(Fabric: grpc's internal/transport, loopyWriter and keepalive)
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from ..status import Code, RpcError
from .connection import Connection

C = TypeVar("C", bound=Connection[Any, Any])

_SENT_AT_ONCE = 32 * 1024
"""Bytes that are not held for the end of the loop's pass, so that both ends work at once."""
_MOST_UNREAD = 8 * 1024 * 1024
"""Bytes for a peer that does not read; it keeps asking for more, and that is an attack."""

_SECOND_LOOK = 0.1
"""Seconds in which the loop can read what has arrived while it could not."""
_FAREWELL = 5.0
"""Seconds in which a peer must take what was last sent to it."""


@dataclass(frozen=True, slots=True)
class Keepalive:
    """When to ask a silent side whether it is there; seconds.

    always: also while no call is under way.
    """

    after: float
    timeout: float
    always: bool


class AsyncioWire(asyncio.Protocol, Generic[C]):
    """A Wire.

    begin: makes the connection once the transport is there; lost: done when it is gone.
    """

    connection: C

    def __init__(self, begin: Callable[[AsyncioWire[C]], C], keepalive: Keepalive) -> None:
        self.congested = False
        self.transport: asyncio.Transport | None = None
        self._begin = begin
        self._keepalive = keepalive
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes | memoryview] = []
        self._size = 0
        self._heard = 0.0
        self._asked = False
        self._doubted = False
        self._alarm: asyncio.TimerHandle | None = None
        self._pulse: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        _give_up_after(transport.get_extra_info("socket"), self._keepalive.timeout)
        self.connection = self._begin(self)
        self._heard = self._loop.time()
        self._pulse = self._loop.call_at(self._heard + self._keepalive.after, self._check)

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._asked = False  # a clock of milliseconds would not show that this came after
        self.connection.receive(data)

    def eof_received(self) -> None:
        """Half-closed connections are none."""
        self._loop.call_later(_FAREWELL, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        for timer in (self._alarm, self._pulse):
            if timer is not None:
                timer.cancel()
        why = f": {exc}" if exc is not None else ""
        self.connection.lost(RpcError(Code.UNAVAILABLE, f"the connection is closed{why}"))
        if not self.lost.done():
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        self.congested = True

    def resume_writing(self) -> None:
        self.congested = False
        self.connection.decongested()

    def write(self, *parts: bytes | memoryview) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts += parts
        for part in parts:
            self._size += len(part)
        if self._size >= _SENT_AT_ONCE:
            self._flush()

    @property
    def certificate(self) -> bytes | None:
        """DER of the certificate that the other side has shown."""
        tls = self.transport and self.transport.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True) if tls else None

    def close(self) -> None:
        self._flush()
        if self.transport is not None:
            self.transport.close()
            self._loop.call_later(_FAREWELL, self.abort)

    def abort(self) -> None:
        """End the connection without sending anything more."""
        if self.transport is not None:
            self.transport.abort()

    def alarm(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        self._alarm = None
        self.connection.expire(self._loop.time())

    def _flush(self) -> None:
        if not self._parts:
            return
        data = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self.transport is None or self.transport.is_closing():
            return
        if self.congested and self.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.abort()
            return
        self.transport.write(data)

    def _check(self) -> None:
        """Ping a silent side, or give it up if the last ping got no answer."""
        now, keepalive = self._loop.time(), self._keepalive
        if self._asked:
            if not self._doubted:  # the answer may lie there unread after a long pause
                self._doubted = True
                self._pulse = self._loop.call_at(now + _SECOND_LOOK, self._check)
                return
            self.connection.lost(RpcError(Code.UNAVAILABLE, "keepalive: no answer to a ping"))
            self.abort()
            return
        self._doubted, again = False, self._heard + keepalive.after
        if again <= now:
            again = now + keepalive.after
            if keepalive.always or self.connection.streams:
                self.connection.ping()
                self._asked, again = True, now + keepalive.timeout
        self._pulse = self._loop.call_at(again, self._check)


def _give_up_after(connection: socket.socket, seconds: float) -> None:
    """Have the system end a connection whose other side does not acknowledge what was sent.

    As gRPC does: a host that is gone is noticed by the next message to it, not only by a ping.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(fileno=os.dup(connection.fileno())) as own:  # uvloop's cannot be set
            own.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1000))

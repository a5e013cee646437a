"""Serving a node's services over gRPC (Fabric: internal/pkg/comm/server.go)."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from ..tls_context import ALPN, server_context
from .channel import UNIX
from .http2.server_side import ServerConnection
from .http2.wire import AsyncioWire, Keepalive
from .liveness import MIN_PING_INTERVAL_MS, PING_TIMEOUT_MS, SERVER_PING_MS
from .server import ServiceRegistry
from .tls import ServerTls

log = logging.getLogger(__name__)

_KEEPALIVE = Keepalive(SERVER_PING_MS / 1000, PING_TIMEOUT_MS / 1000, always=True)
_HANDSHAKE_SECONDS = 20.0
_WAITING = 128
"""Connections that the system holds until they are accepted."""
_FAREWELL = 1.0
"""Seconds for a service to end when it is cancelled, and for a client to take the last bytes."""
_PAUSE = 0.1
"""Seconds without accepting when the system gives no more connections."""


class GrpcServer:
    """One listening address that serves a registry.

    address: ``host:port``, port 0 for any free one; ``port`` holds the bound one after
    :meth:`start`; or ``unix:path``.  OSError when the address cannot be bound.
    min_ping_interval: milliseconds; a client that pings more often is sent away.
    """

    def __init__(
        self,
        registry: ServiceRegistry,
        address: str,
        tls: ServerTls | None = None,
        *,
        min_ping_interval: int = MIN_PING_INTERVAL_MS,
    ) -> None:
        self._registry = registry
        self._address = address
        self._tls = tls
        self._min_ping = min_ping_interval / 1000
        self._roots: bytes | None = None
        self._context: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._wires: set[AsyncioWire[ServerConnection]] = set()
        self._listeners: list[socket.socket] = []
        self.port = 0

    async def start(self) -> int:
        """Bind and serve; return the bound port."""
        self._current_context()  # a key that does not fit is found now
        try:
            self._listeners = await _listen(self._address)
        except (OSError, ValueError) as error:
            raise OSError(f"cannot listen on {self._address}: {error}") from error
        if not self._address.startswith(UNIX):
            self.port = self._listeners[0].getsockname()[1]
        for listener in self._listeners:
            self._run(self._accept(listener))
        return self.port

    async def stop(self, grace: float = 0.5) -> None:
        """Refuse new calls, give those under way ``grace`` seconds, then cancel them."""
        ending = list(self._tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        wires = list(self._wires)
        for wire in wires:
            wire.connection.drain()
        if wires and grace:
            await asyncio.wait([wire.lost for wire in wires], timeout=grace)
        await asyncio.gather(*(wire.connection.cancel(_FAREWELL) for wire in wires))
        for wire in wires:
            wire.close()
        if wires:
            await asyncio.wait([wire.lost for wire in wires], timeout=_FAREWELL)
        for wire in wires:
            wire.abort()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("cannot serve at %s: %s", self._address, error, exc_info=error)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, client = await loop.sock_accept(listener)
            except OSError as error:  # too many open files, a client gone again
                log.warning("cannot accept a connection on %s: %s", self._address, error)
                await asyncio.sleep(_PAUSE)
            else:
                self._run(self._greet(connection, client[0] if client else "this host"))

    async def _greet(self, connection: socket.socket, client: str) -> None:
        """Shake hands with who has connected, and serve it if that goes well."""
        loop = asyncio.get_running_loop()
        try:
            context = self._current_context()
            await loop.connect_accepted_socket(
                lambda: AsyncioWire(self._begin, _KEEPALIVE),
                connection,
                ssl=context,
                ssl_handshake_timeout=None if context is None else _HANDSHAKE_SECONDS,
            )
        except OSError as error:  # TLS's and time's are such too
            connection.close()
            log.warning("no connection with %s at %s: %s", client, self._address, error)
        except BaseException:
            connection.close()
            raise

    def _begin(self, wire: AsyncioWire[ServerConnection]) -> ServerConnection:
        self._wires.add(wire)
        wire.lost.add_done_callback(lambda _: self._wires.discard(wire))
        connection = ServerConnection(
            wire,
            self._registry,
            certificate=wire.certificate,
            mutual_tls=self._tls is not None and self._tls.client_roots is not None,
            min_ping=self._min_ping,
        )
        greeting = asyncio.get_running_loop().call_later(_HANDSHAKE_SECONDS, wire.abort)
        connection.introduced.add_done_callback(lambda _: greeting.cancel())
        return connection

    def _current_context(self) -> ssl.SSLContext | None:
        """Return the TLS for the next connection, made again when the clients' roots changed."""
        tls = self._tls
        if tls is None:
            return None
        current = tls.current_client_roots
        roots = tls.client_roots if current is None else current()
        if self._context is None or roots != self._roots:
            self._roots = roots
            self._context = server_context(replace(tls, client_roots=roots), alpn=ALPN)
        return self._context


async def _listen(address: str) -> list[socket.socket]:
    """Return bound sockets for every address that ``address`` stands for, all on one port."""
    if address.startswith(UNIX):
        return [_bound(socket.AF_UNIX, address.removeprefix(UNIX))]
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listeners: list[socket.socket] = []
    try:
        for family, _, _, _, place in dict.fromkeys(found):
            bound = listeners[0].getsockname()[1] if listeners else place[1]
            try:
                listeners.append(_bound(family, (place[0], bound, *place[2:])))
            except OSError:
                if not listeners:  # the others are optional, as without IPv6
                    raise
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _bound(family: int, place: tuple[Any, ...] | str) -> socket.socket:
    """Return a listening socket."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if isinstance(place, tuple):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setblocking(False)
        listener.bind(place)
        listener.listen(_WAITING)
    except OSError:
        listener.close()
        raise
    return listener

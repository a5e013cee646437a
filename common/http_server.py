"""Serving a web application on the event loop of a node.

The port is open from the start, but the web framework is only imported when somebody first
connects: most networks are never administered over HTTP, and should not start slower for it
(docs/decisions/0007).  (Fabric: internal/pkg/fabhttp/server.go)
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .rpc.tls import ServerTls
from .tls_context import server_context

if TYPE_CHECKING:
    from uvicorn import Server

log = logging.getLogger(__name__)

Application = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""

GRACE = 1
"""Seconds that answers under way are given when the server stops."""


class HttpServer:
    """Serves one application at ``host:port``; port 0 takes any free one.

    application: makes it, called in another thread when the first connection comes; tls: None
    serves in the clear, with client roots every client must show a certificate.
    """

    def __init__(
        self, application: Callable[[], Application], address: str, tls: ServerTls | None = None
    ) -> None:
        self._application = application
        self._address = address
        self._tls = None if tls is None else server_context(tls)
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None
        self._server: Server | None = None

    async def start(self) -> int:
        """Open the port and return it; OSError if the address is taken."""
        host, _, port = self._address.rpartition(":")
        family, kind, protocol, _, address = (
            await asyncio.get_running_loop().getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen()
        except OSError as error:
            listening.close()
            reason = (error.strerror or str(error)).lower()
            raise OSError(f"cannot listen on {self._address}: {reason}") from error
        listening.setblocking(False)
        self._socket = listening
        asyncio.get_running_loop().add_reader(listening, self._wake)
        bound: int = listening.getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Close the port; answers under way are finished."""
        listening, self._socket = self._socket, None
        if listening is None:
            return
        asyncio.get_running_loop().remove_reader(listening)
        if self._serving is not None:
            if self._server is None:
                self._serving.cancel()
            else:
                self._server.should_exit = True
            await asyncio.wait([self._serving])
        listening.close()

    def _wake(self) -> None:
        """The first client is at the door."""
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._socket)
            self._serving = loop.create_task(self._serve(self._socket))

    async def _serve(self, listening: socket.socket) -> None:
        try:
            # A thread of its own: those of the loop may be waiting for this very server.
            with ThreadPoolExecutor(1, "http-load") as loading:
                loop = asyncio.get_running_loop()
                self._server = await loop.run_in_executor(loading, self._load)
            await self._server.serve([listening])
        except Exception:
            log.exception("nothing is served at %s any more", self._address)
            self._socket = None
            listening.close()

    def _load(self) -> Server:
        from uvicorn import Config, Server  # noqa: PLC0415 - see above

        class QuietServer(Server):
            """One that leaves the process's signals alone."""

            @contextmanager
            def capture_signals(self) -> Iterator[None]:
                yield

        config = Config(
            self._application(),
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
        )
        config.load()
        config.ssl = self._tls
        return QuietServer(config)

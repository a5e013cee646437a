"""CAs over HTTP, as fabric-ca's clients speak to them.

    server = CaServer(Service([authority]), "127.0.0.1:7054", tls)
    port = await server.start()

The web application (``web.py``) is made when somebody first connects (docs/decisions/0007).
Requests are handled in threads of the server's own, for they hash secrets and wait for disks.
(Fabric: fabric-ca lib/server.go)
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gridloom.common.http_server import Application, HttpServer
from gridloom.common.rpc.tls import ServerTls

from .service import Service

THREADS: Final = 2 * (os.cpu_count() or 1) + 2
"""For requests of one server: some hash, some wait for the disk."""


class CaServer:
    """Serves CAs at ``host:port``; port 0 takes any free one.

    origins: whose web pages browsers may let ask (CORS), ``*`` for any.
    """

    def __init__(
        self,
        service: Service,
        address: str,
        tls: ServerTls | None = None,
        origins: Sequence[str] = (),
    ) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "ca")

        def load() -> Application:
            from .web import application  # noqa: PLC0415 - see above

            return application(service, self._threads, origins)

        self._http = HttpServer(load, address, tls)

    async def start(self) -> int:
        """Open the port and return it; OSError if the address is taken."""
        return await self._http.start()

    async def stop(self) -> None:
        """Close the port; requests under way are finished. The service stays open."""
        await self._http.stop()
        await asyncio.to_thread(self._threads.shutdown)

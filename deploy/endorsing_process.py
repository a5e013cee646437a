"""The process that endorses for all peers of a network that is one process otherwise.

It serves each peer's replica on a Unix domain socket of its own, in a folder that is for this user
only.  The network starts it and ends it (endorsing_worker.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gridloom.common.rpc.transport import grpc_server

from .endorsing_worker import LIVENESS, socket_of
from .home import NetworkHome
from .memory import settle_memory
from .nodes import NodeBuilder
from .replicas import Replicas
from .supervised import run_until_stopped


async def run_endorsing(
    home: NetworkHome, sockets: Path, ready: Callable[[], None], *, development: bool = False
) -> None:
    """Endorse for the peers of the folder's network until told to stop."""

    def prepare() -> EndorsingProcess:
        return EndorsingProcess(home, sockets, development=development)

    await run_until_stopped(prepare, ready, supervised=True)


class EndorsingProcess:
    """The replicas, and a server for each."""

    def __init__(self, home: NetworkHome, sockets: Path, *, development: bool = False) -> None:
        topology = home.topology()
        builder = NodeBuilder.create(topology, home, development=development)
        self._replicas = Replicas(builder, home)
        self._servers = [
            grpc_server(
                self._replicas.services(node.name),
                socket_of(sockets, number),
                min_ping_interval=LIVENESS.ping // 2,
            )
            for number, node in enumerate(topology.peers())
        ]

    async def start(self) -> None:
        """Serve; OSError if a socket cannot be made."""
        for server in self._servers:
            await server.start()
        settle_memory()

    async def stop(self) -> None:
        """Stop serving, then the replicas."""
        await asyncio.gather(*(server.stop() for server in self._servers))
        await self._replicas.stop()

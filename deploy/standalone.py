"""What a node that runs by itself has in common with its like: links, roots, one life.

Unlike the nodes of ``gridloom up``, which know their whole network, such a node knows its own
configuration file and what its channels say (Fabric: the ``orderer`` and ``peer`` programs).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import RemoteChannel, grpc_channel
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block

from .memory import settle_memory
from .stopping import stop_event

log = logging.getLogger(__name__)


class Server(Protocol):
    """One port of a node."""

    async def start(self) -> int: ...

    async def stop(self) -> None: ...


class StandaloneNode(Protocol):
    """A node with its ports."""

    @property
    def servers(self) -> Sequence[Server]: ...

    async def start(self) -> None:
        """Start the node itself."""

    async def stop(self) -> None:
        """Stop the node and what connects it to others."""


class Links:
    """Connections to other nodes by ``host:port``, kept open.

    tls: with which certificates a connection opened now is made, None without TLS.
    """

    def __init__(self, tls: Callable[[], ClientTls | None]) -> None:
        self._tls = tls
        self._channels: dict[str, RemoteChannel] = {}

    def __call__(self, endpoint: str) -> RemoteChannel:
        channel = self._channels.get(endpoint)
        if channel is None:
            channel = self._channels[endpoint] = grpc_channel(endpoint, self._tls())
        return channel

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        self._channels.clear()


def read_all(paths: Sequence[Path]) -> bytes:
    """Return the PEM in some files, one after the other."""
    return b"".join(path.read_bytes() for path in paths)


def read_block(path: Path) -> Block:
    """Return the block in a file; MalformedMessage."""
    return parse(Block, path.read_bytes(), str(path))


async def run_standalone(node: StandaloneNode, ready: Callable[[], None]) -> None:
    """Run a node until SIGINT or SIGTERM; ``ready`` is called once all its ports are open."""
    stopped = stop_event()
    started: list[Server] = []
    try:
        await node.start()
        for server in node.servers:
            await server.start()
            started.append(server)
        settle_memory()
        ready()
        await stopped.wait()
    finally:
        await asyncio.gather(*(server.stop() for server in started))
        await node.stop()

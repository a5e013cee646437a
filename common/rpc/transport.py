"""Which gRPC carries calls between processes: our own, or Google's library.

Both speak the same wire, to each other too.  Ours is taken unless the environment variable
``GRIDLOOM_GRPC`` says ``grpcio``, which costs a multiple of the CPU (docs/decisions/0024).
"""

from __future__ import annotations

import os
from typing import Protocol

from ..errors import GridloomError
from .channel import Channel
from .grpc_channel import GrpcChannel
from .grpc_server import GrpcServer
from .liveness import MIN_PING_INTERVAL_MS, PATIENT, Liveness
from .server import ServiceRegistry
from .tls import ClientTls, ServerTls

GRPC = "GRIDLOOM_GRPC"
OURS, GRPCIO = "gridloom", "grpcio"


class UnknownTransport(GridloomError):
    """The environment names a gRPC that there is not; name: what it says."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{GRPC}={name}: say {OURS} or {GRPCIO}")
        self.name = name


class RpcServer(Protocol):
    """A listening address that serves a registry; port: the bound one after ``start``."""

    port: int

    async def start(self) -> int:
        """Bind and serve; return the bound port."""
        ...

    async def stop(self, grace: float = 0.5) -> None:
        """Refuse new calls, give those under way ``grace`` seconds, then cancel them."""
        ...


class RemoteChannel(Channel, Protocol):
    """A channel to another process at ``target`` (``host:port``)."""

    target: str

    async def wait_for_ready(self) -> None:
        """Return once connected; wrap it in asyncio.timeout to bound the wait."""
        ...


def grpc_server(
    registry: ServiceRegistry,
    address: str,
    tls: ServerTls | None = None,
    *,
    min_ping_interval: int = MIN_PING_INTERVAL_MS,
) -> RpcServer:
    """Return a server; see GrpcServer.  UnknownTransport if the environment names none."""
    if _is_ours():
        return GrpcServer(registry, address, tls, min_ping_interval=min_ping_interval)
    from .grpcio_server import GrpcioServer  # noqa: PLC0415  # 60 ms for who does not use it

    return GrpcioServer(registry, address, tls, min_ping_interval=min_ping_interval)


def grpc_channel(
    target: str, tls: ClientTls | None = None, liveness: Liveness = PATIENT
) -> RemoteChannel:
    """Return a channel; see GrpcChannel.  UnknownTransport if the environment names none."""
    if _is_ours():
        return GrpcChannel(target, tls, liveness)
    from .grpcio_channel import GrpcioChannel  # noqa: PLC0415  # as above

    return GrpcioChannel(target, tls, liveness)


def _is_ours() -> bool:
    name = os.environ.get(GRPC) or OURS
    if name not in (OURS, GRPCIO):
        raise UnknownTransport(name)
    return name == OURS

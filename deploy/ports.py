"""Ports of a network's nodes: choosing free ones, and finding taken ones before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from gridloom.common.errors import GridloomError

from .topology import OrdererNode, PeerNode, Topology


class PortTaken(GridloomError):
    """An address a node cannot listen on: the node's full name, host:port, the reason."""

    def __init__(self, name: str, endpoint: str, reason: str) -> None:
        super().__init__(f"{name} cannot listen on {endpoint}: {reason}")
        self.name = name
        self.endpoint = endpoint
        self.reason = reason


def choose_ports(topology: Topology) -> Topology:
    """Return the topology with each port 0 replaced by one that was free a moment ago."""
    held: list[socket.socket] = []

    def choose(port: int) -> int:
        if port:
            return port
        probe = socket.socket()
        probe.bind(("127.0.0.1", 0))
        held.append(probe)
        chosen: int = probe.getsockname()[1]
        return chosen

    try:
        return topology.with_ports(choose)
    finally:
        for probe in held:
            probe.close()


def require_free(nodes: Iterable[OrdererNode | PeerNode]) -> None:
    """Raise PortTaken for the first node whose address somebody else listens on.

    It is asked before ledgers are opened: two processes must never write the same one.
    """
    for node in nodes:
        try:
            _bind(node.host.strip("[]"), node.port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise PortTaken(node.name, node.endpoint, reason.lower()) from error


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # As gRPC does: connections of the last run that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)

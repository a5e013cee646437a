"""Ports of a network's nodes: choosing free ones, and finding taken ones before anything starts."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

from gridloom.common.errors import GridloomError

from .topology import DEFAULT_HOST, AuthorityNode, OrdererNode, PeerNode, Topology

_CHOICE = range(20_000, 32_768)
"""Below what systems give to outgoing connections: 32768 on Linux, 49152 elsewhere."""


class PortTaken(GridloomError):
    """An address a node cannot listen on: the node's full name, host:port, the reason."""

    def __init__(self, name: str, endpoint: str, reason: str) -> None:
        super().__init__(f"{name} cannot listen on {endpoint}: {reason}")
        self.name = name
        self.endpoint = endpoint
        self.reason = reason


def choose_ports(topology: Topology) -> Topology:
    """Return the topology with each port 0 replaced by one that was free a moment ago.

    It is none that the system would give to an outgoing connection, lest somebody has it when
    the network is started the next time.
    """
    held: list[socket.socket] = []

    def choose(port: int) -> int:
        while not port:
            candidate = random.choice(_CHOICE)  # noqa: S311 - no secret
            try:
                held.append(_bind(DEFAULT_HOST, candidate))
            except OSError:
                continue
            port = candidate
        return port

    try:
        return topology.with_ports(choose)
    finally:
        for probe in held:
            probe.close()


def give_way(topology: Topology) -> Topology:
    """Return the topology with any free port for each CA whose usual port somebody else has.

    Ports that the description states stay, and so do those of nodes.
    """
    taken = {
        node.port
        for node in topology.authorities()
        if node.port and not node.fixed and not _is_free(node.host, node.port)
    }
    if not taken:
        return topology
    return choose_ports(topology.with_ports(lambda port: 0 if port in taken else port))


def _is_free(host: str, port: int) -> bool:
    try:
        _bind(host.strip("[]"), port).close()
    except OSError:
        return False
    return True


def require_free(nodes: Iterable[OrdererNode | PeerNode | AuthorityNode]) -> None:
    """Raise PortTaken for the first node whose address somebody else listens on.

    It is asked before ledgers are opened: two processes must never write the same one.
    """
    for node in nodes:
        ports = [node.port]
        if isinstance(node, OrdererNode):
            ports += [node.admin_port, *([node.cluster_port] if node.cluster_port else [])]
        for port in ports:
            try:
                _bind(node.host.strip("[]"), port).close()
            except OSError as error:
                reason = error.strerror or str(error)
                raise PortTaken(node.name, f"{node.host}:{port}", reason.lower()) from error


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    probe = socket.socket(family, kind, protocol)
    try:
        # As gRPC does: connections of the last run that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    except OSError:
        probe.close()
        raise
    return probe

"""Ports of a network's nodes: choosing free ones, and finding taken ones before anything starts."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable, Iterator

from gridloom.common.errors import GridloomError

from .topology import DEFAULT_HOST, AuthorityNode, OrdererNode, PeerNode, Topology

FREE_PORTS = "GRIDLOOM_FREE_PORTS"
"""Where free ports are chosen from, as ``first-last``: an environment variable.

For machines with a firewall, and for several programs that must not choose the same.
"""

_CHOICE = range(20_000, 32_768)
"""Below what systems give to outgoing connections: 32768 on Linux, 49152 elsewhere."""


class NoFreePorts(GridloomError):
    """Free ports that cannot be chosen: what the environment says, and what is wrong with it."""

    def __init__(self, said: str, reason: str) -> None:
        super().__init__(f"{FREE_PORTS}={said}: {reason}")
        self.said = said
        self.reason = reason


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
    the network is started the next time; NoFreePorts.
    """
    held: list[socket.socket] = []
    candidates = _candidates()

    def choose(port: int) -> int:
        while not port:
            candidate = next(candidates)
            try:
                held.append(probe := _bind(DEFAULT_HOST, candidate))
                # Ports that are only bound can be bound again, by us and by anybody else.
                probe.listen()
            except OSError:
                continue
            port = candidate
        return port

    try:
        return topology.with_ports(choose)
    finally:
        for probe in held:
            probe.close()


def _candidates() -> Iterator[int]:
    """Each port to choose from, beginning anywhere; NoFreePorts after the last."""
    choice = _choice()
    first = random.randrange(len(choice))  # noqa: S311 - no secret
    yield from choice[first:]
    yield from choice[:first]
    raise NoFreePorts(f"{choice.start}-{choice.stop - 1}", "all of these are taken")


def _choice() -> range:
    said = os.environ.get(FREE_PORTS)
    if said is None:
        return _CHOICE
    first, _, last = said.partition("-")
    try:
        choice = range(int(first), int(last) + 1)
    except ValueError:
        raise NoFreePorts(said, "say first-last, such as 20000-20999") from None
    if not choice or not 0 < choice.start <= choice[-1] < 2**16:
        raise NoFreePorts(said, "say first-last, between 1 and 65535")
    return choice


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

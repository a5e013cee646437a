"""Ports for what has to know its port before it listens."""

from __future__ import annotations

from gridloom.deploy.ports import choose_ports
from gridloom.deploy.topology import Topology


def free_port() -> int:
    """Return a port that nobody takes meanwhile: no other worker, no outgoing connection."""
    free = choose_ports(Topology.default().with_ports(lambda _: 0))
    return free.orderers()[0].port

"""Choosing ports, and finding out that one is taken."""

import socket

import pytest

from gridloom.deploy.ports import PortTaken, choose_ports, require_free
from gridloom.deploy.topology import PeerNode, Topology


def test_chosen_ports_are_distinct_free_and_none_of_the_outgoing_ones():
    topology = choose_ports(Topology.default().with_ports(lambda _: 0))
    ports = [node.port for node in topology.nodes()]
    assert len(set(ports)) == 3
    assert all(20_000 <= port < 32_768 for port in ports)
    require_free(topology.nodes())


def test_ports_that_are_stated_stay():
    topology = Topology.default()
    assert choose_ports(topology) == topology


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]"])
def test_a_port_somebody_listens_on_is_taken(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host.strip("[]"), 0), family=family) as other:
        node = PeerNode("peer0.org1.example.com", host, other.getsockname()[1])
        with pytest.raises(PortTaken, match="address already in use") as caught:
            require_free([node])
    assert (caught.value.name, caught.value.endpoint) == (node.name, node.endpoint)
    require_free([node])


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_cannot_be_listened_on(host):
    with pytest.raises(PortTaken, match=f"peer cannot listen on {host}:7051: "):
        require_free([PeerNode("peer", host, 7051)])

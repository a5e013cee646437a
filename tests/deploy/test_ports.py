"""Choosing ports, and finding out that one is taken."""

import socket

import pytest

from gridloom.deploy.ports import FREE_PORTS, NoFreePorts, PortTaken, choose_ports, require_free
from gridloom.deploy.topology import PeerNode, Topology
from harness.ports import free_port

FREE = Topology.default().with_ports(lambda _: 0)


@pytest.fixture
def choice(monkeypatch):
    """Say where free ports are chosen from."""
    return lambda said: monkeypatch.setenv(FREE_PORTS, said)


def test_chosen_ports_are_distinct_free_and_none_of_the_outgoing_ones():
    topology = choose_ports(FREE)
    assert len(set(topology.ports())) == len(topology.ports()) == 7
    assert all(20_000 <= port < 32_768 for port in topology.ports())
    require_free((*topology.nodes(), *topology.authorities()))


def test_the_environment_says_where_free_ports_are_chosen_from(choice):
    (first, *_) = sorted(choose_ports(FREE).ports())
    while True:  # another program may have some of these
        choice(f"{first}-{first + 6}")
        try:
            topology = choose_ports(FREE)
            break
        except NoFreePorts:
            first += 1
    assert sorted(topology.ports()) == list(range(first, first + 7))


def test_a_port_is_chosen_once_and_none_that_somebody_listens_on(choice):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        choice(f"{port}-{port}")
        with pytest.raises(NoFreePorts, match=f"FREE_PORTS={port}-{port}: all of these are taken"):
            choose_ports(FREE)
    choice("20000-20005")  # six for seven
    with pytest.raises(NoFreePorts, match="all of these are taken"):
        choose_ports(FREE)


@pytest.mark.parametrize("said", ["", "20000", "a-b", "20001-20000", "0-9", "65530-65536"])
def test_a_choice_that_is_no_range_of_ports_is_refused(choice, said):
    choice(said)
    with pytest.raises(NoFreePorts, match=f"GRIDLOOM_FREE_PORTS={said}: say first-last") as caught:
        choose_ports(FREE)
    assert caught.value.said == said


def test_ports_that_are_stated_stay():
    topology = Topology.default()
    assert choose_ports(topology) == topology


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]"])
def test_a_port_somebody_listens_on_is_taken(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    node = PeerNode("peer0.org1.example.com", host, free_port())
    with (
        socket.create_server((host.strip("[]"), node.port), family=family),
        pytest.raises(PortTaken, match="address already in use") as caught,
    ):
        require_free([node])
    assert (caught.value.name, caught.value.endpoint) == (node.name, node.endpoint)
    require_free([node])


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_cannot_be_listened_on(host):
    with pytest.raises(PortTaken, match=f"peer cannot listen on {host}:7051: "):
        require_free([PeerNode("peer", host, 7051)])

"""Making a folder's network, continuing it, and refusing what is another one."""

import socket

import pytest

from gridloom.deploy.home import HomeError, NetworkHome
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.ports import PortTaken, choose_ports
from gridloom.deploy.topology import Topology
from gridloom.deploy.up import OptionsError, UpOptions, open_network

BASE = 17_050
"""Away from where networks choose free ports: another test may have some of these."""


@pytest.fixture
def home(tmp_path):
    return NetworkHome(tmp_path / "net")


def described(tmp_path, text):
    path = tmp_path / "network.yaml"
    path.write_text(text)
    return path


def ports(topology):
    return [node.port for node in topology.nodes()]


def behind_free_ones():
    """A port with four before it that nobody has."""
    while True:
        free = sorted(choose_ports(Topology.default().with_ports(lambda _: 0)).ports())
        if free[4] - free[0] == 4:
            return free[4]


def test_free_ports_are_chosen_once_and_kept(home):
    topology = open_network(home, UpOptions(port_base=0))
    assert all(ports(topology))
    for options in (UpOptions(), UpOptions(port_base=0)):
        assert open_network(home, options) == topology


def test_a_port_base_moves_all_and_need_not_be_said_again(home):
    topology = open_network(home, UpOptions(port_base=BASE))
    assert ports(topology) == [BASE, BASE + 1, BASE + 2001]
    assert open_network(home, UpOptions()) == topology
    assert open_network(home, UpOptions(port_base=BASE)) == topology
    with pytest.raises(HomeError, match="another network"):
        open_network(home, UpOptions(port_base=BASE + 10))


def test_the_same_description_in_other_words_is_the_same_network(home, tmp_path):
    first = described(tmp_path, "channels: [{name: one}]")
    topology = open_network(home, UpOptions(config=first, port_base=0))
    again = described(tmp_path, "# hello\nchannels:\n  - name: one\n")
    assert open_network(home, UpOptions(config=again)) == topology
    other = described(tmp_path, "organizations: [{name: A}, {name: B}, {name: C}]")
    for options in (UpOptions(config=other), UpOptions(config=other, port_base=0)):
        with pytest.raises(HomeError, match="another network"):
            open_network(home, options)


def test_nothing_is_made_for_a_port_that_is_taken(home, tmp_path):
    config = described(tmp_path, "host: 192.0.2.1")  # never an address of this machine
    with pytest.raises(PortTaken):
        open_network(home, UpOptions(config=config))
    assert not home.exists()


def test_a_ca_gives_way_where_its_usual_port_is_taken(home, tmp_path):
    port = behind_free_ones()
    with socket.create_server(("127.0.0.1", port)):
        text = f"organizations: [{{name: A, peers: [{{port: 0}}], ca: {{port: {port}}}}}]"
        stated = described(tmp_path, text)
        with pytest.raises(PortTaken, match=f"ca-a cannot listen on 127.0.0.1:{port}"):
            open_network(home, UpOptions(config=stated))
        assert not home.exists()
        orderers = "orderer_organizations: [{name: O, ca: {port: 0}}]"
        text = f"{{port_base: {port - 4}, {orderers}, organizations: [{{name: A}}]}}"
        moved = described(tmp_path, text)
        topology = open_network(home, UpOptions(config=moved))
        (org,) = topology.organizations
        assert org.authority.port not in (0, port)
        assert open_network(home, UpOptions()) == topology


def test_faults_of_a_description_are_told_with_its_file(home, tmp_path):
    config = described(tmp_path, "channels: 7")
    with pytest.raises(OptionsError, match=r"network.yaml: channels"):
        open_network(home, UpOptions(config=config))
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(OptionsError, match=r"network.yaml: .*decode"):
        open_network(home, UpOptions(config=config))
    with pytest.raises(OptionsError, match="port base 65000 moves port 9051"):
        open_network(home, UpOptions(port_base=65000))


def test_a_start_that_was_cut_short_is_continued_with_the_same_material(home):
    topology = open_network(home, UpOptions(port_base=0))
    unfinished = home.organizations.with_name("organizations.new")
    (unfinished / "peerOrganizations").mkdir(parents=True)
    material = NodeBuilder.create(topology, home).material
    assert not unfinished.exists()
    assert material.root == home.organizations
    again = NodeBuilder.create(open_network(home, UpOptions()), home).material
    node = "peer0.org1.example.com"
    assert again.node(node).signing_identity.serialized == (
        material.node(node).signing_identity.serialized
    )


def test_a_network_in_memory_keeps_the_genesis_block_of_the_folder(home):
    topology = open_network(home, UpOptions(port_base=0))
    (channel,) = topology.channels
    block = NodeBuilder.create(topology, home).genesis_block(channel)
    forgetful = NodeBuilder.create(topology, home, in_memory=True)
    assert forgetful.genesis_block(channel) == block
    assert home.genesis(channel.name) == block

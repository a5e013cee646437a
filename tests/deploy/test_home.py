"""The folder of a network."""

import json
import os
from pathlib import Path

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.deploy.home import HomeError, NetworkHome
from gridloom.deploy.network_lock import NetworkLock, NetworkRuns
from gridloom.deploy.topology import ChannelSpec, Topology
from gridloom.protos.common.common_pb2 import Block, BlockHeader


@pytest.fixture
def home(tmp_path):
    return NetworkHome(tmp_path / "net")


def test_nothing_is_there_at_first(home):
    assert not home.exists()
    assert home.process_id() is None
    assert home.origin("basic_1:ab") is None
    with pytest.raises(HomeError, match="there is no network here; make one with: gridloom up"):
        home.state()
    assert not home.path.exists()


def test_a_file_instead_of_a_folder_holds_no_network(tmp_path):
    (tmp_path / "file").write_text("")
    home = NetworkHome(tmp_path / "file")
    assert not home.exists()
    assert home.process_id() is None
    with pytest.raises(HomeError, match="no network here"):
        home.state()


def test_the_state_is_what_was_saved_and_replaced_as_a_whole(home):
    home.save_state({"ports": [1, 2, 3]})
    home.save_state({"ports": [4, 5, 6], "pid": 7})
    assert home.state() == {"ports": [4, 5, 6], "pid": 7}
    assert [path.name for path in home.path.iterdir()] == ["network.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"ports": 3}', "null"])
def test_a_damaged_state_is_an_error_that_names_the_file(home, content):
    home.save_state({})
    (home.path / "network.json").write_text(content)
    with pytest.raises(HomeError, match=r"network.json: damaged") as caught:
        home.state()
    assert caught.value.path == home.path / "network.json"


def test_the_topology_has_the_ports_the_network_was_made_with(home):
    home.save_description("channels: [{name: one}]")
    home.save_state({"ports": [11, 12, 13]})
    topology = home.topology()
    assert [node.port for node in topology.nodes()] == [11, 12, 13]
    assert topology.channels[0].name == "one"
    home.save_state({"ports": [11]})
    with pytest.raises(HomeError, match="1 ports for 3 nodes"):
        home.topology()
    (home.path / "description.yaml").unlink()
    with pytest.raises(HomeError, match=r"description.yaml: missing"):
        home.topology()


def test_a_network_made_before_there_were_admin_ports_and_cas_is_continued(home):
    home.save_description("")
    home.save_state({"ports": [11, 12, 13, 14]})
    assert home.topology().orderers()[0].admin_port == 14
    assert home.topology().organizations[0].authority.port == 7054
    home.save_state({"ports": [11, 12, 13]})
    assert home.topology().orderers()[0].admin_port == 7053


def test_channels_made_and_members_changed_later_are_known(home):
    home.save_description("")
    home.save_state({"ports": [11, 12, 13, 14]})
    orderers = ("orderer.example.com",)
    home.change_channel(ChannelSpec("mychannel", ("Org1",), orderers))
    home.change_channel(ChannelSpec("second", ("Org2",), orderers))
    topology = home.topology()
    assert [(each.name, each.members) for each in topology.channels] == [
        ("mychannel", ("Org1",)),
        ("second", ("Org2",)),
    ]
    shown = [(each["name"], each["members"]) for each in home.state()["channels"]]
    assert shown == [("mychannel", ["Org1MSP"]), ("second", ["Org2MSP"])]
    (home.path / "channels.json").write_text("{")
    with pytest.raises(HomeError, match=r"channels.json: damaged"):
        home.topology()
    home.remove()
    assert not home.path.exists()


def test_a_genesis_block_is_kept_and_damage_is_seen(home):
    block = Block(header=BlockHeader(number=0, data_hash=b"hash"))
    home.save_genesis("one", block)
    assert home.genesis("one") == block
    home.genesis_file("one").write_bytes(b"\xff\xff")
    with pytest.raises(MalformedMessage, match=r"one.block"):
        home.genesis("one")


def test_the_sources_of_packages_are_remembered(home, tmp_path):
    module = tmp_path / "basic.py"
    module.write_text("")
    (tmp_path / "folder").mkdir()
    home.remember_origin("basic_1:ab", module)
    home.remember_origin("folder_1:cd", tmp_path / "folder")
    assert home.origin("basic_1:ab") == tmp_path
    assert home.origin("folder_1:cd") == tmp_path / "folder"
    assert home.origin("other_1:ef") is None


def test_removing_takes_only_what_is_the_networks(home):
    home.save_description("")
    home.save_state({"ports": [1, 2, 3]})
    home.save_genesis("one", Block())
    home.log_file("network").parent.mkdir()
    home.log_file("network").write_text("")
    (home.path / "thesis.tex").write_text("years of work")
    home.remove()
    assert [path.name for path in home.path.iterdir()] == ["thesis.tex"]
    (home.path / "thesis.tex").unlink()
    home.save_state({"ports": []})
    home.remove()
    assert not home.path.exists()


def test_a_running_network_is_not_removed(home):
    with NetworkLock(home.path):
        home.save_state({"ports": []})
        assert home.process_id() == os.getpid()
        with pytest.raises(NetworkRuns):
            home.remove()
    assert home.exists()


def test_paths_do_not_follow_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    home = NetworkHome(Path("net"))
    home.save_state({"ports": []})
    monkeypatch.chdir("/")
    assert home.exists()
    assert json.loads((tmp_path / "net/network.json").read_text()) == {"ports": []}


def test_the_topologys_nodes_are_orderers_then_peers():
    names = [node.name for node in Topology.default().nodes()]
    assert names == ["orderer.example.com", "peer0.org1.example.com", "peer0.org2.example.com"]

"""Folders for single nodes, and nodes that run from them."""

import os
from pathlib import Path

import pytest

from gridloom.common.settings import InvalidSetting
from gridloom.deploy.node_config import write_node_folders
from gridloom.deploy.standalone_orderer import StandaloneOrderer, orderer_operations
from gridloom.deploy.standalone_peer import StandalonePeer, peer_operations

DESCRIPTION = """
consensus: raft
orderer_organizations:
  - {name: Orderer, orderers: [{host: 10.0.0.1}, {host: orderer2.example.com}]}
organizations: [{name: Org1, peers: [{host: 10.0.0.3}]}]
"""


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    made = write_node_folders(DESCRIPTION, tmp_path / "consortium")
    return {folder.name: folder for folder in made}


def test_an_orderer_reads_what_was_written_for_it(folders: dict[str, Path]) -> None:
    folder = folders["orderer.example.com"]
    node = StandaloneOrderer(folder, {}, [folder / "mychannel.block"])
    settings = node.settings
    assert settings.listen_address == "10.0.0.1:7050"
    assert settings.admin.listen_address == "10.0.0.1:7053"
    assert settings.cluster.listen_address == "10.0.0.1:7055"
    assert settings.operations.listen_address == "127.0.0.1:7056"
    (info,) = node.orderer.channels()
    assert (info.name, info.consensus_relation) == ("mychannel", "consenter")
    assert len(node.servers) == 4


def test_a_host_with_a_name_listens_at_every_address(folders: dict[str, Path]) -> None:
    node = StandaloneOrderer(folders["orderer2.example.com"], {})
    assert node.settings.listen_address == "0.0.0.0:8050"
    assert node.orderer.channels() == ()


def test_a_channel_is_joined_once(folders: dict[str, Path]) -> None:
    folder = folders["orderer.example.com"]
    for _ in range(2):
        node = StandaloneOrderer(folder, {}, [folder / "mychannel.block"])
        assert [info.name for info in node.orderer.channels()] == ["mychannel"]


def test_variables_override_the_file(folders: dict[str, Path]) -> None:
    overrides = {"ORDERER_GENERAL_LISTENPORT": "9", "ORDERER_OPERATIONS_LISTENADDRESS": ":8443"}
    node = StandaloneOrderer(folders["orderer.example.com"], overrides)
    assert node.settings.listen_address == "10.0.0.1:9"
    assert node.settings.operations.listen_address == ":8443"


def test_a_cluster_port_without_roots_says_what_is_missing(folders: dict[str, Path]) -> None:
    folder = folders["orderer.example.com"]
    text = (folder / "orderer.yaml").read_text().replace("- tls/ca.crt", "")
    (folder / "orderer.yaml").write_text(text.replace("ClientAuthRequired: true", ""))
    with pytest.raises(InvalidSetting):
        StandaloneOrderer(folder, {"ORDERER_ADMIN_TLS_ENABLED": "false"})


def test_a_peer_reads_what_was_written_for_it(folders: dict[str, Path]) -> None:
    folder = folders["peer0.org1.example.com"]
    node = StandalonePeer(folder, {}, [folder / "mychannel.block"])
    assert node.settings.address == "10.0.0.3:7051"
    assert node.peer.channel_ids() == ["mychannel"]
    operations = peer_operations(node.peer)
    assert operations.health()[0] == operations.readiness()[0] == 200
    assert 'ledger_blockchain_height{channel="mychannel"} 1' in operations.metrics()


def test_an_orderer_is_ready_when_its_channels_have_leaders(folders: dict[str, Path]) -> None:
    folder = folders["orderer.example.com"]
    node = StandaloneOrderer(folder, {}, [folder / "mychannel.block"])
    operations = orderer_operations(node.orderer)
    status, body = operations.readiness()
    assert status == 503
    assert body["failed_checks"] == [
        {"component": "orderer.chains", "reason": "failed: mychannel"},
        {"component": "orderer.leaders", "reason": "no leader, or onboarding: mychannel"},
    ]


def test_keys_are_for_their_owner_only(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        (key,) = (folder / "msp/keystore").iterdir()
        assert os.stat(key).st_mode & 0o077 == 0
        assert os.stat(folder / "tls/server.key").st_mode & 0o077 == 0

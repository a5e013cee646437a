"""Connection profiles: those of the test network, ours, and what is said of broken ones."""

import json

import pytest
import yaml

from gridloom.client import Gateway
from gridloom.client.connection_profile import ConnectionProfile, ProfileError
from gridloom.client.wallet import Wallet, WalletIdentity
from gridloom.deploy.connection_profile import ConnectionProfile as WrittenProfile
from gridloom.deploy.connection_profile import ProfileAuthority, ProfilePeer
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.client_networks import deploy
from harness.network import PROBE

PEM = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def written(**changes):
    """A profile as `deploy` writes it for an organisation."""
    fields = {
        "network": "test-network",
        "organization": "Org1",
        "msp_id": "Org1MSP",
        "peers": [ProfilePeer("peer0.org1.example.com", "0.0.0.0", 7051),
                  ProfilePeer("peer1.org1.example.com", "10.0.0.7", 8051)],
        "tls_root": PEM,
        "authority": ProfileAuthority(
            "ca.org1.example.com", "ca-org1", "127.0.0.1", 7054, PEM
        ),
    }  # fmt: skip
    return WrittenProfile(**fields | changes)


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_profiles_of_our_networks_are_read(form):
    profile = ConnectionProfile.parse(getattr(written(), form)().decode())
    assert (profile.name, profile.organization) == ("test-network-org1", "Org1")
    assert profile.organizations["Org1"].msp_id == "Org1MSP"
    first, second = profile.own_peers()
    assert (first.name, first.target) == ("peer0.org1.example.com", "localhost:7051")
    assert second.target == "10.0.0.7:8051"
    assert first.tls.roots == PEM
    assert first.tls.server_name == "peer0.org1.example.com"


def test_a_network_without_tls_has_none():
    profile = ConnectionProfile.parse(written(tls_root=None).json().decode())
    assert profile.own_peers()[0].tls is None


def test_certificates_may_be_files_beside_the_profile(tmp_path):
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").write_bytes(PEM)
    document = written().document()
    document["peers"]["peer0.org1.example.com"]["tlsCACerts"] = {"path": "tls/ca.pem"}
    document["peers"]["peer1.org1.example.com"]["tlsCACerts"] = {"pem": ["one", "two"]}
    file = tmp_path / "connection.yaml"
    file.write_text(yaml.safe_dump(document))
    first, second = ConnectionProfile.load(file).own_peers()
    assert (first.tls.roots, second.tls.roots) == (PEM, b"one\ntwo")


def test_json_may_be_indented_with_tabs():
    text = json.dumps(written().document(), indent="\t")
    assert ConnectionProfile.parse(text).name == "test-network-org1"


def test_orderers_are_read_and_the_rest_is_ignored():
    document = written().document()
    document["orderers"] = {"orderer.example.com": {"url": "grpc://localhost:7050"}}
    document["channels"] = {"mychannel": {"orderers": ["orderer.example.com"]}}
    profile = ConnectionProfile.parse(json.dumps(document))
    assert profile.orderers["orderer.example.com"].target == "localhost:7050"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (["peers"], [], "peers"),
        (["peers", "peer0.org1.example.com"], "x", "peers.peer0.org1.example.com"),
        (["peers", "peer0.org1.example.com", "url"], None, "peers.peer0.org1.example.com.url"),
        (
            ["peers", "peer0.org1.example.com", "url"],
            "https://localhost:7051",
            "peers.peer0.org1.example.com.url",
        ),
        (
            ["peers", "peer0.org1.example.com", "url"],
            "grpcs://localhost",
            "peers.peer0.org1.example.com.url",
        ),
        (
            ["peers", "peer0.org1.example.com", "tlsCACerts"],
            None,
            "peers.peer0.org1.example.com.tlsCACerts",
        ),
        (
            ["peers", "peer0.org1.example.com", "tlsCACerts"],
            {"path": "nosuch.pem"},
            "peers.peer0.org1.example.com.tlsCACerts.path",
        ),
        (
            ["peers", "peer0.org1.example.com", "tlsCACerts"],
            {"path": "no\0file"},
            "peers.peer0.org1.example.com.tlsCACerts.path",
        ),
        *(
            (
                ["peers", "peer0.org1.example.com", "tlsCACerts"],
                {"pem": pem},
                "peers.peer0.org1.example.com.tlsCACerts.pem",
            )
            for pem in (7, ["-----BEGIN", 7], "\ud800")
        ),
        (["organizations", "Org1", "mspid"], None, "organizations.Org1.mspid"),
        (["organizations", "Org1", "peers"], "peer0", "organizations.Org1.peers"),
    ],
)
def test_the_value_at_fault_is_named(path, value, where):
    document = written().document()
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ProfileError) as caught:
        ConnectionProfile.parse(json.dumps(document))
    assert caught.value.path == where


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "a: [", "{]", "[" * 2000, '{"a":' * 5000])
def test_what_is_no_document_is_refused(text):
    with pytest.raises(ProfileError, match="document"):
        ConnectionProfile.parse(text)


def test_a_peer_that_is_not_there_is_named_with_those_there_are():
    profile = ConnectionProfile.parse(written().json().decode())
    with pytest.raises(ProfileError, match=r"no peer9; there is: peer0.org1.example.com, peer1"):
        profile.connect(None, peer="peer9")


async def test_a_profile_and_a_wallet_are_all_a_client_needs(tmp_path):
    topology = Topology.parse("").with_ports(lambda _: 0)
    async with Network.in_memory(topology, development=False) as network:
        await deploy(network, PROBE, "probe")
        await network.serve()
        material = network.access.material
        org = network.topology.organization("Org1")
        peers = [ProfilePeer(peer.name, peer.host, peer.port) for peer in org.peers]
        root = material.organization("Org1MSP").tls_root
        file = tmp_path / "connection-org1.json"
        file.write_bytes(written(peers=peers, tls_root=root).json())
        user = material.user("Org1", "User1")
        wallet = Wallet(tmp_path / "wallet")
        wallet.put("User1", WalletIdentity("Org1MSP", user.certificate_pem, user.private_key_pem))

        profile = ConnectionProfile.load(file)
        gateway = profile.connect(wallet.get("User1").signer())
        assert isinstance(gateway, Gateway)
        async with gateway:
            contract = gateway.get_network("mychannel").get_contract("probe")
            await contract.submit_transaction("put", "key", "value")
            assert await contract.evaluate_transaction("get", "key") == b"value"

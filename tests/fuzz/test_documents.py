"""Documents that people and tools write: networks, profiles, wallets, settings, JSON messages."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from gridloom.client.admin import parse_collections
from gridloom.client.checkpointers import FileCheckpointer
from gridloom.client.connection_profile import ConnectionProfile
from gridloom.client.wallet import Wallet
from gridloom.common.documents import load_json, load_yaml
from gridloom.deploy.topology import Topology
from harness.fuzz import fuzz_json, fuzz_text

NETWORK = {
    "port_base": 8000,
    "host": "127.0.0.1",
    "tls": True,
    "cutting": "idle",
    "consensus": "solo",
    "orderer_organizations": [{"name": "Orderer", "orderers": [{"name": "orderer", "port": 7}]}],
    "organizations": [
        {
            "name": "Org1",
            "msp_id": "Org1MSP",
            "peers": 2,
            "users": ["Alice", {"name": "Bob", "attributes": {"role": "auditor"}}],
            "policies": {"Endorsement": "OR('Org1MSP.peer')"},
        },
        {"name": "Org2", "domain": "org2.example.com", "peers": [{"port": 9051, "anchor": True}]},
    ],
    "channels": [
        {
            "name": "mychannel",
            "members": ["Org1", "Org2"],
            "endorsement": "AND('Org1MSP.peer', 'Org2MSP.peer')",
            "batch": {"max_message_count": 10, "timeout": "2s", "preferred_max_bytes": "512 KB"},
            "capabilities": {"channel": "V2_0"},
            "policies": {"application": {"Admins": "MAJORITY Admins"}},
            "acls": {"peer/Propose": "/Channel/Application/Writers"},
        }
    ],
}
PROFILE = {
    "name": "test-network-org1",
    "client": {"organization": "Org1"},
    "organizations": {"Org1": {"mspid": "Org1MSP", "peers": ["peer0.org1.example.com"]}},
    "peers": {
        "peer0.org1.example.com": {
            "url": "grpcs://localhost:7051",
            "tlsCACerts": {"pem": ["-----BEGIN CERTIFICATE-----"]},
            "grpcOptions": {"ssl-target-name-override": "peer0.org1.example.com"},
        }
    },
    "orderers": {"orderer": {"url": "grpcs://localhost:7050", "tlsCACerts": {"path": "nowhere"}}},
}
WALLET = {
    "credentials": {"certificate": "-----BEGIN", "privateKey": "-----BEGIN"},
    "mspId": "Org1MSP",
    "type": "X.509",
    "version": 1,
}
COLLECTIONS = [
    {
        "name": "secrets",
        "policy": "OR('Org1MSP.member')",
        "requiredPeerCount": 0,
        "maxPeerCount": 1,
        "blockToLive": 3,
        "memberOnlyRead": True,
        "memberOnlyWrite": True,
        "endorsementPolicy": {"signaturePolicy": "OR('Org1MSP.member')"},
    }
]


def as_yaml(text: str, _: object = None) -> object:
    try:
        return load_json(text)
    except ValueError as error:
        raise yaml.YAMLError(str(error)) from error


def test_network_descriptions(monkeypatch):
    """The document's parser is not ours, and slow: most inputs go around it, as JSON."""
    assert Topology.parse(json.dumps(NETWORK))
    fuzz_json(Topology.parse, [NETWORK], inputs=300)
    monkeypatch.setattr("gridloom.deploy.document.load_yaml", as_yaml)
    fuzz_json(Topology.parse, [NETWORK])


def test_connection_profiles():
    fuzz_json(ConnectionProfile.parse, [PROFILE], words=("grpc://x:1", "grpcs://h:99999"))


def test_yaml():
    text = """
name: &anchor {a: 1, b: [x, 2026-11-20, 1.5, !!binary AAEC, ~, yes]}
other: *anchor
folded: >
  text
"""
    words = ("!!timestamp", "2026-99-99", "!!int", "!!bool", "0x", "<<", "*anchor", "&anchor", "? ")
    fuzz_text(load_yaml, [text], words=words, inputs=500, refusals=(yaml.YAMLError,))


def test_wallets(tmp_path, monkeypatch):
    wallet = Wallet(tmp_path)

    def read(text: str) -> None:
        monkeypatch.setattr(Path, "read_text", lambda *_, **__: text)
        wallet.get("label").signer()

    fuzz_json(read, [WALLET])


def test_checkpoints(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint"
    path.write_bytes(b"x")

    def read(text: str) -> None:
        data = text.encode("utf-8", "surrogatepass") or b"{}"
        monkeypatch.setattr(Path, "read_bytes", lambda _: data)
        FileCheckpointer(path)

    fuzz_json(read, [{"blockNumber": "5", "transactionId": "ab"}, {"blockNumber": 5}])


def test_collection_documents():
    assert parse_collections(json.dumps(COLLECTIONS))
    fuzz_json(parse_collections, [COLLECTIONS], words=("AND('A.peer')", "OutOf("))

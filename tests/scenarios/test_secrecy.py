"""Nothing of private data is outside members: every byte of disk, wire and log is searched.

The marker is looked for as it is, in base64 and in hex; that it would be found is shown by the
members' own folders.  A peer's whole folder counts: ledger, write-ahead log, packages.
"""

import base64
import json
import logging
import shutil
from itertools import chain

import pytest

from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.packaging import package_source
from harness.network import NetworkProcess, settled_height
from harness.private_network import (
    ANYBODY,
    IMPATIENT,
    ORG1,
    ORG1_SECOND,
    ORG2,
    ORG3,
    VAULT,
    collection,
    private_network,
)

MARKER = "marker-7f3b2c9e51d84a6f-which-no-outsider-may-have"
FORMS = (
    MARKER.encode(),
    *(base64.b64encode(b"x" * shift + MARKER.encode())[8:-8] for shift in range(3)),
    MARKER.encode().hex().encode(),
)
DESCRIPTION = "organizations: [{name: Org1, peers: 2}, {name: Org2}, {name: Org3}]"


def shows(data: bytes) -> bool:
    return any(form in data for form in FORMS)


def files_with_marker(folder):
    """Files below a folder that hold the marker, write-ahead logs included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if shows(path.read_bytes())]


@pytest.fixture
def home(tmp_path):
    return NetworkHome(tmp_path / "home")


async def use_every_way(network):
    """Private data go every way there is: given out, pulled, late, overwritten, purged."""
    for name in ("secrets", "pulled"):
        await network.submit("put", name, "k", value=MARKER)
        await network.submit("append", name, "k", value=MARKER)
    network.lose(ORG2)
    await network.submit("put_all", '["secrets", "pulled"]', "late", value=MARKER)
    network.lose()
    await network.channel(ORG2).private_data.reconcile()
    await network.submit("put", "_implicit_org_Org1MSP", "k", value=MARKER)
    # an endorser that is no member is given the data by the client itself, and keeps nothing
    await network.submit("note", "n", "v", org="Org3")


async def test_another_organisation_has_no_trace_on_disk_wire_or_log(home, caplog):
    caplog.set_level(logging.DEBUG)
    rules = (collection(), collection("pulled", maxPeerCount=0))
    async with private_network(*rules, home=home, settings=IMPATIENT) as network:
        await use_every_way(network)
        running = {name: files_with_marker(home.node("peers", name)) for name in network.peers}
        wires = {ends: b"".join(wire.heard) for ends, wire in network.wires.items()}
    stopped = {name: files_with_marker(home.node("peers", name)) for name in running}
    for found in (running, stopped):
        assert found[ORG3] == []
        assert all(found[name] for name in (ORG1, ORG1_SECOND, ORG2)), "the search works"
    assert files_with_marker(home.node("orderers", "orderer.example.com")) == []
    assert any(map(shows, wires.values())), "the search works"
    to_org3 = b"".join(heard for ends, heard in wires.items() if ORG3 in ends)
    assert not shows(to_org3)
    assert not shows(caplog.text.encode())


async def test_an_outsider_that_endorses_forgets_what_the_client_told_it(home):
    async with private_network(collection(maxPeerCount=2), home=home) as network:
        await network.submit("put", "secrets", "k", value=MARKER, org="Org3")
        assert network.clear(ORG2, "k") == MARKER.encode()
        assert files_with_marker(home.node("peers", ORG3)) == []
    assert files_with_marker(home.node("peers", ORG3)) == []


async def test_what_is_purged_is_gone_from_the_members_disks_too(home):
    async with private_network(home=home) as network:
        await network.submit("put", "secrets", "k", value=MARKER)
        await network.submit("append", "secrets", "k", value=MARKER)
        members = (ORG1, ORG1_SECOND, ORG2)
        assert all(files_with_marker(home.node("peers", name)) for name in members)
        await network.submit("purge", "secrets", "k")
        for name in network.peers:
            assert files_with_marker(home.node("peers", name)) == []


async def test_a_restarted_peer_still_has_its_share_and_no_more(home):
    rules = collection(blockToLive=3, maxPeerCount=3)  # so short a life is not pulled
    async with private_network(rules, home=home) as network:
        await network.submit("put", "secrets", "k", value=MARKER)
        for _ in range(3):
            for name in (ORG2, ORG3):
                await network.restart(name)
            assert network.clear(ORG2, "k") == MARKER.encode()
            assert network.clear(ORG3, "k") is None
            await network.submit("note", "n", "v")
        assert network.clear(ORG2, "k") == MARKER.encode()
        await network.submit("note", "n", "v")
        for name in network.peers:
            assert network.clear(name, "k") is None
            assert network.ledger(name).missing(10, 100) == []


@pytest.mark.slow
async def test_across_processes_only_members_have_a_trace(tmp_path, monkeypatch):
    monkeypatch.setenv("CORE_PEER_GOSSIP_PVTDATA_PUSHACKTIMEOUT", "2m")  # a busy machine
    folder = tmp_path / "home"
    description = tmp_path / "network.yaml"
    description.write_text(DESCRIPTION)
    members, outsiders = (ORG1, ORG1_SECOND, ORG2), (ORG3,)
    with NetworkProcess(folder, "--processes", "--config", str(description)) as network:
        async with network.access() as access:
            rules = [
                collection(requiredPeerCount=2, maxPeerCount=2),
                collection("pulled", maxPeerCount=0),
            ]
            definition = ChaincodeDefinition(
                "vault",
                endorsement_policy=ANYBODY,
                collections=parse_collections(json.dumps(rules)),
            )
            (spec,) = access.topology.channels
            await access.deploy_chaincode(package_source(VAULT, label="vault"), definition, spec)
            contract = access.gateway("Org1").get_network("mychannel").get_contract("vault")
            for name in ("secrets", "pulled"):
                await contract.submit(
                    "put",
                    [name, "k"],
                    transient={"value": MARKER.encode()},
                    endorsing_organizations=["Org1MSP"],
                )
            await settled_height(access)
            for name in ("secrets", "pulled"):
                for peer, org in ((ORG1, "Org1"), (ORG1_SECOND, "Org1"), (ORG2, "Org2")):
                    reader = access.gateway(org, peer=peer).get_network("mychannel")
                    found = await reader.get_contract("vault").evaluate(
                        "get", [name, "k"], endorsing_organizations=[f"{org}MSP"]
                    )
                    assert found == MARKER.encode()
        places = {name: network.home.node("peers", name) for name in chain(members, outsiders)}
        running = {name: files_with_marker(place) for name, place in places.items()}
        copy = tmp_path / "logs"
        shutil.copytree(folder / "logs", copy)
    for name in members:
        assert running[name]
        assert files_with_marker(places[name])
    for name in outsiders:
        assert running[name] == files_with_marker(places[name]) == []
    assert files_with_marker(network.home.node("orderers", "orderer.example.com")) == []
    assert not any(shows(path.read_bytes()) for path in copy.iterdir())

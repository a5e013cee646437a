"""A peer that has joined from a snapshot looks for the private data it may hold."""

from dataclasses import replace
from hashlib import sha256

import pytest

from gridloom.deploy.home import NetworkHome
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.reconciliation import LatePrivateData
from gridloom.peer.node import Peer
from gridloom.peer.settings import PeerSettings
from harness.private_network import (
    CHANNEL,
    IMPATIENT,
    ORG1,
    ORG1_SECOND,
    ORG2,
    ORG3,
    View,
    collection,
    private_network,
)
from harness.snapshots import wait_for_snapshots

SETTINGS = replace(IMPATIENT, btl_pull_margin=0)


@pytest.fixture
async def network(tmp_path):
    home = NetworkHome(tmp_path / "home")
    short = collection("short", blockToLive=2)
    async with private_network(collection(), short, home=home) as network:
        yield network


async def begin_anew(network, name):
    """Take a snapshot on Org1's peer and begin another peer with it that has nothing yet."""
    ledger = network.ledger(ORG1)
    ledger.request_snapshot(0)
    wait_for_snapshots(ledger)
    snapshots = network.builder.home.node("peers", ORG1) / "snapshots" / "completed"
    await network.peers[name].stop()
    node = next(node for node in network.topology.peers() if node.name == name)
    material = network.builder.material
    msp_id = material.node(name).signing_identity.msp_id
    orderer = network._direct(network.topology.orderers()[0].name)
    peer = Peer(
        material.node(name).signing_identity,
        material.msp_config(msp_id),
        LedgerProvider("memory"),
        ChaincodeHost(MemoryPackageStore(), {}),
        orderers=lambda _: orderer,
        peers=View(network, name),
        settings=PeerSettings(name, node.endpoint, msp_id=msp_id, private_data=SETTINGS),
    )
    network.peers[name], network._registries[name] = peer, peer.services()
    await peer.start()
    await peer.join_by_snapshot(str(snapshots / CHANNEL / str(ledger.height - 1)))
    await network.settled()


def missing(network, name):
    """What the vault's collections miss; of approvals only the own organisation's peers know."""
    rows = network.ledger(name).missing(100, 1000)
    return {(row.collection, row.block) for row in rows if row.namespace == "vault"}


async def test_a_member_gets_what_is_behind_the_hashes(network):
    for key, value in [("a", "old"), ("a", "new"), ("b", "two"), ("c", "gone")]:
        await network.submit("put", "secrets", key, value=value)
    await network.submit("delete", "secrets", "c")
    height = network.ledger(ORG1).height
    await begin_anew(network, ORG2)
    assert network.clear(ORG2, "a") is None
    assert network.hashed(ORG2, sha256(b"a").digest()) == sha256(b"new").digest()
    assert missing(network, ORG2) == {("secrets", height - 4), ("secrets", height - 3)}
    assert await network.channel(ORG2).private_data.reconcile() == 2
    assert [network.clear(ORG2, key) for key in "abc"] == [b"new", b"two", None]
    assert missing(network, ORG2) == set()
    await network.submit("put", "secrets", "a", value="later")
    assert network.clear(ORG2, "a") == b"later"


async def test_a_peer_that_may_not_hold_them_looks_for_nothing(network):
    await network.submit("put", "secrets", "a", value="secret")
    await begin_anew(network, ORG3)
    assert missing(network, ORG3) == set()
    assert await network.channel(ORG3).private_data.reconcile() == 0
    assert network.clear(ORG3, "a") is None


async def test_the_own_collection_comes_from_peers_of_the_own_organisation_only(network):
    await network.submit("put", "_implicit_org_Org1MSP", "a", value="ours")
    await begin_anew(network, ORG2)
    assert missing(network, ORG2) == set()
    await network.submit("note", "n", "a block for another snapshot")
    await begin_anew(network, ORG1_SECOND)
    assert await network.channel(ORG1_SECOND).private_data.reconcile() == 2  # and the approval
    assert network.clear(ORG1_SECOND, "a", "_implicit_org_Org1MSP") == b"ours"


async def test_what_is_overwritten_meanwhile_does_not_come_back(network):
    await network.submit("put", "secrets", "a", value="old")
    await network.submit("put", "secrets", "b", value="stays")
    await begin_anew(network, ORG2)
    await network.submit("put", "secrets", "a", value="new")
    assert await network.channel(ORG2).private_data.reconcile() == 2
    assert [network.clear(ORG2, key) for key in "ab"] == [b"new", b"stays"]


async def test_data_go_when_their_time_comes_although_they_came_late(network):
    await network.submit("put", "short", "a", value="brief")
    await begin_anew(network, ORG2)
    assert await network.channel(ORG2).private_data.reconcile() == 1
    assert network.clear(ORG2, "a", "short") == b"brief"
    seen = []
    for number in range(3):
        await network.submit("note", "n", str(number))
        seen.append(
            (
                network.clear(ORG2, "a", "short"),
                network.hashed(ORG2, sha256(b"a").digest(), "short"),
            )
        )
    assert seen == [(b"brief", sha256(b"brief").digest())] * 2 + [(None, None)]


async def test_data_that_do_not_hash_to_the_snapshots_hashes_are_refused(network):
    await network.submit("put", "secrets", "a", value="secret")
    await begin_anew(network, ORG2)
    ledger = network.ledger(ORG2)
    (row,) = (row for row in ledger.missing(10, 1000) if row.namespace == "vault")
    (real,) = network.ledger(ORG1)._store.private_data(row.block)
    forged = real.rwset.replace(b"secret", b"forged")
    late = [LatePrivateData(*row[:4], rwset) for rwset in (forged, b"\xff", b"", real.rwset)]
    refused = ledger.reconcile(late[:3], [])
    assert list(refused) == late[:3]
    other = late[3]._replace(tx=7)
    assert list(ledger.reconcile([other], [])) == [other]
    assert network.clear(ORG2, "a") is None
    assert list(ledger.reconcile(late[3:], [])) == []
    assert network.clear(ORG2, "a") == b"secret"


async def test_a_purge_behind_the_snapshot_holds_for_data_that_come_late(network):
    await network.submit("put", "secrets", "a", value="secret")
    await begin_anew(network, ORG2)
    network.lose(ORG2)
    await network.submit("purge", "secrets", "a")
    network.lose()
    await network.channel(ORG2).private_data.reconcile()
    assert network.clear(ORG2, "a") is None

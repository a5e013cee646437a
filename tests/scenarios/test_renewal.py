"""Nodes get new certificates while the network runs, and the old ones stop to count."""

import asyncio
import ssl
import time
from contextlib import suppress

import pytest

from gridloom.common.certificates import parse_pem
from gridloom.common.channel import changes
from gridloom.common.errors import GridloomError
from gridloom.deploy.authorities import REGISTRAR, REGISTRAR_SECRET
from gridloom.deploy.channels import ChannelOperations
from gridloom.deploy.enrollment import hosts_of
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.material import load_material
from gridloom.deploy.network import DataInMemory, Network
from gridloom.deploy.nodes import UnknownNode
from gridloom.deploy.registrar import NetworkRegistrar
from gridloom.deploy.topology import Topology
from gridloom.protos.common.common_pb2 import Metadata, SignatureHeader
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from harness.network import (
    PROBE,
    NetworkProcess,
    contract,
    deploy,
    gridloom,
    ordered_chain,
    settled_height,
)

PEER, ORDERER = "peer0.org1.example.com", "orderer.example.com"

pytestmark = pytest.mark.network


@pytest.fixture
async def network(tmp_path):
    free = Topology.default().with_ports(lambda _: 0)
    network = Network.create(free, NetworkHome(tmp_path / "net"))
    async with network:
        await network.serve()
        await deploy(network.access, PROBE, "probe")
        yield network


async def renew(network, name):
    """Re-enrol a node as an operator does, elsewhere; the network then takes it over."""
    old = network.builder.material.node(name)
    elsewhere = load_material(network.topology, network.builder.material.root)
    await NetworkRegistrar(network.topology, elsewhere).renew_node(name)
    return old


async def put(network, value, organization="Org1"):
    return await contract(network.access, "probe", organization).submit_transaction(
        "put", "lamp", value
    )


async def block_signer(access):
    """The certificate behind the signature of the newest block."""
    newest = (await ordered_chain(access))[-1]
    signature = Metadata.FromString(newest.metadata.metadata[0]).signatures[0]
    header = SignatureHeader.FromString(signature.signature_header)
    return SerializedIdentity.FromString(header.creator).id_bytes


async def revoke(network, organization, name):
    """Revoke what a node had before its renewal, and tell the channel."""
    authority = NetworkRegistrar(network.topology, network.access.material).authority(organization)
    registrar = await authority.enroll(REGISTRAR, REGISTRAR_SECRET)
    details = name.signing_identity.details
    root = network.builder.material.organization(organization).ca.certificate
    revoked = await registrar.revoke(
        serial=f"{details.serial_number:x}", authority_key_id=root.subject_key_id.hex(), crl=True
    )
    operations = ChannelOperations(network.access)
    (channel,) = network.topology.channels

    def change(config):
        return changes.add_revocations(config, organization, [revoked.crl])

    envelope = await operations.propose(channel, change)
    signers = operations.organizations(channel)
    await operations.submit(channel, operations.sign(envelope, signers), "")


async def test_a_peer_endorses_with_its_new_certificate(network):
    assert await put(network, "brass") == b"brass"
    old = await renew(network, PEER)
    assert await network.renew() == [PEER]
    renewed = network.builder.material.node(PEER)
    assert renewed.certificate_pem != old.certificate_pem
    assert set(renewed.signing_identity.certificate.subject) == set(
        old.signing_identity.certificate.subject
    )
    assert await put(network, "iron") == b"iron"
    await revoke(network, "Org1MSP", old)
    assert await put(network, "tin") == b"tin"
    assert await put(network, "lead", "Org2") == b"lead"
    await settled_height(network.access)


async def test_an_orderer_signs_blocks_with_its_new_certificate(network):
    old = await renew(network, ORDERER)
    assert await block_signer(network.access) == old.certificate_pem
    assert await network.renew() == [ORDERER]
    assert await put(network, "iron") == b"iron"
    renewed = network.builder.material.node(ORDERER)
    assert await block_signer(network.access) == renewed.certificate_pem
    await revoke(network, "OrdererMSP", old)
    assert await put(network, "tin") == b"tin"
    await settled_height(network.access)


async def test_an_orderer_of_a_cluster_is_renewed_while_the_others_order(tmp_path):
    text = "consensus: raft\norderer_organizations: [{name: Orderer, orderers: 3}]"
    free = Topology.parse(text).with_ports(lambda _: 0)
    network = Network.create(free, NetworkHome(tmp_path / "net"))
    async with network:
        await network.serve()
        await deploy(network.access, PROBE, "probe")
        for orderer in network.topology.orderers():
            old = await renew(network, orderer.name)
            assert await network.renew() == [orderer.name]
            assert network.builder.material.node(orderer.name).tls == old.tls
            await until_traded(network, orderer.name)


async def until_traded(network, value):
    """Trade as soon as there is a leader again."""
    while True:
        with suppress(GridloomError):
            assert await put(network, value) == value.encode()
            return
        await asyncio.sleep(0.05)


async def test_the_new_certificate_for_tls_is_shown(network):
    (place,) = (peer for peer in network.topology.peers() if peer.name == PEER)
    address = (place.host, place.port)
    old = await renew(network, PEER)

    async def shown():
        return (await asyncio.to_thread(ssl.get_server_certificate, address)).encode()

    assert await shown() == old.tls.certificate
    await network.renew()
    renewed = network.builder.material.node(PEER).tls.certificate
    assert renewed != old.tls.certificate
    assert await shown() == renewed
    assert hosts_of(parse_pem(renewed)) == hosts_of(parse_pem(old.tls.certificate))


async def test_what_is_under_way_elsewhere_goes_on(network):
    """Org2's client trades all the time while Org1's peer is renewed."""
    await renew(network, PEER)
    stopped = asyncio.Event()
    traded = []

    async def trade():
        while not stopped.is_set():
            query = await contract(network.access, "probe", "Org2").evaluate_transaction(
                "get", "lamp"
            )
            traded.append(query)
            await asyncio.sleep(0)

    trading = asyncio.create_task(trade())
    await network.renew()
    stopped.set()
    await trading
    assert traded
    assert await put(network, "brass", "Org2") == b"brass"


async def test_nothing_happens_where_nothing_has_changed(network):
    peer = network.peers[PEER]
    assert await network.renew() == []
    assert network.peers[PEER] is peer


async def test_who_is_no_node_is_not_renewed(network):
    with pytest.raises(UnknownNode, match="peer9"):
        await network.restart("peer9.org1.example.com")


async def test_what_would_come_back_empty_is_not_restarted():
    async with Network.in_memory() as network:
        with pytest.raises(DataInMemory, match=PEER):
            await network.restart(PEER)


@pytest.mark.parametrize("options", [(), pytest.param(("--processes",), marks=pytest.mark.slow)])
def test_a_network_that_runs_is_told_by_a_command(tmp_path, options):
    with NetworkProcess(tmp_path / "home", *options) as network:
        folder = network.home.path
        deployed = gridloom("chaincode", "deploy", PROBE, folder=folder)
        assert deployed.returncode == 0, deployed.stderr
        before = network.home.state()["processes"]
        renewed = gridloom("ca", "renew", PEER, ORDERER, folder=folder)
        assert renewed.returncode == 0, renewed.stderr
        assert f"{PEER} has a new certificate, serial number" in renewed.stdout
        asyncio.run(taken_over(network))
        while before:  # the orderer has another process now; the peer gets one after it
            after = network.home.state()["processes"]
            assert after.keys() == before.keys()
            if all(after[name] != before[name] for name in (PEER, ORDERER)):
                break
            time.sleep(0.05)


def test_a_command_for_nobody_or_to_nobody_is_refused(tmp_path):
    with NetworkProcess(tmp_path / "home") as network:
        folder = network.home.path
        unknown = gridloom("ca", "renew", "peer9.org1.example.com", folder=folder)
        assert unknown.returncode == 1
        assert "no such node" in unknown.stderr
    assert gridloom("ca", "renew", PEER, folder=folder).returncode == 1


async def taken_over(network):
    """Trade until a block carries the orderer's new signature, whatever fails meanwhile."""
    async with network.access() as access:
        wanted = access.material.node(ORDERER).certificate_pem
        while True:
            with suppress(GridloomError):
                await contract(access, "probe").submit_transaction("put", "a", "b")
                if await block_signer(access) == wanted:
                    return
            await asyncio.sleep(0.05)

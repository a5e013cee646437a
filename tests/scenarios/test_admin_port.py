"""The orderer's admin port as a network serves it: under mutual TLS, or in the clear."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gridloom.client.admin import ChaincodeDefinition
from gridloom.client.admin.participation import AdminUnreachable, OrdererAdmin, ParticipationError
from gridloom.common.rpc.tls import ClientTls
from gridloom.deploy.access import GrpcConnector, NetworkAccess
from gridloom.deploy.channels import ChannelOperations
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from harness.network import PROBE

FREE = """
orderer_organizations: [{name: Orderer, orderers: [{port: 0}]}]
organizations: [{name: Org1, peers: [{port: 0}]}, {name: Org2, peers: [{port: 0}]}]
"""


@pytest.fixture(params=[True, False], ids=["tls", "clear"])
async def network(request) -> AsyncIterator[Network]:
    topology = replace(Topology.parse(FREE), tls=request.param)
    async with Network.in_memory(topology) as network:
        await network.serve()
        yield network


@pytest.fixture
async def access(network) -> AsyncIterator[NetworkAccess]:
    """The network as others reach it, over its ports."""
    material = network.builder.material
    access = NetworkAccess(network.topology, material, GrpcConnector(network.topology, material))
    yield access
    await access.close()


async def test_a_channel_is_made_used_and_given_up_over_the_ports(access):
    operations = ChannelOperations(access)
    spec = operations.described("later", "", ["Org1"])
    block = await operations.create(spec)
    await operations.join(spec, operations.peers(spec), block)
    definition = ChaincodeDefinition("probe")
    await access.deploy_chaincode(package_source(PROBE, label="probe"), definition, spec)
    probe = access.gateway("Org1").get_network("later").get_contract("probe")
    assert await probe.submit_transaction("put", "lamp", "brass") == b"brass"

    (node,) = access.topology.orderers()
    admin = operations.orderer_admin(node)
    assert await admin.channels() == ["later", "mychannel"]
    assert (await admin.channel("later")).height > 3
    with pytest.raises(ParticipationError, match="channel already exists"):
        await operations.create(spec)
    await operations.remove(spec)
    assert await admin.channels() == ["mychannel"]
    assert await probe.evaluate_transaction("get", "lamp") == b"brass"


async def test_nobody_without_the_orderers_certificates_is_let_in(network, access):
    (node,) = access.topology.orderers()
    material = network.builder.material
    root = material.node(node.name).tls.root
    stranger = material.user("Org1MSP", "Admin").tls
    member = material.node(node.name).tls
    as_node = OrdererAdmin(node.admin_endpoint, ClientTls(root, member.certificate, member.key))
    if not network.topology.tls:
        with pytest.raises(AdminUnreachable):
            await as_node.channels()
        assert await OrdererAdmin(node.admin_endpoint).channels() == ["mychannel"]
        return
    # osnadmin shows the node's own certificate in the samples
    assert await as_node.channels() == ["mychannel"]
    for tls in (
        None,
        ClientTls(root),
        ClientTls(root, stranger.certificate, stranger.key),
        ClientTls(stranger.root, member.certificate, member.key),
    ):
        with pytest.raises(AdminUnreachable):
            await OrdererAdmin(node.admin_endpoint, tls).channels()

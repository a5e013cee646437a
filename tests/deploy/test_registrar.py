"""Users enrolled with the CAs of a network that runs, and kept as its material."""

import pytest

from gridloom.client.enrollment import AuthorityRefused, AuthorityUnreachable
from gridloom.common.certificates import attributes, parse_pem
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.material import MaterialError, load_material
from gridloom.deploy.network import Network
from gridloom.deploy.registrar import NetworkRegistrar
from gridloom.deploy.topology import Topology
from harness.network import PROBE, deploy


@pytest.fixture
async def network(tmp_path):
    free = Topology.default().with_ports(lambda _: 0)
    network = Network.create(free, NetworkHome(tmp_path / "net"))
    async with network:
        await network.serve()
        yield network


@pytest.fixture
def registrar(network):
    return NetworkRegistrar(network.topology, network.access.material)


async def test_who_is_enrolled_trades_and_is_kept(network, registrar):
    alice = await registrar.enroll_user("Org1", "alice", {"gridloom.role": "SU"})
    certificate = alice.signing_identity.certificate
    assert attributes(certificate)["gridloom.role"] == "SU"
    assert alice.role == "client"
    await deploy(network.access, PROBE, "probe")
    contract = network.access.gateway("Org1", "alice").get_network("mychannel")
    assert await contract.get_contract("probe").submit_transaction("put", "a", "b") == b"b"
    kept = load_material(network.topology, network.builder.material.root).user("Org1", "alice")
    assert kept.certificate_pem == alice.certificate_pem
    assert kept.private_key_pem == alice.private_key_pem
    root = parse_pem(kept.tls.root)
    assert parse_pem(kept.tls.certificate).is_issued_by(root)


async def test_each_organization_has_a_ca_of_its_own(network, registrar):
    first = await registrar.enroll_user("Org1", "alice")
    second = await registrar.enroll_user("Org2MSP", "alice")
    assert first.msp_id == "Org1MSP"
    assert second.msp_id == "Org2MSP"
    with pytest.raises(MaterialError, match="no such organization"):
        await registrar.enroll_user("Org9", "alice")


async def test_nobody_is_enrolled_twice(network, registrar):
    await registrar.enroll_user("Org1", "alice")
    for name in ("alice", "User1"):
        with pytest.raises(MaterialError, match="exists already"):
            await registrar.enroll_user("Org1", name)
    with pytest.raises(AuthorityRefused, match="already registered"):
        await registrar.enroll_user("Org1", "admin")


@pytest.mark.parametrize("name", ["", "../x", ".x", "a@b"])
async def test_a_name_that_is_no_folder_is_refused(network, registrar, name):
    with pytest.raises(MaterialError):
        await registrar.enroll_user("Org1", name)
    assert set(network.access.material.organization("Org1").users) == {"Admin", "User1"}


async def test_without_a_server_nobody_is_enrolled(tmp_path):
    free = Topology.default().with_ports(lambda _: 0)
    network = Network.create(free, NetworkHome(tmp_path / "net"))
    registrar = NetworkRegistrar(network.topology, network.access.material)
    with pytest.raises(AuthorityUnreachable, match="refused"):
        await registrar.enroll_user("Org1", "alice")
    await network.stop()

"""The CA servers of a network: where they are, whom they know, what they keep."""

import ssl
from datetime import timedelta

import pytest

from gridloom.ca.home import open_authority
from gridloom.ca.settings import load_settings
from gridloom.client.enrollment import (
    AuthorityRefused,
    AuthorityUnreachable,
    CertificateAuthority,
    EnrollmentRequest,
    Registration,
)
from gridloom.common.certificates import attributes, parse_pem
from gridloom.common.msp import Msp
from gridloom.common.rpc.tls import ClientTls
from gridloom.deploy.authorities import REGISTRAR, REGISTRAR_SECRET
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.network_state import describe
from gridloom.deploy.nodes import utc_now
from gridloom.deploy.topology import Topology

FREE = Topology.default().with_ports(lambda _: 0)


@pytest.fixture
def home(tmp_path):
    return NetworkHome(tmp_path / "net")


def listed(network, home, name):
    """Return what network.json says of a CA."""
    material = network.builder.material
    state = describe(home, network.topology, material, process_id=None, mode="single")
    return next(each for each in state["certificate_authorities"] if each["name"] == name)


def authority_of(network, home, name="ca-org1", trusted="ca_cert"):
    ca = listed(network, home, name)
    with open(ca[trusted], "rb") as roots:
        return CertificateAuthority(ca["url"], name, ClientTls(roots.read()))


async def test_every_organization_has_a_ca_whose_certificates_its_msp_takes(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        for org in network.topology.every_organization():
            name = org.authority.name
            admin = await authority_of(network, home, name).enroll(REGISTRAR, REGISTRAR_SECRET)
            msp = Msp.from_config(network.builder.material.msp_config(org.msp_id))
            identity = msp.identity(admin.certificate_pem)
            msp.validate(identity)
            assert identity.details.organizational_units == ("client",)
            assert (
                admin.info.chain
                == network.builder.material.organization(org.msp_id).ca.certificate.pem()
            )


async def test_files_are_where_the_test_network_has_them(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        for folder, domain in (("org1", "org1.example.com"), ("ordererOrg", "example.com")):
            place = home.organizations / "fabric-ca" / folder
            root = parse_pem((place / "ca-cert.pem").read_bytes())
            server = parse_pem((place / "tls-cert.pem").read_bytes())
            assert root.common_name == f"ca.{domain}"
            assert server.is_issued_by(root)
            (key,) = (place / "msp" / "keystore").iterdir()
            assert key.stat().st_mode & 0o777 == 0o600
        assert listed(network, home, "ca-org1")["tls_cert"].endswith("fabric-ca/org1/tls-cert.pem")


@pytest.mark.parametrize("trusted", ["ca_cert", "tls_cert"])
async def test_its_own_certificate_is_enough_to_trust_it(home, trusted):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        assert (await authority_of(network, home, trusted=trusted).info()).name == "ca-org1"


async def test_who_trusts_another_root_does_not_talk(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        ca = listed(network, home, "ca-org1")
        other = network.builder.material.organization("Org2MSP").ca.certificate.pem()
        with pytest.raises(AuthorityUnreachable, match="certificate verify failed") as failed:
            await CertificateAuthority(ca["url"], "ca-org1", ClientTls(other)).info()
        assert isinstance(failed.value.__cause__, ssl.SSLError)


async def test_what_a_ca_knows_survives_a_restart(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        authority = authority_of(network, home)
        admin = await authority.enroll(REGISTRAR, REGISTRAR_SECRET)
        secret = await admin.register(Registration("alice", affiliation="org1.department1"))
        shown = (home.organizations / "fabric-ca" / "org1" / "tls-cert.pem").read_bytes()
    again = Network.create(network.topology, home)
    async with again:
        await again.serve()
        authority = authority_of(again, home)
        assert (await authority.enroll("alice", secret)).name == "alice"
        admin = authority.identity(admin.certificate_pem, admin.private_key)
        known = [identity.name for identity in await admin.identities()]
        assert sorted(known) == [
            "Admin@org1.example.com", "User1@org1.example.com", "admin", "alice",
            "peer0.org1.example.com",
        ]  # fmt: skip
        assert shown == (home.organizations / "fabric-ca" / "org1" / "tls-cert.pem").read_bytes()


async def test_whom_the_material_knows_can_re_enrol_and_be_revoked(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        material, authority = network.builder.material, authority_of(network, home)
        user = material.issue_user("Org1", "alice", attributes={"trader": "true"})
        admin = await authority.enroll(REGISTRAR, REGISTRAR_SECRET)
        alice = authority.identity(user.certificate_pem, user.private_key)
        renewed = await alice.reenroll()
        certificate = renewed.signer("Org1MSP").certificate
        assert attributes(certificate)["trader"] == "true"
        revoked = await admin.revoke(user.name)
        assert len(revoked.certificates) == 2
        with pytest.raises(AuthorityRefused, match="Authentication failure"):
            await renewed.reenroll()


async def test_its_folder_is_a_home_of_a_ca_whose_settings_count(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
    folder = home.organizations / "fabric-ca" / "org1"
    settings = folder / "fabric-ca-server-config.yaml"
    settings.write_text(
        settings.read_text() + "crl: {expiry: 48h}\nsigning: {default: {expiry: 1h}}"
    )
    again = Network.create(network.topology, home)
    async with again:
        await again.serve()
        admin = await authority_of(again, home).enroll(REGISTRAR, REGISTRAR_SECRET)
        details = parse_pem(admin.certificate_pem)
        assert details.not_after - details.not_before < timedelta(hours=2)
    authority = open_authority(load_settings(folder, {}).homes[0], utc_now)
    try:
        assert authority.certificate.pem() == admin.info.chain
    finally:
        authority.close()


async def test_nobody_enrols_as_whom_the_material_made(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        for secret in ("", "adminpw", "x" * 2000):
            with pytest.raises(AuthorityRefused, match="Authentication failure"):
                await authority_of(network, home).enroll("Admin@org1.example.com", secret)


async def test_a_network_without_tls_or_disk_has_cas_too():
    topology = Topology.parse("tls: false").with_ports(lambda _: 0)
    network = Network.in_memory(topology)
    async with network:
        await network.serve()
        node = network.topology.organizations[0].authority
        authority = CertificateAuthority(f"http://{node.endpoint}", node.name)
        admin = await authority.enroll(REGISTRAR, REGISTRAR_SECRET)
        await admin.register(Registration("alice"))
        with pytest.raises(AuthorityRefused, match="already registered"):
            await admin.register(Registration("alice"))


async def test_servers_get_certificates_for_tls(home):
    network = Network.create(FREE, home)
    async with network:
        await network.serve()
        admin = await authority_of(network, home).enroll(REGISTRAR, REGISTRAR_SECRET)
        request = EnrollmentRequest(profile="tls", hosts=("web.example.com",))
        certificate = parse_pem((await admin.reenroll(request)).certificate_pem)
        assert len(certificate.extended_key_usages) == 2

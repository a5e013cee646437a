"""A whole network's material, in memory and on disk."""

import json
import random
import ssl
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from gridloom.common import certificates
from gridloom.common.identities import InvalidSignature
from gridloom.common.msp import Msp, MspManager
from gridloom.common.msp_directory import load_msp, load_signing_identity
from gridloom.deploy.material import Material, MaterialError, create_material, load_material
from gridloom.deploy.topology import Topology
from gridloom.protos.msp.msp_principal_pb2 import MSPRole
from harness.authorities import NOW, Clock, role
from harness.shared import shared

TOPOLOGY = Topology.default()
GOLDEN = shared("golden", "msp", "crypto")


def create(root: Path | None = None, *, seed: int = 1, topology: Topology = TOPOLOGY) -> Material:
    return create_material(topology, root, Clock(), random.Random(seed).randbytes)


def channel(material: Material) -> MspManager:
    return MspManager(Msp.from_config(org.msp_config()) for org in material.organizations.values())


def files_below(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_everybody_is_a_member_in_the_right_role_and_signs():
    material = create()
    msps = channel(material)
    expected = {
        "peer0.org1.example.com": MSPRole.PEER,
        "peer0.org2.example.com": MSPRole.PEER,
        "orderer.example.com": MSPRole.ORDERER,
        "Admin@org1.example.com": MSPRole.ADMIN,
        "User1@org1.example.com": MSPRole.CLIENT,
        "Admin@org2.example.com": MSPRole.ADMIN,
        "User1@org2.example.com": MSPRole.CLIENT,
        "Admin@example.com": MSPRole.ADMIN,
    }
    everybody = {
        enrollment.name: enrollment
        for org in material.organizations.values()
        for enrollment in (*org.nodes.values(), *org.users.values())
    }
    assert everybody.keys() == expected.keys()
    for name, kind in expected.items():
        signer = everybody[name].signing_identity
        identity = msps.deserialize(signer.serialized)
        msps.satisfies(identity, role(kind, signer.msp_id))
        identity.verify(b"message", signer.sign(b"message"))
        with pytest.raises(InvalidSignature):
            identity.verify(b"massage", signer.sign(b"message"))


def test_the_tree_has_cryptogens_files_and_the_profiles_beside(tmp_path):
    """cryptogen made the golden tree, with one more user in each peer organization."""
    create(tmp_path)
    golden = {name for name in files_below(GOLDEN) if "User2@" not in name}
    ours = files_below(tmp_path)
    keys = {name for name in ours if name.endswith((".key", "priv_sk"))}
    profiles = {name for name in ours if "/connection-org" in name}
    assert ours - keys - profiles == golden  # golden holds no private keys
    assert {Path(name).name for name in profiles} == {
        "connection-org1.json", "connection-org1.yaml",
        "connection-org2.json", "connection-org2.yaml",
    }  # fmt: skip
    for name in keys:
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert len(keys) == 3 * 2 + 8 * 2


def test_every_folder_is_an_msp_that_fabric_could_load(tmp_path):
    material = create(tmp_path)
    for org in material.organizations.values():
        (domain,) = tmp_path.glob(f"*/{org.domain}")
        assert load_msp(domain / "msp", org.msp_id) == org.msp_config()
        for folder in (*domain.glob("*s/*/msp"),):
            signer = load_signing_identity(folder, org.msp_id, Clock())
            assert signer.serialized
            assert load_msp(folder, org.msp_id) == org.msp_config()


def test_tls_certificates_serve_every_name_of_a_node_and_match_their_keys(tmp_path):
    material = create(tmp_path)
    peer = material.node("peer0.org1.example.com")
    certificate = certificates.parse_pem(peer.tls.certificate).certificate
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [
        "peer0.org1.example.com",
        "peer0",
        "localhost",
    ]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    for org in material.organizations.values():
        (domain,) = tmp_path.glob(f"*/{org.domain}")
        for tls in domain.glob("*s/*/tls"):
            kind = "client" if tls.parent.parent.name == "users" else "server"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / f"{kind}.crt", tls / f"{kind}.key")
            context.load_verify_locations(tls / "ca.crt")


def test_what_was_written_is_read_back(tmp_path):
    written = create(tmp_path)
    read = load_material(TOPOLOGY, tmp_path, Clock(), random.Random(9).randbytes)
    assert read.organizations.keys() == written.organizations.keys()
    for msp_id, org in written.organizations.items():
        twin = read.organizations[msp_id]
        assert twin.msp_config() == org.msp_config()
        assert (twin.nodes.keys(), twin.users.keys()) == (org.nodes.keys(), org.users.keys())
        for mine, theirs in zip(
            [*org.nodes.values(), *org.users.values()],
            [*(twin.nodes[n] for n in org.nodes), *(twin.users[n] for n in org.users)],
            strict=True,
        ):
            assert (mine.name, mine.role, mine.tls) == (theirs.name, theirs.role, theirs.tls)
            assert mine.private_key_pem == theirs.private_key_pem
            assert mine.certificate_pem == theirs.certificate_pem


def test_a_seed_repeats_a_network_and_another_one_does_not():
    first, second, other = create(seed=4), create(seed=4), create(seed=5)
    assert first.msp_config("Org1") == second.msp_config("Org1")
    assert first.user("Org1", "User1").tls == second.user("Org1", "User1").tls
    assert first.msp_config("Org1") != other.msp_config("Org1")


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_user_issued_later_carries_attributes_and_survives_a_restart(tmp_path, on_disk):
    material = create(tmp_path if on_disk else None)
    alice = material.issue_user("Org1", "alice", attributes={"trader": "true"})
    assert material.user("Org1MSP", "alice") is alice
    assert certificates.attributes(alice.signing_identity.certificate) == {
        "hf.Affiliation": "",
        "hf.EnrollmentID": "alice",
        "hf.Type": "client",
        "trader": "true",
    }
    msps = channel(material)
    msps.satisfies(msps.deserialize(alice.signing_identity.serialized), role(MSPRole.CLIENT))
    if on_disk:
        again = load_material(TOPOLOGY, tmp_path, Clock(), random.Random(9).randbytes)
        assert again.user("org1.example.com", "alice").certificate_pem == alice.certificate_pem
        bob = again.issue_user("Org1", "bob", role="admin")
        msps.satisfies(msps.deserialize(bob.signing_identity.serialized), role(MSPRole.ADMIN))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a@b", "../evil", "a\nb", "User1"])
def test_a_user_needs_a_name_that_is_free_and_fit_for_a_folder(tmp_path, name):
    material = create(tmp_path / "net")
    before = files_below(tmp_path)
    with pytest.raises(MaterialError):
        material.issue_user("Org1", name)
    assert files_below(tmp_path) == before


def test_unknown_roles_organizations_nodes_and_users_are_named():
    material = create()
    with pytest.raises(MaterialError, match="role 'boss'"):
        material.issue_user("Org1", "eve", role="boss")
    with pytest.raises(MaterialError, match="Org9"):
        material.organization("Org9")
    with pytest.raises(MaterialError, match="peer9"):
        material.node("peer9")
    with pytest.raises(MaterialError, match=r"eve@org1\.example\.com"):
        material.user("Org1", "eve")
    assert "eve" not in material.organization("Org1").users


def test_material_is_never_written_over(tmp_path):
    create(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)}
    with pytest.raises(MaterialError, match="already"):
        create(tmp_path, seed=2)
    assert {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)} == before


@pytest.mark.parametrize(
    "missing",
    [
        "peerOrganizations/org1.example.com/ca/priv_sk",
        "peerOrganizations/org1.example.com/tlsca/tlsca.org1.example.com-cert.pem",
        "ordererOrganizations/example.com/orderers/orderer.example.com/msp/keystore/priv_sk",
        "peerOrganizations/org2.example.com/peers/peer0.org2.example.com/tls/server.key",
        "peerOrganizations/org1.example.com/users/User1@org1.example.com/msp/signcerts/"
        "User1@org1.example.com-cert.pem",
    ],
)
def test_a_missing_file_is_named(tmp_path, missing):
    create(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(MaterialError) as caught:
        load_material(TOPOLOGY, tmp_path, Clock())
    assert missing.startswith(str(Path(caught.value.subject).relative_to(tmp_path)))


def test_a_user_of_the_description_who_is_not_there_is_named(tmp_path):
    create(tmp_path)
    with_more = Topology.parse("organizations: [{name: Org1, users: [User1, carol]}]")
    with pytest.raises(MaterialError, match="carol"):
        load_material(with_more, tmp_path, Clock())


def test_profiles_have_the_test_networks_fields(tmp_path):
    material = create(tmp_path)
    folder = tmp_path / "peerOrganizations" / "org2.example.com"
    profile = json.loads((folder / "connection-org2.json").read_bytes())
    assert yaml.safe_load((folder / "connection-org2.yaml").read_bytes()) == profile
    tls_root = material.organization("Org2").tls_root.decode()
    assert profile == {
        "name": "test-network-org2",
        "version": "1.0.0",
        "client": {
            "organization": "Org2",
            "connection": {"timeout": {"peer": {"endorser": "300"}}},
        },
        "organizations": {
            "Org2": {
                "mspid": "Org2MSP",
                "peers": ["peer0.org2.example.com"],
                "certificateAuthorities": ["ca.org2.example.com"],
            }
        },
        "peers": {
            "peer0.org2.example.com": {
                "url": "grpcs://localhost:9051",
                "tlsCACerts": {"pem": tls_root},
                "grpcOptions": {
                    "ssl-target-name-override": "peer0.org2.example.com",
                    "hostnameOverride": "peer0.org2.example.com",
                },
            }
        },
        "certificateAuthorities": {
            "ca.org2.example.com": {
                "url": "https://localhost:8054",
                "caName": "ca-org2",
                "tlsCACerts": {"pem": [(folder / "ca/ca.org2.example.com-cert.pem").read_text()]},
                "httpOptions": {"verify": False},
            }
        },
    }


def test_profiles_wait_for_ports_that_are_not_known_yet(tmp_path):
    free = TOPOLOGY.with_ports(lambda port: 0)
    material = create(tmp_path, topology=free)
    assert not list(tmp_path.rglob("connection-*"))
    ports = iter(range(40000, 40010))
    material.write_connection_profiles(free.with_ports(lambda port: next(ports)))
    profile = json.loads(next(tmp_path.rglob("connection-org1.json")).read_bytes())
    assert profile["peers"]["peer0.org1.example.com"]["url"] == "grpcs://localhost:40001"


def test_without_tls_a_profile_offers_plain_addresses(tmp_path):
    create(tmp_path, topology=Topology.parse("tls: false"))
    profile = json.loads(next(tmp_path.rglob("connection-org1.json")).read_bytes())
    assert profile["peers"]["peer0.org1.example.com"] == {"url": "grpc://localhost:7051"}


def test_private_keys_are_not_shown():
    enrollment = create().user("Org1", "User1")
    secret = enrollment.private_key.private_numbers().private_value
    for text in (repr(enrollment), str(enrollment), repr(enrollment.signing_identity)):
        assert "PRIVATE" not in text
        assert str(secret) not in text


def test_certificates_count_from_the_clock_given():
    certificate = create().user("Org1", "User1").signing_identity.details
    assert certificate.not_before <= NOW < certificate.not_after

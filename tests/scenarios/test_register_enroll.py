"""The test network's way to its credentials: fabric-ca-client on the PATH, and a script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.x509 import DNSName, SubjectAlternativeName

from gridloom.client import Gateway, GatewayError
from gridloom.common.certificates import parse_pem
from gridloom.common.msp import Msp
from gridloom.common.msp_directory import load_msp, load_signing_identity
from harness.network import PROBE, NetworkProcess, gridloom

SCRIPT = Path(__file__).parents[1] / "data" / "register_enroll.sh"
PROGRAMS = Path(sys.executable).parent

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with NetworkProcess(tmp_path_factory.mktemp("network") / "home") as network:
        deployed = gridloom("chaincode", "deploy", PROBE, folder=network.home.path)
        assert deployed.returncode == 0, deployed.stderr
        yield network


def port_of(network, name):
    state = network.home.state()
    ca = next(each for each in state["certificate_authorities"] if each["name"] == name)
    return ca["url"].rpartition(":")[2]


def run_script(folder, network, kind, ca):
    """Run the script beside the network's CAs; return the folder of organizations."""
    organizations = folder / "organizations"
    organizations.mkdir(exist_ok=True)
    (organizations / "fabric-ca").symlink_to(network.home.organizations / "fabric-ca")
    port = port_of(network, ca)
    finished = subprocess.run(
        ["sh", SCRIPT, kind, port],
        cwd=folder,
        env={"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert "Password: " in finished.stdout
    assert "peer0pw" not in finished.stderr + finished.stdout.replace("Password: peer0pw", "")
    return organizations, port


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def hosts_of(certificate):
    return certificate.extension(SubjectAlternativeName).get_values_for_type(DNSName)


async def test_an_organization_of_peers(network, tmp_path):
    organizations, port = run_script(tmp_path, network, "peer", "ca-org1")
    org = organizations / "peerOrganizations" / "org1.example.com"
    root = f"cacerts/localhost-{port}-ca-org1.pem"
    peer, user = org / "peers" / "peer0.org1.example.com", org / "users" / "User1@org1.example.com"
    (key,) = [file for file in files(user / "msp") if file.startswith("keystore/")]
    assert key.endswith("_sk")
    assert files(user / "msp") == [root, "config.yaml", key, "signcerts/cert.pem"]
    assert root in files(org / "msp")
    msp = Msp.from_config(load_msp(org / "msp", "Org1MSP"))
    units = {peer: "peer", user: "client", org / "users" / "Admin@org1.example.com": "admin"}
    for member, unit in units.items():
        signer = load_signing_identity(member / "msp", "Org1MSP")
        msp.validate(msp.identity(signer.certificate_pem))
        assert signer.details.organizational_units == (unit,)
    certificate = parse_pem((peer / "tls" / "server.crt").read_bytes())
    assert certificate.is_issued_by(parse_pem((peer / "tls" / "ca.crt").read_bytes()))
    assert hosts_of(certificate) == ["peer0.org1.example.com", "localhost"]
    assert b"PRIVATE KEY" in (peer / "tls" / "server.key").read_bytes()
    signer = load_signing_identity(user / "msp", "Org1MSP")
    await trade(network, signer)
    revoke(network, org, port)
    with pytest.raises(GatewayError, match="access denied"):
        await trade(network, signer)


def revoke(network, home, port):
    """Revoke the user, and bring the list of it into the channel."""
    root = network.home.organizations / "fabric-ca" / "org1" / "ca-cert.pem"
    place = ("-u", f"https://localhost:{port}", "--caname", "ca-org1", "-H", home)
    told = gridloom("ca", "revoke", "-e", "user1", "--gencrl", *place, "--tls.certfiles", root)
    assert told.returncode == 0, told.stderr
    crl = home / "msp" / "crls" / "crl.pem"
    folder = network.home.path
    told = gridloom("channel", "config", "revoke", "Org1", "--crl", crl, folder=folder)
    assert told.returncode == 0, told.stderr


async def trade(network, signer):
    """Whom the CA certified may trade at once: it is the root of the channel's MSP."""
    async with network.access() as access:
        gateway = Gateway(access.peer("peer0.org1.example.com"), signer)
        contract = gateway.get_network("mychannel").get_contract("probe")
        assert await contract.submit_transaction("put", "lamp", "brass") == b"brass"


async def test_an_organization_of_orderers(network, tmp_path):
    organizations, _ = run_script(tmp_path, network, "orderer", "ca-orderer")
    org = organizations / "ordererOrganizations" / "example.com"
    orderer = org / "orderers" / "orderer.example.com"
    signer = load_signing_identity(orderer / "msp", "OrdererMSP")
    assert signer.details.organizational_units == ("orderer",)
    certificate = parse_pem((orderer / "tls" / "server.crt").read_bytes())
    assert hosts_of(certificate) == ["orderer.example.com", "localhost"]
    admin = load_signing_identity(org / "users" / "Admin@example.com" / "msp", "OrdererMSP")
    assert admin.details.organizational_units == ("admin",)

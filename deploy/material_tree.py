"""Crypto material on disk: the ``organizations/`` tree of fabric-samples' test network.

    peerOrganizations/org1.example.com/
        ca/  tlsca/                     ca.org1.example.com-cert.pem  priv_sk
        msp/                            what the channel configuration holds
        peers/peer0.org1.example.com/   msp/  tls/{ca.crt,server.crt,server.key}
        users/User1@org1.example.com/   msp/  tls/{ca.crt,client.crt,client.key}
        connection-org1.json  connection-org1.yaml
    ordererOrganizations/example.com/   the same with orderers/

(Fabric: cryptogen's output)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gridloom.ca.issuer import Issuer
from gridloom.common import certificates, crypto
from gridloom.common.errors import GridloomError
from gridloom.common.identities import SigningIdentity
from gridloom.common.keystore import find_key
from gridloom.common.msp_files import ROLES, write_file, write_msp

from .connection_profile import ConnectionProfile
from .enrollment import Enrollment, Kind, MaterialError, OrganizationMaterial, TlsMaterial
from .topology import OrdererOrganization, Organization


def exists(root: Path) -> bool:
    """Does ``root`` hold crypto material already?"""
    return any((root / f"{kind}Organizations").exists() for kind in ("peer", "orderer"))


def organization_directory(root: Path, kind: Kind, domain: str) -> Path:
    """Return an organization's folder."""
    return root / f"{kind}Organizations" / domain


def write_organization(root: Path, org: OrganizationMaterial) -> None:
    """Write an organization's CAs, MSP folder, nodes and users."""
    directory = organization_directory(root, org.kind, org.domain)
    org.ca.save(directory / "ca")
    org.tls_ca.save(directory / "tlsca")
    write_msp(directory / "msp", org.msp_files())
    for node in org.nodes.values():
        write_node(root, org, node)
    for user in org.users.values():
        write_user(root, org, user)


def write_node(root: Path, org: OrganizationMaterial, node: Enrollment) -> None:
    """Write one node's msp and tls folders."""
    directory = organization_directory(root, org.kind, org.domain)
    _write_enrollment(directory / f"{org.kind}s" / node.name, org, node, "server")


def write_user(root: Path, org: OrganizationMaterial, user: Enrollment) -> None:
    """Write one user's msp and tls folders."""
    directory = organization_directory(root, org.kind, org.domain)
    _write_enrollment(directory / "users" / user.name, org, user, "client")


def write_profile(root: Path, org: OrganizationMaterial, profile: ConnectionProfile) -> None:
    """Write an organization's connection profile in both forms."""
    directory = organization_directory(root, org.kind, org.domain)
    stem = f"connection-{org.name.lower()}"
    write_file(directory / f"{stem}.json", profile.json())
    write_file(directory / f"{stem}.yaml", profile.yaml())


def read_organization(
    root: Path,
    spec: Organization | OrdererOrganization,
    now: Callable[[], datetime],
    random_bytes: crypto.RandomBytes,
) -> OrganizationMaterial:
    """Read an organization with the nodes of its description and every user there is.

    MaterialError names the folder that is missing or malformed.
    """
    kind: Kind = "peer" if isinstance(spec, Organization) else "orderer"
    directory = organization_directory(root, kind, spec.domain)

    def authority(name: str) -> Issuer:
        try:
            return Issuer.load(directory / name, now, random_bytes)
        except (OSError, GridloomError) as error:
            raise MaterialError(str(directory / name), str(error)) from error

    org = OrganizationMaterial(spec, authority("ca"), authority("tlsca"))
    for node in spec.peers if isinstance(spec, Organization) else spec.orderers:
        folder = directory / f"{kind}s" / node.name
        org.nodes[node.name] = _read_enrollment(folder, spec.msp_id, "server")
    for folder in sorted((directory / "users").glob("*@*")):
        name = folder.name.partition("@")[0]
        org.users[name] = _read_enrollment(folder, spec.msp_id, "client")
    for user in spec.users:
        if user.name not in org.users:
            missing = directory / "users" / f"{user.name}@{spec.domain}"
            raise MaterialError(str(missing), "no material for this user")
    return org


def _write_enrollment(
    directory: Path, org: OrganizationMaterial, enrollment: Enrollment, tls_name: str
) -> None:
    write_msp(directory / "msp", org.msp_files(enrollment))
    tls = directory / "tls"
    write_file(tls / "ca.crt", enrollment.tls.root)
    write_file(tls / f"{tls_name}.crt", enrollment.tls.certificate)
    write_file(tls / f"{tls_name}.key", enrollment.tls.key, secret=True)


def _read_enrollment(directory: Path, msp_id: str, tls_name: str) -> Enrollment:
    tls = directory / "tls"
    try:
        signcert = next((directory / "msp" / "signcerts").glob("*.pem")).read_bytes()
        certificate = certificates.parse_pem(signcert)
        key = find_key(directory / "msp" / "keystore", certificate)
        return Enrollment(
            name=directory.name,
            role=next(unit for unit in certificate.organizational_units if unit in ROLES),
            signing_identity=SigningIdentity(msp_id, certificate.pem(), key),
            private_key=key,
            tls=TlsMaterial(
                certificate=(tls / f"{tls_name}.crt").read_bytes(),
                key=(tls / f"{tls_name}.key").read_bytes(),
                root=(tls / "ca.crt").read_bytes(),
            ),
        )
    except StopIteration:
        raise MaterialError(str(directory), "no signing certificate with a node OU") from None
    except (OSError, GridloomError) as error:
        raise MaterialError(str(directory), str(error)) from error

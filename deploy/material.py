"""The crypto material of a whole network, in memory or on disk.

    material = create_material(Topology.default(), Path("organizations"))
    material.node("peer0.org1.example.com").signing_identity
    material.issue_user("Org1", "alice", attributes={"trader": "true"})

Each organization has a root CA for identities and one for TLS.  On disk it is the
``organizations/`` tree of fabric-samples' test network (`material_tree.py`).
(Fabric: cryptogen, or fabric-ca with the test network's registerEnroll.sh)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gridloom.ca.issuer import Issuer
from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.certificates import parse_pem
from gridloom.common.identities import SigningIdentity
from gridloom.protos.msp import msp_config_pb2

from . import material_tree
from .connection_profile import ConnectionProfile, ProfileAuthority, ProfilePeer
from .enrollment import Enrollment, MaterialError, OrganizationMaterial, TlsMaterial
from .topology import OrdererOrganization, Organization, Topology, User

__all__ = [
    "Enrollment",
    "Material",
    "MaterialError",
    "OrganizationMaterial",
    "TlsMaterial",
    "create_material",
    "load_material",
]


class Material:
    """All organizations of a network, by MSP id; root: where it is kept, None in memory."""

    def __init__(
        self,
        organizations: Iterable[OrganizationMaterial],
        root: Path | None,
        random_bytes: crypto.RandomBytes,
    ) -> None:
        self.organizations = {org.msp_id: org for org in organizations}
        self.root = root
        self._random_bytes = random_bytes

    def organization(self, name: str) -> OrganizationMaterial:
        """Return the organization with this name, MSP id or domain; MaterialError."""
        for org in self.organizations.values():
            if name in (org.msp_id, org.name, org.domain):
                return org
        raise MaterialError(name, "no such organization")

    def node(self, name: str) -> Enrollment:
        """Return the peer or orderer with this full name; MaterialError."""
        return self._owner(name).nodes[name]

    def tls_certificate(self, name: str) -> bytes:
        """Return PEM of a node's TLS certificate; MaterialError."""
        return self.node(name).tls.certificate

    def identity(self, name: str) -> bytes:
        """Return a node's serialized identity; MaterialError."""
        return self.node(name).signing_identity.serialized

    def msp_config(self, organization: str) -> msp_config_pb2.MSPConfig:
        """Return an organization's verifying MSP; MaterialError."""
        return self.organization(organization).msp_config()

    def user(self, organization: str, name: str) -> Enrollment:
        """Return a user by short name (Admin, User1); MaterialError."""
        org = self.organization(organization)
        if name not in org.users:
            there = ", ".join(sorted(org.users))
            raise MaterialError(f"{name}@{org.domain}", f"no such user; there are {there}")
        return org.users[name]

    def revocation_list(self, organization: str, users: Iterable[str]) -> bytes:
        """Return a PEM list, by the organization's CA, that revokes users; MaterialError."""
        org = self.organization(organization)
        serials = [
            parse_pem(self.user(organization, name).certificate_pem).serial_number for name in users
        ]
        return org.ca.revocation_list(dict.fromkeys(serials, datetime.now(UTC)))

    def issue_user(
        self,
        organization: str,
        name: str,
        role: str = "client",
        attributes: Mapping[str, str] | None = None,
    ) -> Enrollment:
        """Enrol one more user with the organization's CA, on disk too if the material is.

        attributes: for attribute-based access control, besides hf.EnrollmentID, hf.Type
        and hf.Affiliation.  MaterialError when the name is taken or not fit for a folder.
        """
        org = self._room_for(organization, name)
        enrollment = org.enroll_user(User(name, role, attributes or {}), self._random_bytes)
        return self._kept(org, enrollment)

    def adopt_user(
        self, organization: str, name: str, identity: SigningIdentity, key: crypto.PrivateKey
    ) -> Enrollment:
        """Keep one more user, whom the organization's CA server certified; MaterialError."""
        org = self._room_for(organization, name)
        return self._kept(org, org.adopt_user(name, identity, key, self._random_bytes))

    def renew_node(
        self,
        name: str,
        identity: SigningIdentity,
        key: crypto.PrivateKey,
        *,
        tls: bool = True,
    ) -> Enrollment:
        """Put new certificates in the place of a node's, on disk too; MaterialError.

        identity: from the CA's server; tls: whether to issue one for TLS, too.
        """
        org = self._owner(name)
        renewed = org.renew_node(name, identity, key, self._random_bytes, tls=tls)
        if self.root is not None:
            material_tree.write_node(self.root, org, renewed)
        return renewed

    def reread_nodes(self, topology: Topology) -> Sequence[str]:
        """Take over what lies on disk of the nodes; return whose certificates have changed."""
        if self.root is None:
            return ()
        there = load_material(topology, self.root, random_bytes=self._random_bytes)
        changed = []
        for org in self.organizations.values():
            for name, node in there.organizations[org.msp_id].nodes.items():
                if (node.certificate_pem, node.tls) != (
                    org.nodes[name].certificate_pem,
                    org.nodes[name].tls,
                ):
                    org.nodes[name] = node
                    changed.append(name)
        return changed

    def _owner(self, node: str) -> OrganizationMaterial:
        for org in self.organizations.values():
            if node in org.nodes:
                return org
        raise MaterialError(node, "no such node")

    def check_new_user(self, organization: str, name: str) -> None:
        """MaterialError when there is such a user, or nobody can have the name."""
        self._room_for(organization, name)

    def _room_for(self, organization: str, name: str) -> OrganizationMaterial:
        """Return the organization; MaterialError when it has such a user, or nobody can be so."""
        org = self.organization(organization)
        if name in org.users:
            raise MaterialError(f"{name}@{org.domain}", "this user exists already")
        if not name or name.startswith(".") or "/" in name or "@" in name or not name.isprintable():
            raise MaterialError(repr(name), "a user's name is also the name of a folder")
        return org

    def _kept(self, org: OrganizationMaterial, user: Enrollment) -> Enrollment:
        if self.root is not None:
            material_tree.write_user(self.root, org, user)
        return user

    def write_connection_profiles(self, topology: Topology) -> None:
        """Write connection-<org>.json and .yaml of each peer organization, over older ones.

        Call it again with the topology of the bound ports when a network chose free ones:
        profiles that would name port 0 are left out.  Nothing happens in memory.
        """
        if self.root is None:
            return
        for spec in topology.organizations:
            if all(peer.port for peer in spec.peers):
                org = self.organization(spec.msp_id)
                profile = _profile(spec, org, tls=topology.tls)
                material_tree.write_profile(self.root, org, profile)

    def __repr__(self) -> str:
        return f"Material({', '.join(self.organizations)})"


def create_material(
    topology: Topology,
    root: Path | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    random_bytes: crypto.RandomBytes = os.urandom,
) -> Material:
    """Issue everything a network needs; below ``root`` too unless it is None.

    ``root`` becomes the ``organizations/`` folder; MaterialError when it holds material.
    """
    if root is not None and material_tree.exists(root):
        raise MaterialError(str(root), "there is crypto material here already")
    organizations = [
        _create_organization(spec, now, random_bytes) for spec in _specifications(topology)
    ]
    material = Material(organizations, root, random_bytes)
    if root is not None:
        for organization in organizations:
            material_tree.write_organization(root, organization)
        material.write_connection_profiles(topology)
    return material


def load_material(
    topology: Topology,
    root: Path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    random_bytes: crypto.RandomBytes = os.urandom,
) -> Material:
    """Read what ``create_material`` wrote, with every user issued since.

    MaterialError names the first file that is missing or malformed.
    """
    return Material(
        [
            material_tree.read_organization(root, spec, now, random_bytes)
            for spec in _specifications(topology)
        ],
        root,
        random_bytes,
    )


def _specifications(topology: Topology) -> list[Organization | OrdererOrganization]:
    return [*topology.orderer_organizations, *topology.organizations]


def _create_organization(
    spec: Organization | OrdererOrganization,
    now: Callable[[], datetime],
    random_bytes: crypto.RandomBytes,
) -> OrganizationMaterial:
    def authority(name: str) -> Issuer:
        return Issuer.create(Subject(name, organization=spec.domain), now, random_bytes)

    org = OrganizationMaterial(
        spec, authority(f"ca.{spec.domain}"), authority(f"tlsca.{spec.domain}")
    )
    for node in spec.peers if isinstance(spec, Organization) else spec.orderers:
        org.enroll_node(node.name, (node.host,), random_bytes)
    for user in spec.users:
        org.enroll_user(user, random_bytes)
    return org


def _profile(spec: Organization, org: OrganizationMaterial, *, tls: bool) -> ConnectionProfile:
    return ConnectionProfile(
        network="test-network",
        organization=spec.name,
        msp_id=spec.msp_id,
        peers=[ProfilePeer(peer.name, peer.host, peer.port) for peer in spec.peers],
        tls_root=org.tls_root if tls else None,
        authority=ProfileAuthority(
            name=org.ca.name,
            ca_name=spec.authority.name,
            host=spec.authority.host,
            port=spec.authority.port,
            certificate=org.ca.certificate.pem(),
        ),
    )

"""One organization's crypto material: its two CAs, and whom they have issued what.

Nodes and users get a signing certificate whose node OU states their role, and a TLS
certificate.  (Fabric: internal/cryptogen/msp; fabric-ca's registered attributes)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from cryptography import x509

from gridloom.ca.issuer import KEY_FILE, Issuer, Profile
from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.certificates import Certificate, parse_pem
from gridloom.common.errors import GridloomError
from gridloom.common.identities import SigningIdentity
from gridloom.common.keystore import key_pem
from gridloom.common.msp_files import ROLES, MspFiles
from gridloom.protos.msp import msp_config_pb2

from .topology import OrdererOrganization, Organization, User

Kind: TypeAlias = Literal["peer", "orderer"]


class MaterialError(GridloomError):
    """subject: the organization, node, user or file at fault; reason: what is wrong."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """PEM of a TLS certificate, its key, and the TLS root CA of the organization."""

    certificate: bytes
    key: bytes = field(repr=False)
    root: bytes


@dataclass(frozen=True, slots=True)
class Enrollment:
    """A node's or a user's material.

    name: in full (peer0.org1.example.com, User1@org1.example.com); role: its node OU.
    """

    name: str
    role: str
    signing_identity: SigningIdentity
    private_key: crypto.PrivateKey = field(repr=False)
    tls: TlsMaterial

    @property
    def msp_id(self) -> str:
        return self.signing_identity.msp_id

    @property
    def certificate_pem(self) -> bytes:
        """The signing certificate: the ``credentials`` of a gateway client."""
        return self.signing_identity.certificate_pem

    @property
    def private_key_pem(self) -> bytes:
        """The signing key, PKCS#8 and unencrypted. Keep it secret."""
        return key_pem(self.private_key)


class OrganizationMaterial:
    """One organization's CAs, nodes and users.

    nodes: by full name; users: by short name (Admin, User1); kind: of its nodes.
    """

    def __init__(
        self, spec: Organization | OrdererOrganization, ca: Issuer, tls_ca: Issuer
    ) -> None:
        self.name = spec.name
        self.msp_id = spec.msp_id
        self.domain = spec.domain
        self.kind: Kind = "peer" if isinstance(spec, Organization) else "orderer"
        self.ca = ca
        self.tls_ca = tls_ca
        self.nodes: dict[str, Enrollment] = {}
        self.users: dict[str, Enrollment] = {}

    @property
    def tls_root(self) -> bytes:
        """PEM of the TLS root CA, with which every node of the organization is trusted."""
        return self.tls_ca.certificate.pem()

    def msp_files(self, enrollment: Enrollment | None = None) -> MspFiles:
        """Return the content of the organization's MSP folder, or of a member's."""
        certificate = f"{self.ca.name}-cert.pem"
        files = {
            "cacerts": {certificate: self.ca.certificate.pem()},
            "tlscacerts": {f"{self.tls_ca.name}-cert.pem": self.tls_root},
        }
        if enrollment is not None:
            files["signcerts"] = {f"{enrollment.name}-cert.pem": enrollment.certificate_pem}
            files["keystore"] = {KEY_FILE: enrollment.private_key_pem}
        return MspFiles(**files, node_ou_certificate=f"cacerts/{certificate}")

    def msp_config(self) -> msp_config_pb2.MSPConfig:
        """Return the organization's verifying MSP, as the channel configuration holds it."""
        return self.msp_files().config(self.msp_id)

    def enroll_node(
        self, name: str, hosts: Iterable[str], random_bytes: crypto.RandomBytes
    ) -> Enrollment:
        """Issue a node's certificates; TLS for its names, localhost and 127.0.0.1."""
        all_hosts = (name, name.partition(".")[0], "localhost", "127.0.0.1", *hosts)
        enrollment = self._enroll(name, self.kind, all_hosts, None, random_bytes)
        self.nodes[name] = enrollment
        return enrollment

    def enroll_user(self, user: User, random_bytes: crypto.RandomBytes) -> Enrollment:
        """Issue a user's certificates, with the attributes every registered user has."""
        attributes = {
            "hf.Affiliation": "",
            "hf.EnrollmentID": user.name,
            "hf.Type": user.role,
            **user.attributes,
        }
        full_name = f"{user.name}@{self.domain}"
        enrollment = self._enroll(full_name, user.role, (), attributes, random_bytes)
        self.users[user.name] = enrollment
        return enrollment

    def adopt_user(
        self,
        name: str,
        identity: SigningIdentity,
        key: crypto.PrivateKey,
        random_bytes: crypto.RandomBytes,
    ) -> Enrollment:
        """Keep a user whom the CA's server certified, and give him a certificate for TLS."""
        full_name = f"{name}@{self.domain}"
        role = next((unit for unit in identity.details.organizational_units if unit in ROLES), "")
        if not role:
            raise MaterialError(full_name, "the certificate has no node OU")
        tls = self._tls(full_name, (), random_bytes)
        enrollment = Enrollment(full_name, role, identity, key, tls)
        self.users[name] = enrollment
        return enrollment

    def renew_node(
        self,
        name: str,
        identity: SigningIdentity,
        key: crypto.PrivateKey,
        random_bytes: crypto.RandomBytes,
        *,
        tls: bool = True,
    ) -> Enrollment:
        """Put a node's new signing certificate, and one for TLS, in the place of the old ones.

        tls: False leaves the one for TLS.
        """
        old = self.nodes[name]
        hosts = hosts_of(parse_pem(old.tls.certificate))
        shown = self._tls(name, hosts, random_bytes) if tls else old.tls
        renewed = Enrollment(name, old.role, identity, key, shown)
        self.nodes[name] = renewed
        return renewed

    def _enroll(
        self,
        name: str,
        role: str,
        hosts: Iterable[str],
        attributes: Mapping[str, str] | None,
        random_bytes: crypto.RandomBytes,
    ) -> Enrollment:
        if role not in ROLES:
            raise MaterialError(name, f"role {role!r} is none of {', '.join(ROLES)}")
        key = crypto.generate_key(random_bytes)
        subject = Subject(common_name=name, units=(role,))
        certificate = self.ca.issue(key.public_key(), subject, attributes=attributes)
        return Enrollment(
            name=name,
            role=role,
            signing_identity=SigningIdentity(self.msp_id, certificate.pem(), key),
            private_key=key,
            tls=self._tls(name, hosts, random_bytes),
        )

    def _tls(
        self, name: str, hosts: Iterable[str], random_bytes: crypto.RandomBytes
    ) -> TlsMaterial:
        key = crypto.generate_key(random_bytes)
        certificate = self.tls_ca.issue(
            key.public_key(), Subject(common_name=name), hosts=tuple(hosts), profile=Profile.TLS
        )
        return TlsMaterial(certificate.pem(), key_pem(key), self.tls_root)

    def __repr__(self) -> str:
        return f"OrganizationMaterial({self.msp_id}, {self.domain})"


def hosts_of(certificate: Certificate) -> Sequence[str]:
    """Return the host names and IP addresses that a certificate is for."""
    names = certificate.extension(x509.SubjectAlternativeName)
    return () if names is None else [str(name.value) for name in names]

"""The CA servers of a network: one for each organization, around the root that made its material.

    organizations/fabric-ca/org1/
        ca-cert.pem  tls-cert.pem       whom to trust; what the server shows
        msp/keystore/                   the key of the latter
        fabric-ca-server.db             who is registered, and all certificates

``admin`` with the secret ``adminpw`` is the registrar of each, as in fabric-samples' test
network: they are for development.  Whom the material knows, the CA knows, too.
(fabric-samples: test-network/organizations/fabric-ca)
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridloom.ca.issuer import Profile
from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.certificates import parse_pem
from gridloom.common.http_server import Application, HttpServer
from gridloom.common.keystore import find_key, key_pem
from gridloom.common.msp_files import write_file
from gridloom.common.rpc.grpc_server import ServerTls

from .enrollment import Enrollment, OrganizationMaterial
from .material import Material
from .topology import AuthorityNode, OrdererOrganization, Organization

if TYPE_CHECKING:
    from gridloom.ca.authority import Authority
    from gridloom.ca.database import Database, Store
    from gridloom.ca.service import Service

REGISTRAR: Final = "admin"
REGISTRAR_SECRET: Final = "adminpw"  # noqa: S105 - the test network's, known to everybody
FOLDER: Final = "fabric-ca"
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class AuthorityFolder:
    """Where an organization's CA keeps its things, below ``organizations/``."""

    path: Path

    @classmethod
    def of(cls, organizations: Path, org: OrganizationMaterial) -> AuthorityFolder:
        """Return an organization's: org1, and ordererOrg for one of orderers."""
        name = org.name.lower() + ("Org" if org.kind == "orderer" else "")
        return cls(organizations / FOLDER / name)

    @property
    def ca_certificate(self) -> Path:
        """The CA's certificate, with which its server is trusted."""
        return self.path / "ca-cert.pem"

    @property
    def tls_certificate(self) -> Path:
        """The server's certificate."""
        return self.path / "tls-cert.pem"

    @property
    def database(self) -> Path:
        """Who is registered and what was issued."""
        return self.path / "fabric-ca-server.db"

    def tls(self, issue: Callable[[], ServerTls]) -> ServerTls:
        """Return the server's certificate and key; they are issued if there are none yet."""
        keys = self.path / "msp" / "keystore"
        if self.tls_certificate.exists():
            pem = self.tls_certificate.read_bytes()
            return ServerTls(pem, key_pem(find_key(keys, parse_pem(pem))))
        issued = issue()
        write_file(keys / "tls_sk", issued.private_key, secret=True)
        write_file(self.tls_certificate, issued.certificate)
        return issued


class AuthorityServer:
    """Serves one organization's CA; its database is opened when somebody first asks.

    folder: None keeps all in memory; tls: False serves in the clear.
    """

    def __init__(
        self,
        org: OrganizationMaterial,
        node: AuthorityNode,
        folder: AuthorityFolder | None,
        *,
        tls: bool,
        now: Callable[[], datetime],
        random_bytes: crypto.RandomBytes,
    ) -> None:
        self._org = org
        self._node = node
        self._folder = folder
        self._now = now
        self._random_bytes = random_bytes
        self._service: Service | None = None
        if folder is not None:
            write_file(folder.ca_certificate, org.ca.certificate.pem())
        self._threads = ThreadPoolExecutor(_THREADS, node.name)
        self._http = HttpServer(self._application, node.endpoint, self._tls() if tls else None)

    async def start(self) -> None:
        """Open the port; OSError if the address is taken."""
        await self._http.start()

    async def stop(self) -> None:
        """Close the port and the database; requests under way are finished."""
        await self._http.stop()
        self._threads.shutdown()
        if self._service is not None:
            self._service.close()

    def _tls(self) -> ServerTls:
        if self._folder is None:
            return self._issue_tls()
        return self._folder.tls(self._issue_tls)

    def _issue_tls(self) -> ServerTls:
        key = crypto.generate_key(self._random_bytes)
        hosts = (f"ca.{self._org.domain}", self._node.host, "localhost", "127.0.0.1")
        certificate = self._org.ca.issue(
            key.public_key(), Subject(hosts[0]), hosts=hosts, profile=Profile.TLS
        )
        return ServerTls(certificate.pem(), key_pem(key))

    def _application(self) -> Application:
        """Make the CA and its web application; called when the first client connects."""
        from gridloom.ca.service import Service  # noqa: PLC0415 - most networks need no CA
        from gridloom.ca.web import application  # noqa: PLC0415

        self._service = Service([self._authority()])
        return application(self._service, self._threads)

    def _authority(self) -> Authority:
        from gridloom.ca.authority import Authority  # noqa: PLC0415
        from gridloom.ca.authority_settings import (  # noqa: PLC0415
            AuthoritySettings,
            BootstrapIdentity,
        )

        settings = AuthoritySettings(
            self._node.name,
            identities=(BootstrapIdentity(REGISTRAR, REGISTRAR_SECRET),),
            may_remove_identities=True,
            may_remove_affiliations=True,
        )
        authority = Authority(
            settings,
            self._org.ca,
            self._org.ca.certificate.pem(),
            self._database(),
            now=self._now,
            random_bytes=self._random_bytes,
        )
        _introduce(authority, (*self._org.nodes.values(), *self._org.users.values()))
        return authority

    def _database(self) -> Database:
        from gridloom.ca.database import Database  # noqa: PLC0415

        if self._folder is None:
            return Database.in_memory()
        self._folder.path.mkdir(parents=True, exist_ok=True)
        return Database.sqlite(self._folder.database)


def authority_server(
    material: Material,
    org: Organization | OrdererOrganization,
    *,
    tls: bool,
    now: Callable[[], datetime],
    random_bytes: crypto.RandomBytes,
) -> AuthorityServer:
    """Return the server of an organization's CA, which keeps its things beside the material."""
    issued = material.organization(org.msp_id)
    root = material.root
    folder = None if root is None else AuthorityFolder.of(root, issued)
    return AuthorityServer(
        issued, org.authority, folder, tls=tls, now=now, random_bytes=random_bytes
    )


def _introduce(authority: Authority, enrollments: tuple[Enrollment, ...]) -> None:
    """Let a CA know whom its key certified without it, so that it can revoke and renew them.

    Their secrets are nobody's: they can only re-enrol.
    """
    with authority.database.read() as store:
        strangers = [each for each in enrollments if not _known(store, authority, each)]
    if not strangers:
        return
    with authority.database.write() as store:
        for each in strangers:
            _register(store, authority, each)


def _known(store: Store, authority: Authority, enrollment: Enrollment) -> bool:
    from gridloom.ca.certificate_records import serial_of  # noqa: PLC0415

    serial = serial_of(enrollment.signing_identity.details)
    return store.certificates.find(serial, authority.key_id) is not None


def _register(store: Store, authority: Authority, enrollment: Enrollment) -> None:
    from gridloom.ca.attributes import Attribute  # noqa: PLC0415
    from gridloom.ca.identity import Identity  # noqa: PLC0415
    from gridloom.common.certificates import attributes  # noqa: PLC0415

    identity = enrollment.signing_identity
    if store.identities.find(enrollment.name) is None:
        listed = attributes(identity.certificate)
        registered = tuple(Attribute(name, value, True) for name, value in listed.items())
        store.identities.add(Identity(enrollment.name, enrollment.role, attributes=registered))
    store.certificates.add(identity.details, authority.key_id)

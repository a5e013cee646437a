"""The CA servers of a network: one for each organization, around the root that made its material.

    organizations/fabric-ca/org1/
        ca-cert.pem  tls-cert.pem       whom to trust; what the server shows
        msp/keystore/                   the key of the latter
        fabric-ca-server-config.yaml    settings, which may be changed
        fabric-ca-server.db             who is registered, and all certificates

Each is a home as ``gridloom ca start`` serves one, too.  ``admin`` with the secret ``adminpw`` is
the registrar, as in fabric-samples' test network: these CAs are for development.  Whom the
material knows, the CA knows as well.
(fabric-samples: test-network/organizations/fabric-ca)
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridloom.ca.issuer import KEY_FILE, Profile
from gridloom.ca.subjects import Subject
from gridloom.common import crypto
from gridloom.common.certificates import parse_pem
from gridloom.common.http_server import Application, HttpServer
from gridloom.common.keystore import find_key, key_pem
from gridloom.common.msp_files import write_file
from gridloom.common.rpc.tls import ServerTls

from .enrollment import Enrollment, OrganizationMaterial
from .material import Material
from .topology import AuthorityNode, OrdererOrganization, Organization

if TYPE_CHECKING:
    from gridloom.ca.authority import Authority
    from gridloom.ca.database import Store
    from gridloom.ca.service import Service

REGISTRAR: Final = "admin"
REGISTRAR_SECRET: Final = "adminpw"  # noqa: S105 - the test network's, known to everybody
FOLDER: Final = "fabric-ca"
_THREADS: Final = 4

_SETTINGS: Final = """\
# Settings of a network's CA, for fabric-ca-server or `gridloom ca start`, too.
# The network itself says where the CA listens.

address: {host}
port: {port}
tls:
  enabled: {tls}

ca:
  name: {name}
  keyfile: {key}

registry:
  identities:
    - name: {user}
      pass: {secret}
      type: client
      attrs:
        hf.Registrar.Roles: "*"
        hf.Registrar.DelegateRoles: "*"
        hf.Registrar.Attributes: "*"
        hf.Revoker: true
        hf.GenCRL: true
        hf.IntermediateCA: true
        hf.AffiliationMgr: true

affiliations:
  org1: [department1, department2]
  org2: [department1]

cfg:
  identities:
    allowremove: true
  affiliations:
    allowremove: true
"""


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
    def settings(self) -> Path:
        """The CA's settings."""
        return self.path / "fabric-ca-server-config.yaml"

    def prepare(self, org: OrganizationMaterial, node: AuthorityNode, *, tls: bool) -> None:
        """Write what is not there yet: the CA's certificate and its settings."""
        write_file(self.ca_certificate, org.ca.certificate.pem())
        if self.settings.exists():
            return
        own = self.path.parents[1] / f"{org.kind}Organizations" / org.domain / "ca" / KEY_FILE
        text = _SETTINGS.format(
            host=json.dumps(node.host),
            port=node.port,
            tls=str(tls).lower(),
            name=node.name,
            key=json.dumps(os.path.relpath(own, self.path)),
            user=REGISTRAR,
            secret=REGISTRAR_SECRET,
        )
        write_file(self.settings, text.encode(), secret=True)

    def tls(self, issue: Callable[[], ServerTls]) -> ServerTls:
        """Return the server's certificate and key; they are issued if there are none yet."""
        keys = self.path / "msp" / "keystore"
        if self.tls_certificate.exists():
            pem = self.tls_certificate.read_bytes()
            return ServerTls(pem, key_pem(find_key(keys, parse_pem(pem))))
        issued = issue()
        key_id = crypto.subject_key_id(parse_pem(issued.certificate).key.key).hex()
        write_file(keys / f"{key_id}_sk", issued.private_key, secret=True)
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
            folder.prepare(org, node, tls=tls)
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
        authority = self._forgetful() if self._folder is None else self._stored(self._folder)
        _introduce(authority, (*self._org.nodes.values(), *self._org.users.values()))
        return authority

    def _stored(self, folder: AuthorityFolder) -> Authority:
        from gridloom.ca.home import open_authority  # noqa: PLC0415
        from gridloom.ca.settings import load_settings  # noqa: PLC0415

        own, *_ = load_settings(folder.path, {}).homes
        return open_authority(own, self._now, self._random_bytes)

    def _forgetful(self) -> Authority:
        from gridloom.ca.authority import Authority  # noqa: PLC0415
        from gridloom.ca.authority_settings import (  # noqa: PLC0415
            AuthoritySettings,
            BootstrapIdentity,
        )
        from gridloom.ca.database import Database  # noqa: PLC0415

        settings = AuthoritySettings(
            self._node.name,
            identities=(BootstrapIdentity(REGISTRAR, REGISTRAR_SECRET),),
            may_remove_identities=True,
            may_remove_affiliations=True,
        )
        return Authority(
            settings,
            self._org.ca,
            self._org.ca.certificate.pem(),
            Database.in_memory(),
            now=self._now,
            random_bytes=self._random_bytes,
        )


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

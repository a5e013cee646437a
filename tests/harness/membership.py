"""A membership CA for tests, and a client that speaks to it as fabric-ca's clients do.

ca = membership_ca()
admin = await ca.enroll("admin", "adminpw")
answer = await ca.ask("POST", "/register", {"id": "alice"}, by=admin)
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.ca.authority import Authority
from gridloom.ca.authority_settings import AuthoritySettings, BootstrapIdentity
from gridloom.ca.database import Database
from gridloom.ca.issuer import Issuer
from gridloom.ca.service import Service
from gridloom.ca.subjects import Subject, alternative_names
from gridloom.ca.web import application
from gridloom.common import crypto
from gridloom.common.certificates import Certificate, parse_pem

from .web import Answer, Direct

JSON = {"Content-Type": "application/json"}
MORNING = datetime(2026, 11, 20, 9, 42, 10, tzinfo=UTC)

ADMIN = BootstrapIdentity("admin", "adminpw")
SETTINGS = AuthoritySettings(
    "ca-org1", (ADMIN,), may_remove_identities=True, may_remove_affiliations=True
)


class Clock:
    """A clock that stands still until told to go on."""

    def __init__(self, moment: datetime = MORNING) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **time: float) -> None:
        """So many seconds, hours, days."""
        self.moment += timedelta(**time)


@dataclass(frozen=True)
class Enrolled:
    """Somebody with a certificate and its key."""

    id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: Certificate

    def token(self, method: str, uri: str, body: bytes = b"", *, old: bool = False) -> str:
        """The token of a request; old: in the form of fabric-ca 1.3."""
        certificate = base64.b64encode(self.certificate.pem()).decode()
        payload = f"{base64.b64encode(body).decode()}.{certificate}"
        if not old:
            payload = f"{method}.{base64.b64encode(uri.encode()).decode()}.{payload}"
        signature = crypto.sign(self.key, payload.encode())
        return f"{certificate}.{base64.b64encode(signature).decode()}"


class Sending(Protocol):
    """How a request gets to the CA."""

    async def __call__(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Answer: ...


@dataclass(frozen=True)
class Reply:
    """An answer, read as fabric-ca's clients read it."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def result(self) -> Any:
        assert self.body["success"], self.body
        return self.body["result"]

    @property
    def code(self) -> int | None:
        return self.body["errors"][0]["code"] if self.body["errors"] else None

    @property
    def message(self) -> str:
        message: str = self.body["errors"][0]["message"]
        return message


@dataclass(frozen=True)
class CaClient:
    """Asks a CA."""

    send: Sending

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        by: Enrolled | None = None,
        basic: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request, signed by somebody or with ``id:secret``."""
        data = b"" if body is None else json.dumps(body).encode()
        sent = {**JSON, **(headers or {})}
        if by is not None:
            sent["Authorization"] = by.token(method, path, data)
        elif basic:
            sent["Authorization"] = f"Basic {base64.b64encode(basic.encode()).decode()}"
        answer = await self.send(method, path, data, sent)
        text = answer.body.decode()
        is_json = answer.headers.get("content-type") == "application/json"
        return Reply(answer.status, answer.headers, json.loads(text) if is_json else text)

    async def enroll(self, identity: str, secret: str, **fields: object) -> Enrolled:
        """Enroll with a new key, which must succeed."""
        key = new_key()
        body = {"certificate_request": signing_request(identity, key), **fields}
        reply = await self.ask("POST", "/api/v1/enroll", body, basic=f"{identity}:{secret}")
        return enrolled(identity, key, reply)

    async def register(self, by: Enrolled, identity: str, **fields: object) -> str:
        """Register an identity, which must succeed; its secret."""
        reply = await self.ask("POST", "/register", {"id": identity, **fields}, by=by)
        secret: str = reply.result["secret"]
        return secret

    async def newcomer(self, by: Enrolled, identity: str, **fields: object) -> Enrolled:
        """Register and enroll somebody."""
        return await self.enroll(identity, await self.register(by, identity, **fields))


def enrolled(identity: str, key: ec.EllipticCurvePrivateKey, reply: Reply) -> Enrolled:
    """Who has enrolled by this answer."""
    certificate = parse_pem(base64.b64decode(reply.result["Cert"]))
    return Enrolled(identity, key, certificate)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(
    identity: str,
    key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str] = (),
    names: Sequence[x509.NameAttribute[str]] = (),
    extensions: Sequence[x509.ExtensionType] = (),
) -> str:
    """A PEM request for a certificate."""
    subject = x509.Name([*names, x509.NameAttribute(NameOID.COMMON_NAME, identity)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if hosts:
        builder = builder.add_extension(alternative_names(hosts), critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def issuer(clock: Clock, name: str = "ca.org1.example.com") -> Issuer:
    """A root CA that began 18 minutes before the clock's time, as the recorded one had."""
    start = clock() - timedelta(minutes=18)
    made = Issuer.create(Subject(name, organization="org1.example.com"), lambda: start, os.urandom)
    return Issuer(made.certificate, made._key, clock, os.urandom)


def authority(
    settings: AuthoritySettings = SETTINGS,
    clock: Clock | None = None,
    database: Database | None = None,
    **changes: Any,
) -> Authority:
    """A CA in memory; changes: of its settings."""
    clock = clock or Clock()
    root = issuer(clock)
    return Authority(
        replace(settings, **changes),
        root,
        root.certificate.pem(),
        database or Database.in_memory(),
        now=clock,
    )


def client_of(*authorities: Authority, compatible_1_3: bool = False) -> CaClient:
    """A client of a server of these CAs, within this process."""
    service = Service(authorities, compatible_1_3=compatible_1_3)
    return CaClient(Direct(application(service)))

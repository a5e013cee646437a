"""A certificate authority from its users' side, and what its members may ask of it.

    authority = CertificateAuthority("https://localhost:7054", "ca-org1", ClientTls(roots))
    admin = await authority.enroll("admin", "adminpw")
    secret = await admin.register(Registration("alice", affiliation="org1.department1"))
    alice = await authority.enroll("alice", secret)
    gateway = Gateway(channel, alice.signer("Org1MSP"))

It speaks to any fabric-ca server (Fabric: fabric-ca lib/client.go and lib/identity.go).
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from gridloom.common import certificates, crypto
from gridloom.common.identities import SigningIdentity
from gridloom.common.keystore import key_pem
from gridloom.common.rpc.tls import ClientTls

from .connection import AuthorityRefused, Connection
from .records import (
    Affiliation,
    CaInfo,
    CertificateFilter,
    EnrollmentRequest,
    IdentityChange,
    RegisteredIdentity,
    Registration,
    Revocation,
    RevocationWindow,
    RevokedCertificate,
)
from .signing_request import new_key, signing_request, subject_of
from .token import token

_PLAIN = EnrollmentRequest()
_ALL_REVOKED = RevocationWindow()
_ALL_CERTIFICATES = CertificateFilter()


class CertificateAuthority:
    """One authority of a fabric-ca server.

    Every call may raise AuthorityUnreachable and AuthorityRefused; ca_name: which of the
    server's, empty for its first; tls: whom to trust under https, the system's roots if None.
    """

    def __init__(
        self,
        url: str,
        ca_name: str = "",
        tls: ClientTls | None = None,
        random_bytes: crypto.RandomBytes = os.urandom,
    ) -> None:
        self.ca_name = ca_name
        self.connection = Connection(url, tls)
        self.random_bytes = random_bytes

    async def info(self) -> CaInfo:
        """Return who the authority is; nobody needs to be enrolled for that."""
        answer = await self.connection.call("POST", "cainfo", self.addressed({}))
        with understood():
            return _info(answer)

    async def enroll(
        self, name: str, secret: str, request: EnrollmentRequest = _PLAIN
    ) -> CaIdentity:
        """Have a certificate issued for whom the secret was given; BadRequest."""

        def basic(*_: object) -> str:
            return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"

        key = request.key or new_key(random_bytes=self.random_bytes)
        pem = signing_request(name, key, request.subject, request.hosts)
        document = self.addressed(request.document(pem))
        answer = await self.connection.call("POST", "enroll", document, authorize=basic)
        return self.enrolled(name, key, answer)

    def identity(self, certificate_pem: bytes, private_key: crypto.PrivateKey) -> CaIdentity:
        """Return somebody who was enrolled before; InvalidIdentity if the PEM is none."""
        name = certificates.parse_pem(certificate_pem).common_name
        return CaIdentity(self, name, certificate_pem, private_key)

    def addressed(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body that says which authority of the server is meant."""
        return {**document, "caname": self.ca_name} if self.ca_name else dict(document)

    def enrolled(self, name: str, key: crypto.PrivateKey, answer: Any) -> CaIdentity:  # noqa: ANN401
        """Return who an enrolment has made."""
        with understood():
            certificate = b64decode(answer["Cert"], validate=True)
            return CaIdentity(self, name, certificate, key, _info(answer["ServerInfo"]))


class CaIdentity:
    """Somebody with a certificate of an authority, and what he may ask of it.

    What that is depends on his attributes (hf.Registrar.Roles, hf.Revoker and so on).
    name: his enrolment id; info: who issued the certificate, None if that was earlier.
    """

    def __init__(
        self,
        authority: CertificateAuthority,
        name: str,
        certificate_pem: bytes,
        private_key: crypto.PrivateKey,
        info: CaInfo | None = None,
    ) -> None:
        self.authority = authority
        self.name = name
        self.certificate_pem = certificate_pem
        self.private_key = private_key
        self.info = info

    @property
    def private_key_pem(self) -> bytes:
        """The key, PKCS#8 and unencrypted. Keep it secret."""
        return key_pem(self.private_key)

    def signer(self, msp_id: str) -> SigningIdentity:
        """Return the identity for the channels in which the authority's MSP has this id."""
        return SigningIdentity(msp_id, self.certificate_pem, self.private_key)

    async def reenroll(self, request: EnrollmentRequest | None = None) -> CaIdentity:
        """Have a new certificate issued, by default like this one; this one stays valid."""
        if request is None:
            certificate = certificates.parse_pem(self.certificate_pem).certificate
            request = EnrollmentRequest(subject=subject_of(certificate))
        key = request.key or new_key(random_bytes=self.authority.random_bytes)
        pem = signing_request(self.name, key, request.subject, request.hosts)
        answer = await self._send("POST", "reenroll", request.document(pem))
        return self.authority.enrolled(self.name, key, answer)

    async def register(self, registration: Registration) -> str:
        """Make somebody known and return the secret to enrol with."""
        answer = await self._send("POST", "register", registration.document())
        with understood():
            return str(answer["secret"])

    async def revoke(
        self,
        name: str = "",
        *,
        serial: str = "",
        authority_key_id: str = "",
        reason: str = "",
        crl: bool = False,
    ) -> Revocation:
        """Revoke all certificates of somebody, who can enrol no more, or a single one.

        serial, authority_key_id: hex; reason: a word or number of RFC 5280, such as
        ``keycompromise``; crl: answer with the list of all that is revoked, too.
        """
        said = {"id": name, "serial": serial, "aki": authority_key_id, "reason": reason}
        document: dict[str, Any] = {key: value for key, value in said.items() if value}
        answer = await self._send("POST", "revoke", document | {"gencrl": crl})
        with understood():
            return Revocation(
                tuple(
                    RevokedCertificate(each["Serial"], each["AKI"])
                    for each in answer["RevokedCerts"] or ()
                ),
                b64decode(answer["CRL"], validate=True) if crl else None,
            )

    async def revocation_list(self, window: RevocationWindow = _ALL_REVOKED) -> bytes:
        """Return a list of the revoked certificates in PEM, for the MSP of a channel."""
        answer = await self._send("POST", "gencrl", window.document())
        with understood():
            return b64decode(answer["CRL"], validate=True)

    async def identities(self) -> Sequence[RegisteredIdentity]:
        """Return everybody he may see."""
        answer = await self._ask("GET", "identities")
        with understood():
            return [RegisteredIdentity.read(each) for each in answer["identities"] or ()]

    async def registered(self, name: str) -> RegisteredIdentity:
        """Return how the authority knows somebody."""
        return _registered(await self._ask("GET", _path("identities", name)))

    async def add_identity(self, registration: Registration) -> RegisteredIdentity:
        """Make somebody known, as ``register`` does; the answer has the secret."""
        return _registered(await self._send("POST", "identities", registration.document()))

    async def modify_identity(self, name: str, change: IdentityChange) -> RegisteredIdentity:
        """Change what is registered of somebody."""
        answer = await self._send("PUT", _path("identities", name), change.document())
        return _registered(answer)

    async def remove_identity(self, name: str, *, force: bool = False) -> RegisteredIdentity:
        """Forget somebody, where the server allows it; force: even oneself."""
        return _registered(await self._ask("DELETE", _path("identities", name), _force(force)))

    async def affiliations(self) -> Affiliation:
        """Return the tree of affiliations he may see, from its root."""
        return _affiliation(await self._ask("GET", "affiliations"))

    async def affiliation(self, name: str) -> Affiliation:
        """Return an affiliation with those below it."""
        return _affiliation(await self._ask("GET", _path("affiliations", name)))

    async def add_affiliation(self, name: str, *, force: bool = False) -> Affiliation:
        """Add an affiliation; force: with all above it that are missing."""
        answer = await self._send("POST", "affiliations", {"name": name}, _force(force))
        return _affiliation(answer)

    async def modify_affiliation(
        self, name: str, new_name: str, *, force: bool = False
    ) -> Affiliation:
        """Rename an affiliation; force: although there are identities in it."""
        route = _path("affiliations", name)
        return _affiliation(await self._send("PUT", route, {"name": new_name}, _force(force)))

    async def remove_affiliation(self, name: str, *, force: bool = False) -> Affiliation:
        """Remove an affiliation; force: with those below it and the identities in them."""
        return _affiliation(await self._ask("DELETE", _path("affiliations", name), _force(force)))

    async def certificates(self, wanted: CertificateFilter = _ALL_CERTIFICATES) -> Sequence[bytes]:
        """Return the certificates he may see, in PEM."""
        answer = await self._ask("GET", "certificates", wanted.query())
        with understood():
            return [str(each["PEM"]).encode() for each in answer["certs"] or ()]

    async def _send(
        self,
        method: str,
        route: str,
        document: Mapping[str, Any],
        query: Mapping[str, str] | None = None,
    ) -> Any:  # noqa: ANN401
        body = self.authority.addressed(document)
        return await self.authority.connection.call(method, route, body, query, self._token)

    async def _ask(self, method: str, route: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        ca = {"ca": self.authority.ca_name} if self.authority.ca_name else {}
        parameters = {**(query or {}), **ca}
        return await self.authority.connection.call(
            method, route, query=parameters, authorize=self._token
        )

    def _token(self, method: str, uri: str, body: bytes) -> str:
        return token(method, uri, body, self.certificate_pem, self.private_key)

    def __repr__(self) -> str:
        return f"CaIdentity({self.name}, {self.authority.connection.url})"


@contextmanager
def understood() -> Iterator[None]:
    """Read an answer within: whatever is missing or of another kind makes it no answer."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AuthorityRefused(200, (), f"an answer that no authority gives: {error!r}") from error


def _info(document: Any) -> CaInfo:  # noqa: ANN401
    return CaInfo(
        document["CAName"],
        b64decode(document["CAChain"], validate=True),
        document.get("Version", ""),
        b64decode(document.get("IssuerPublicKey") or "", validate=True),
        b64decode(document.get("IssuerRevocationPublicKey") or "", validate=True),
    )


def _registered(answer: Any) -> RegisteredIdentity:  # noqa: ANN401
    with understood():
        return RegisteredIdentity.read(answer)


def _affiliation(answer: Any) -> Affiliation:  # noqa: ANN401
    with understood():
        return Affiliation.read(answer)


def _path(kind: str, name: str) -> str:
    return f"{kind}/{quote(name, safe='')}"


def _force(force: bool) -> dict[str, str]:
    return {"force": "true"} if force else {}

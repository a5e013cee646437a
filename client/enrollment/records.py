"""What is said to a certificate authority, and what it says: identities, attributes, affiliations.

Names are those of the wire where Python has none better (Fabric: fabric-ca api/client.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gridloom.common import crypto

Document = Mapping[str, Any]
"""A JSON object of the authority."""

UNLIMITED = -1
"""As often as one likes: of ``max_enrollments``."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something the authority vouches for; ecert: put into certificates without being asked."""

    name: str
    value: str
    ecert: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        document: dict[str, Any] = {"name": self.name, "value": self.value}
        return document | {"ecert": True} if self.ecert else document

    @classmethod
    def read(cls, document: Document) -> Attribute:
        """Read it from JSON; KeyError."""
        return cls(document["name"], document["value"], bool(document.get("ecert")))


@dataclass(frozen=True, slots=True)
class AttributeRequest:
    """An attribute wanted in a certificate; without an optional one there still is one."""

    name: str
    optional: bool = False

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"name": self.name, "optional": self.optional}


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody to be known to the authority from now on.

    secret: made by the authority if empty; kind: the node OU of the certificates (client, peer,
    orderer, admin); affiliation: ``org1.department1``, empty for the registrar's own, "." for
    none; max_enrollments: how often the secret may be used, 0 for the authority's own limit.
    """

    name: str
    secret: str = field(default="", repr=False)
    kind: str = "client"
    affiliation: str = ""
    attributes: Sequence[Attribute] = ()
    max_enrollments: int = 0

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        document: dict[str, Any] = {
            "id": self.name,
            "type": self.kind,
            "affiliation": self.affiliation,
            "attrs": [attribute.document() for attribute in self.attributes],
        }
        if self.secret:
            document["secret"] = self.secret
        if self.max_enrollments:
            document["max_enrollments"] = self.max_enrollments
        return document


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """What is to become of a registered identity; None leaves a thing as it is.

    attributes: added, or changed where there is one of that name; one without a value goes.
    """

    kind: str | None = None
    affiliation: str | None = None
    attributes: Sequence[Attribute] | None = None
    max_enrollments: int | None = None
    secret: str | None = field(default=None, repr=False)

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        attributes = None if self.attributes is None else [a.document() for a in self.attributes]
        said = {
            "type": self.kind,
            "affiliation": self.affiliation,
            "attrs": attributes,
            "max_enrollments": self.max_enrollments,
            "secret": self.secret,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RegisteredIdentity:
    """An identity as the authority knows it; secret: only in the answer that made it."""

    name: str
    kind: str
    affiliation: str
    attributes: tuple[Attribute, ...]
    max_enrollments: int
    secret: str = field(default="", repr=False)

    @classmethod
    def read(cls, document: Document) -> RegisteredIdentity:
        """Read it from JSON; KeyError."""
        return cls(
            document["id"],
            document.get("type", ""),
            document.get("affiliation", ""),
            tuple(Attribute.read(each) for each in document.get("attrs") or ()),
            document.get("max_enrollments", 0),
            document.get("secret", ""),
        )


@dataclass(frozen=True, slots=True)
class Affiliation:
    """A node of the tree of affiliations, with those below it; "" names the root."""

    name: str
    children: tuple[Affiliation, ...] = ()
    identities: tuple[RegisteredIdentity, ...] = ()

    @classmethod
    def read(cls, document: Document) -> Affiliation:
        """Read it from JSON; KeyError."""
        return cls(
            document["name"],
            tuple(cls.read(each) for each in document.get("affiliations") or ()),
            tuple(RegisteredIdentity.read(each) for each in document.get("identities") or ()),
        )


@dataclass(frozen=True, slots=True)
class RevokedCertificate:
    """A revoked certificate: its serial number and its issuer's key identifier, in hex."""

    serial: str
    authority_key_id: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation did; crl: PEM, None unless it was asked for."""

    certificates: tuple[RevokedCertificate, ...]
    crl: bytes | None


@dataclass(frozen=True, slots=True)
class RevocationWindow:
    """Which revoked certificates a list shall name: by when they were revoked or expire."""

    revoked_after: datetime | None = None
    revoked_before: datetime | None = None
    expire_after: datetime | None = None
    expire_before: datetime | None = None

    def document(self) -> dict[str, str]:
        """Return it as JSON has it."""
        times = {
            "revokedafter": self.revoked_after,
            "revokedbefore": self.revoked_before,
            "expireafter": self.expire_after,
            "expirebefore": self.expire_before,
        }
        return {name: timestamp(time) for name, time in times.items() if time is not None}


@dataclass(frozen=True, slots=True)
class CertificateFilter:
    """Which certificates to list.  Times: RFC 3339, a date, or a duration from now (``-30d``)."""

    name: str = ""
    serial: str = ""
    authority_key_id: str = ""
    revoked_start: str = ""
    revoked_end: str = ""
    expired_start: str = ""
    expired_end: str = ""
    not_revoked: bool = False
    not_expired: bool = False

    def query(self) -> dict[str, str]:
        """Return it as the parameters of a query."""
        parameters = {
            "id": self.name,
            "serial": self.serial,
            "aki": self.authority_key_id,
            "revoked_start": self.revoked_start,
            "revoked_end": self.revoked_end,
            "expired_start": self.expired_start,
            "expired_end": self.expired_end,
            "notrevoked": "true" if self.not_revoked else "",
            "notexpired": "true" if self.not_expired else "",
        }
        return {name: value for name, value in parameters.items() if value}


@dataclass(frozen=True, slots=True)
class CaInfo:
    """Who an authority is. chain: PEM, its root first; the keys: of Idemix, mostly empty."""

    name: str
    chain: bytes
    version: str
    issuer_public_key: bytes = b""
    issuer_revocation_public_key: bytes = b""


@dataclass(frozen=True, slots=True)
class EnrollmentRequest:
    """The certificate that is wanted.

    profile: default, tls or ca; hosts: DNS names, IP and mail addresses; subject: more of the
    distinguished name, such as ("C", "US"), of which the authority replaces the units;
    attributes: None for all that are registered with ``ecert``; key: to be certified, a new one
    if None; not_before: when its validity shall begin, now if None.
    """

    profile: str = ""
    hosts: Sequence[str] = ()
    subject: Sequence[tuple[str, str]] = ()
    attributes: Sequence[AttributeRequest] | None = None
    key: crypto.PrivateKey | None = field(default=None, repr=False)
    label: str = ""
    not_before: datetime | None = None

    def document(self, signing_request: bytes) -> dict[str, Any]:
        """Return it as JSON has it, around a signing request in PEM."""
        document: dict[str, Any] = {
            "hosts": list(self.hosts),
            "certificate_request": signing_request.decode(),
            "profile": self.profile,
            "crl_override": "",
            "label": self.label,
        }
        if self.attributes is not None:
            document["attr_reqs"] = [attribute.document() for attribute in self.attributes]
        if self.not_before is not None:
            document["NotBefore"] = timestamp(self.not_before)
        return document


def timestamp(time: datetime) -> str:
    """Return a time as RFC 3339 has it."""
    return time.isoformat().replace("+00:00", "Z")

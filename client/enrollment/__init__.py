"""Certificates from an authority: a client for fabric-ca servers, ours or a real one.

A :class:`CertificateAuthority` enrols people with the secrets they were registered with; who is
enrolled, a :class:`CaIdentity`, may register and revoke others, as far as his attributes go.
``msp_folder`` keeps identities as the ``fabric-ca-client`` command does.
(Fabric: fabric-ca lib/client.go; fabric-ca-client of the Node SDK)
"""

from .authority import CaIdentity, CertificateAuthority
from .connection import AuthorityRefused, AuthorityUnreachable, BadAuthorityUrl, Complaint
from .records import (
    UNLIMITED,
    Affiliation,
    Attribute,
    AttributeRequest,
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
from .signing_request import BadRequest, new_key, signing_request

__all__ = [
    "UNLIMITED",
    "Affiliation",
    "Attribute",
    "AttributeRequest",
    "AuthorityRefused",
    "AuthorityUnreachable",
    "BadAuthorityUrl",
    "BadRequest",
    "CaIdentity",
    "CaInfo",
    "CertificateAuthority",
    "CertificateFilter",
    "Complaint",
    "EnrollmentRequest",
    "IdentityChange",
    "RegisteredIdentity",
    "Registration",
    "Revocation",
    "RevocationWindow",
    "RevokedCertificate",
    "new_key",
    "signing_request",
]

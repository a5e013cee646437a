"""Identities: who somebody is, and the power to sign as them.

An ``Identity`` is what an MSP makes of serialized bytes; a ``SigningIdentity`` holds the
private key besides.  (Fabric: msp/identities.go)
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Protocol

from cryptography import x509

from gridloom.protos.msp import identities_pb2

from . import certificates, crypto
from .certificates import Certificate
from .identity_errors import (
    IdentityError,
    InvalidIdentity,
    InvalidMspConfig,
    InvalidSignature,
    PrincipalNotSatisfied,
    UnknownMsp,
)

__all__ = [
    "Identity",
    "IdentityError",
    "InvalidIdentity",
    "InvalidMspConfig",
    "InvalidSignature",
    "PrincipalNotSatisfied",
    "Signer",
    "SigningIdentity",
    "UnknownMsp",
    "serialize",
]


class Signer(Protocol):
    """Whoever can sign as an identity."""

    @property
    def msp_id(self) -> str: ...

    @property
    def serialized(self) -> bytes:
        """The bytes of msp.SerializedIdentity."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature over the message (ECDSA: SHA-256, low-S, DER)."""
        ...


def serialize(msp_id: str, certificate_pem: bytes) -> bytes:
    """Return the bytes of msp.SerializedIdentity with the PEM exactly as given."""
    message = identities_pb2.SerializedIdentity(mspid=msp_id, id_bytes=certificate_pem)
    return message.SerializeToString(deterministic=True)


class Identity:
    """A certificate as a member of an MSP; not validated until the MSP says so.

    details: the decoded certificate (sanitised: low-S); serialized: Fabric's Serialize(),
    which equals the received bytes unless the certificate had to be sanitised; key:
    (MSP id, hex hash of the DER) tells identities apart; expires_at: UTC.
    """

    __slots__ = ("_hash_family", "details", "key", "msp_id", "serialized")

    def __init__(
        self,
        msp_id: str,
        details: Certificate,
        *,
        hash_family: str = crypto.SHA2,
        identifier_hash: str = "sha256",
    ) -> None:
        self.msp_id = msp_id
        self.details = details
        self.serialized = serialize(msp_id, details.pem())
        self.key = (msp_id, hashlib.new(identifier_hash, details.raw).hexdigest())
        self._hash_family = hash_family

    @property
    def certificate(self) -> x509.Certificate:
        return self.details.certificate

    @property
    def expires_at(self) -> datetime:
        return self.details.not_after

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise InvalidSignature unless this identity signed the message."""
        self.details.key.verify(message, signature, self._hash_family)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Identity({self.msp_id}, {self.details.common_name})"


class SigningIdentity:
    """A certificate with its private key; satisfies ``Signer``. Never shows the key."""

    __slots__ = ("_key", "details", "msp_id", "serialized")

    def __init__(
        self,
        msp_id: str,
        certificate_pem: bytes,
        private_key: crypto.PrivateKey | crypto.SigningKey,
    ) -> None:
        self.msp_id = msp_id
        self.details = certificates.parse_pem(certificate_pem)
        self.serialized = serialize(msp_id, self.details.pem())
        if not isinstance(private_key, crypto.SigningKey):
            private_key = crypto.SigningKey(private_key)
        self._key = private_key

    @property
    def certificate(self) -> x509.Certificate:
        return self.details.certificate

    @property
    def certificate_pem(self) -> bytes:
        return self.details.pem()

    @property
    def expires_at(self) -> datetime:
        return self.details.not_after

    def sign(self, message: bytes) -> bytes:
        """Sign with the private key (ECDSA: SHA-256, low-S DER; Ed25519: as it is)."""
        return self._key.sign(message)

    def vouch(self, message: bytes, signature: bytes) -> None:
        """Take it for granted that this identity's key signed, in another process of ours."""
        self._key.vouch(message, signature)

    def __repr__(self) -> str:
        return f"SigningIdentity({self.msp_id}, {self.details.common_name})"

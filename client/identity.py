"""Who a client is, and how it signs.

An identity is data and signing is a function, which is what makes signing elsewhere
(offline, in a hardware module) possible (hyperledger/fabric-gateway: node/src/identity).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gridloom.common.errors import MalformedMessage
from gridloom.common.identities import Signer, SigningIdentity, serialize

from .errors import OfflineError

__all__ = [
    "DigestSigner",
    "Identity",
    "OfflineSigner",
    "Signer",
    "SigningIdentity",
    "load_signer",
    "new_signer",
    "sha256",
]


@dataclass(frozen=True, slots=True)
class Identity:
    """An MSP id and the certificate it issued, as PEM."""

    msp_id: str
    credentials: bytes

    @property
    def serialized(self) -> bytes:
        """The ``msp.SerializedIdentity`` of it."""
        return serialize(self.msp_id, self.credentials)


def sha256(message: bytes) -> bytes:
    """The digest of almost every network; Ed25519 keys take the message itself instead."""
    return hashlib.sha256(message).digest()


class DigestSigner:
    """Signs with a function from digest to signature, as the official SDKs do.

    sign_digest: must give a low-S DER signature for ECDSA keys; digest: SHA-256 by default.
    """

    def __init__(
        self,
        identity: Identity,
        sign_digest: Callable[[bytes], bytes],
        digest: Callable[[bytes], bytes] = sha256,
    ) -> None:
        self.msp_id = identity.msp_id
        self.serialized = identity.serialized
        self._sign_digest = sign_digest
        self._digest = digest

    def sign(self, message: bytes) -> bytes:
        """Sign the digest of ``message``."""
        return self._sign_digest(self._digest(message))


class OfflineSigner:
    """An identity whose key is elsewhere: everything must come in already signed."""

    def __init__(self, identity: Identity) -> None:
        self.msp_id = identity.msp_id
        self.serialized = identity.serialized

    def sign(self, message: bytes) -> bytes:
        """Raise OfflineError."""
        raise OfflineError


def new_signer(msp_id: str, certificate: bytes, private_key: bytes) -> SigningIdentity:
    """Return a signer from a certificate and its key in PEM; a GridloomError if they are not.

    ECDSA and Ed25519 keys sign for Fabric.
    """
    try:
        key = load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError) as error:
        raise MalformedMessage("private key", f"not an unencrypted key in PEM: {error}") from error
    if not isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey):
        raise MalformedMessage("private key", "only ECDSA and Ed25519 keys sign for Fabric")
    identity = SigningIdentity(msp_id, certificate, key)
    if identity.certificate.public_key() != key.public_key():
        raise MalformedMessage("private key", "it is not the one of the certificate")
    return identity


def load_signer(msp_id: str, certificate: Path, private_key: Path) -> SigningIdentity:
    """Return a signer from two PEM files; OSError, or a GridloomError naming what is wrong."""
    return new_signer(msp_id, certificate.read_bytes(), private_key.read_bytes())

"""Private keys in files: finding the one that fits a certificate.

(Fabric: bccsp/sw/fileks.go)
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from . import crypto
from .certificates import Certificate
from .errors import GridloomError

_MAX_KEY_FILE: Final = 1 << 16


class KeyNotFound(GridloomError):
    """directory: where no key fits; ski: hex of the identifier that was looked for."""

    def __init__(self, directory: Path, ski: str) -> None:
        super().__init__(f"{directory}: no private key with SKI {ski}")
        self.directory = directory
        self.ski = ski


def find_key(
    directory: Path, certificate: Certificate, passphrase: bytes | None = None
) -> crypto.PrivateKey:
    """Find a certificate's private key: ``<hex SKI>_sk`` first, then any file up to 64 KiB.

    passphrase: of keys that are encrypted.  KeyNotFound when no file of the folder holds it.
    """
    wanted = crypto.subject_key_id(certificate.key.key)
    named = directory / f"{wanted.hex()}_sk"
    others = sorted(directory.iterdir()) if directory.is_dir() else []
    for path in (named, *others):
        if path.is_file() and path.stat().st_size <= _MAX_KEY_FILE:
            key = read_key(path.read_bytes(), passphrase)
            if key is not None and crypto.subject_key_id(key.public_key()) == wanted:
                return key
    raise KeyNotFound(directory, wanted.hex())


def read_key(data: bytes, passphrase: bytes | None = None) -> crypto.PrivateKey | None:
    """Parse a PEM key (PKCS#8 or SEC 1); None when it is none of ours, or is locked."""
    try:
        key = load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
        return key
    return None


def key_pem(key: crypto.PrivateKey, passphrase: bytes | None = None) -> bytes:
    """Encode a private key as Fabric's tools store it: PKCS#8, unencrypted if not told else."""
    encryption = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)

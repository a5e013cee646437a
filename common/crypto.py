"""Signatures as Fabric makes and checks them: ECDSA over SHA-256, low-S, DER; Ed25519.

A successful verification is remembered for the life of the process under (public key,
digest, signature): the same proposal, endorsement or envelope signature arrives several
times in one process and is checked by arithmetic only once.  Failures are never
remembered, and every bit that the verdict depends on is part of the key, so a forged
signature cannot profit.  (Fabric: bccsp/sw/ecdsa.go, bccsp/utils/ecdsa.go)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature as _Mismatch
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import der
from .identity_errors import InvalidSignature
from .memo import BoundedMemo

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
RandomBytes: TypeAlias = Callable[[int], bytes]

SHA2: Final = "SHA2"
SHA3: Final = "SHA3"

#: Order of each curve's group; a signature is low-S when s <= order >> 1.
CURVE_ORDERS: Final = {
    "secp224r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "secp521r1": int(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}

_P256_HALF_ORDER: Final = CURVE_ORDERS["secp256r1"] >> 1

_DIGESTS: Final = {SHA2: hashlib.sha256, SHA3: hashlib.sha3_256}
_VERIFYING: Final = {
    SHA2: ec.ECDSA(Prehashed(hashes.SHA256())),
    SHA3: ec.ECDSA(Prehashed(hashes.SHA3_256())),
}


def _deterministic_available() -> bool:
    try:
        ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:  # an OpenSSL older than 3.2
        return False
    return True


#: RFC 6979 nonces where OpenSSL has them: a network under a seed signs alike each time.
DETERMINISTIC: Final = _deterministic_available()

_SIGNING: Final = {
    SHA2: ec.ECDSA(Prehashed(hashes.SHA256()), deterministic_signing=DETERMINISTIC),
    SHA3: ec.ECDSA(Prehashed(hashes.SHA3_256()), deterministic_signing=DETERMINISTIC),
}

#: 8,000 to 16,000 verifications of about 400 bytes each: those of several thousand transactions.
_verified: BoundedMemo[tuple[bytes, bytes, bytes], bool] = BoundedMemo(1 << 13)


class VerificationKey:
    """A public key made ready for many verifications.

    id: SHA-256 of its SubjectPublicKeyInfo; key: the key itself (any kind a certificate
    can carry, though only ECDSA on a NIST curve and Ed25519 verify messages).
    """

    __slots__ = ("_ecdsa", "_half_order", "id", "key")

    def __init__(self, key: PublicKeyTypes) -> None:
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.key = key
        self.id = hashlib.sha256(spki).digest()
        self._half_order = 0
        self._ecdsa: ec.EllipticCurvePublicKey | None = None
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVE_ORDERS:
            self._half_order = CURVE_ORDERS[key.curve.name] >> 1
            self._ecdsa = key

    def verify(self, message: bytes, signature: bytes, hash_family: str = SHA2) -> None:
        """Raise InvalidSignature unless this key signed ``message``.

        ECDSA: over the SHA-256 (or SHA3-256) digest whatever the curve, low-S only,
        bytes after the DER sequence ignored as Go does.  Ed25519: over the message.
        """
        if self._ecdsa is None:
            self._verify_otherwise(message, signature)
            return
        digest = _DIGESTS[hash_family](message).digest()
        entry = (self.id, digest, signature)
        if _verified.get(entry):  # which holds canonical signatures only
            return
        canonical = self._canonical(signature)
        if canonical is not signature:
            entry = (self.id, digest, canonical)
            if _verified.get(entry):
                return
        try:
            self._ecdsa.verify(canonical, digest, _VERIFYING[hash_family])
        except _Mismatch:
            raise InvalidSignature("The signature is invalid") from None
        _verified.put(entry, True)

    def _verify_otherwise(self, message: bytes, signature: bytes) -> None:
        if not isinstance(self.key, ed25519.Ed25519PublicKey):
            raise InvalidSignature("public key is neither ECDSA on a NIST curve nor Ed25519")
        entry = (self.id, hashlib.sha256(message).digest(), signature)
        if _verified.get(entry):
            return
        try:
            self.key.verify(signature, message)
        except _Mismatch:
            raise InvalidSignature("The signature is invalid") from None
        _verified.put(entry, True)

    def _canonical(self, signature: bytes) -> bytes:
        """Return the signature as strict DER, or raise InvalidSignature."""
        if self._half_order == _P256_HALF_ORDER and is_plainly_low(signature):
            return signature  # the rest takes ten times as long
        r, s, strict = parse_ecdsa_signature(signature)
        if s > self._half_order:
            raise InvalidSignature("Invalid S. Must be smaller than half the order")
        return signature if strict else encode_dss_signature(r, s)

    def __repr__(self) -> str:
        return f"VerificationKey({self.id.hex()[:16]})"


def parse_ecdsa_signature(signature: bytes) -> tuple[int, int, bool]:
    """Return (r, s, is strict DER), both positive; anything else is InvalidSignature.

    Leniency as in Go's asn1.Unmarshal: bytes behind S inside the sequence and bytes
    behind the sequence are ignored; lengths and integers must still be minimal.
    """
    strict = True
    try:
        r, s = decode_dss_signature(signature)
    except ValueError:
        strict = False
        try:
            body = der.contents(signature, der.SEQUENCE)
            r_bytes, rest = der.take(body, der.INTEGER)
            s_bytes, _ = der.take(rest, der.INTEGER)
            r, s = der.integer(r_bytes), der.integer(s_bytes)
        except ValueError as error:
            raise InvalidSignature(f"failed unmarshalling signature [{error}]") from None
    if r <= 0:
        raise InvalidSignature("invalid signature, R must be larger than zero")
    if s <= 0:
        raise InvalidSignature("invalid signature, S must be larger than zero")
    return r, s, strict


def is_plainly_low(signature: bytes) -> bool:
    """Whether the bytes alone show a strict DER signature of P-256 with low S.

    R has 32 or 33 bytes and S has 32 that begin below 0x7F, as nearly all have; of another
    signature this says nothing.
    """
    size = len(signature)
    if not 70 <= size <= 71 or signature[0] != 0x30 or signature[1] != size - 2:
        return False
    length = size - 38
    return (
        signature[2] == der.INTEGER
        and signature[3] == length
        and (
            (0 < signature[4] < 0x80) if length == 32 else signature[4] == 0 and signature[5] > 0x7F
        )
        and signature[size - 34] == der.INTEGER
        and signature[size - 33] == 32
        and 0 < signature[size - 32] < 0x7F
    )


def to_low_s(key: ec.EllipticCurvePublicKey, signature: bytes) -> bytes:
    """Return the same signature with s in the lower half of the curve's order."""
    order = CURVE_ORDERS.get(key.curve.name)
    if order is None:
        raise InvalidSignature(f"curve not recognized [{key.curve.name}]")
    return _low_s(order, signature)


def _low_s(order: int, signature: bytes) -> bytes:
    if order >> 1 == _P256_HALF_ORDER and is_plainly_low(signature):
        return signature
    r, s, strict = parse_ecdsa_signature(signature)
    if s > order >> 1:
        return encode_dss_signature(r, order - s)
    return signature if strict else encode_dss_signature(r, s)


def verify(public_key: PublicKeyTypes, message: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless the key signed the message (see VerificationKey)."""
    VerificationKey(public_key).verify(message, signature)


class SigningKey:
    """A private key made ready for many signatures; never shown by repr.

    Its own signatures enter the memo, so a process does not check what it has just made.
    """

    __slots__ = ("_ecdsa", "_key", "_order", "verification")

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self._order = 0
        self._ecdsa: ec.EllipticCurvePrivateKey | None = None
        if isinstance(key, ec.EllipticCurvePrivateKey):
            self._ecdsa = key
            self._order = CURVE_ORDERS.get(key.curve.name, 0)
        self.verification = VerificationKey(key.public_key())

    def sign(self, message: bytes, hash_family: str = SHA2) -> bytes:
        """Sign: ECDSA in low-S DER over the digest, Ed25519 over the message."""
        key = self._ecdsa
        if key is not None:
            if not self._order:
                raise InvalidSignature(f"curve not recognized [{key.curve.name}]")
            digest = _DIGESTS[hash_family](message).digest()
            signature = _low_s(self._order, key.sign(digest, _SIGNING[hash_family]))
        else:
            digest = hashlib.sha256(message).digest()
            assert isinstance(self._key, ed25519.Ed25519PrivateKey)
            signature = self._key.sign(message)
        _verified.put((self.verification.id, digest, signature), True)
        return signature

    def vouch(self, message: bytes, signature: bytes) -> None:
        """Take it for granted that this key made a signature (SHA2), in another process of ours."""
        _verified.put((self.verification.id, hashlib.sha256(message).digest(), signature), True)

    def __repr__(self) -> str:
        return f"SigningKey({self.verification.id.hex()[:16]})"


def sign(private_key: PrivateKey, message: bytes) -> bytes:
    """Sign one message (see SigningKey, which is cheaper for many)."""
    return SigningKey(private_key).sign(message)


def generate_key(random_bytes: RandomBytes) -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key from the given randomness (FIPS 186-5 A.2.1: 64 bits to spare)."""
    order = CURVE_ORDERS["secp256r1"]
    secret = int.from_bytes(random_bytes(40), "big") % (order - 1) + 1
    return ec.derive_private_key(secret, ec.SECP256R1())


def subject_key_id(key: PublicKeyTypes) -> bytes:
    """SHA-256 of the uncompressed point: bccsp's SKI, which names keystore files too."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return hashlib.sha256(point).digest()
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return hashlib.sha256(raw).digest()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).digest()

"""X.509 certificates read the way Go's crypto/x509 and Fabric's MSP read them.

``parse`` decodes everything that the MSP rules look at, at once, so that no malformed
corner of a hostile certificate can raise later.
(Fabric: msp/cert.go and parts of msp/mspimpl.go; the attributes: fabric-ca lib/attrmgr)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature as _Mismatch
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import (
    ExtensionOID,
    NameOID,
    ObjectIdentifier,
    SignatureAlgorithmOID,
)

from . import crypto, der, pem
from .documents import load_json
from .identity_errors import InvalidIdentity
from .memo import BoundedMemo

#: Where fabric-ca puts the attributes of an enrolled user; the value is bare JSON.
ATTRIBUTES_OID: Final = ObjectIdentifier("1.2.3.4.5.6.7.8.1")

ECDSA_SIGNATURES: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_BROKEN_HASHES: Final = frozenset({"md5", "sha1"})
#: What the parser may raise for malformed DER, at once or when a part is first looked at.
PARSER_ERRORS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

E = TypeVar("E", bound=x509.ExtensionType)

#: DER to what it says: the same few certificates arrive with every message and channel.
_parsed: BoundedMemo[bytes, Certificate] = BoundedMemo(1 << 10)
#: (id of the issuer's key, DER of the certificate) of signatures found good.
_issued: BoundedMemo[tuple[bytes, bytes], bool] = BoundedMemo(1 << 10)


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """One certificate with what the MSP rules ask of it.

    raw: DER; subject and issuer: DER of the names; key_usage: None when that extension is
    absent; extended_key_usages: dotted OIDs, empty when absent; path_length: how many
    intermediates may stand below, None for any number; critical: OIDs of the extensions
    marked so.
    """

    certificate: x509.Certificate
    raw: bytes
    key: crypto.VerificationKey
    subject: bytes
    issuer: bytes
    not_before: datetime
    not_after: datetime
    is_ca: bool
    has_basic_constraints: bool
    path_length: int | None
    key_usage: x509.KeyUsage | None
    extended_key_usages: frozenset[str]
    subject_key_id: bytes | None
    organizational_units: tuple[str, ...]
    critical: frozenset[str]

    @property
    def common_name(self) -> str:
        """The last common name of the subject, or the empty text."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[-1].value) if names else ""

    @property
    def serial_number(self) -> int:
        """The issuer's number for this certificate."""
        return self.certificate.serial_number

    @property
    def is_ecdsa_signed(self) -> bool:
        """Was it signed with ECDSA, so that low-S sanitising applies?"""
        return self.certificate.signature_algorithm_oid in ECDSA_SIGNATURES

    def extension(self, kind: type[E]) -> E | None:
        """Return an extension's value, or None when it is absent."""
        try:
            return self.certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    def is_issued_by(self, parent: Certificate) -> bool:
        """Did the parent's key sign this, and may that key sign certificates?

        Go's CheckSignatureFrom: a version 3 parent needs CA basic constraints, a key
        usage extension must allow it, MD5 and SHA-1 are refused; high-S is fine here.
        """
        if parent.certificate.version is x509.Version.v3 and not parent.is_ca:
            return False
        if parent.key_usage is not None and not parent.key_usage.key_cert_sign:
            return False
        entry = (parent.key.id, self.raw)
        if self.issuer != parent.subject or _issued.get(entry):
            return self.issuer == parent.subject
        try:
            algorithm = self.certificate.signature_hash_algorithm
            if algorithm is not None and algorithm.name in _BROKEN_HASHES:
                return False
            self.certificate.verify_directly_issued_by(parent.certificate)
        except (_Mismatch, *PARSER_ERRORS):
            return False
        _issued.put(entry, True)
        return True

    def pem(self) -> bytes:
        """Encode as PEM, the form inside a SerializedIdentity."""
        return pem.encode(pem.CERTIFICATE, self.raw)

    def __repr__(self) -> str:
        return f"Certificate({self.certificate.subject.rfc4514_string()!r}, {self.serial_number:x})"


def parse(der_bytes: bytes) -> Certificate:
    """Parse one DER certificate; InvalidIdentity when any part of it is malformed."""
    certificate = _parsed.get(der_bytes)
    if certificate is None:
        try:
            certificate = _parse(x509.load_der_x509_certificate(der_bytes), der_bytes)
        except PARSER_ERRORS as error:
            raise InvalidIdentity(f"parseCertificate failed: {error}") from error
        _parsed.put(der_bytes, certificate)
    return certificate


def parse_pem(data: bytes) -> Certificate:
    """Parse the first PEM block as a certificate, whatever its label says (as Fabric does)."""
    block = pem.decode(data)
    if block is None:
        raise InvalidIdentity("could not decode the PEM structure")
    return parse(block.contents)


def _parse(certificate: x509.Certificate, raw: bytes) -> Certificate:
    if certificate.serial_number < 0:
        raise InvalidIdentity("parseCertificate failed: x509: negative serial number")
    extensions = {extension.oid: extension for extension in certificate.extensions}

    def value(oid: ObjectIdentifier, kind: type[E]) -> E | None:
        found = extensions.get(oid)
        return found.value if found is not None and isinstance(found.value, kind) else None

    constraints = value(ExtensionOID.BASIC_CONSTRAINTS, x509.BasicConstraints)
    usages = value(ExtensionOID.EXTENDED_KEY_USAGE, x509.ExtendedKeyUsage)
    key_id = value(ExtensionOID.SUBJECT_KEY_IDENTIFIER, x509.SubjectKeyIdentifier)
    units = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    issuer, subject = _raw_names(certificate.tbs_certificate_bytes)
    return Certificate(
        certificate=certificate,
        raw=raw,
        key=crypto.VerificationKey(certificate.public_key()),
        subject=subject,
        issuer=issuer,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        is_ca=constraints is not None and constraints.ca,
        has_basic_constraints=constraints is not None,
        path_length=constraints.path_length if constraints is not None else None,
        key_usage=value(ExtensionOID.KEY_USAGE, x509.KeyUsage),
        extended_key_usages=frozenset(oid.dotted_string for oid in usages or ()),
        subject_key_id=key_id.digest if key_id is not None else None,
        organizational_units=tuple(str(unit.value) for unit in units),
        critical=frozenset(oid.dotted_string for oid, e in extensions.items() if e.critical),
    )


def _raw_names(tbs: bytes) -> tuple[bytes, bytes]:
    """Cut (issuer, subject) out of a TBSCertificate, byte for byte."""
    rest = der.contents(tbs, der.SEQUENCE)
    if rest[0] == 0xA0:  # explicit version
        _, rest = der.element(rest)
    for _field in ("serial number", "signature algorithm"):
        _, rest = der.element(rest)
    issuer, rest = der.element(rest)
    _, rest = der.element(rest)  # validity
    subject, _ = der.element(rest)
    return issuer, subject


def sanitize(certificate: Certificate, parent: Certificate) -> Certificate:
    """Return the certificate with its ECDSA signature in low-S (Fabric: msp/cert.go).

    ``parent`` is the certificate whose key signed it.  The same object comes back when
    the signature is low-S already.
    """
    key = parent.key.key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise InvalidIdentity("an ECDSA signature cannot come from another kind of key")
    signature = certificate.certificate.signature
    low = crypto.to_low_s(key, signature)
    if low == signature:
        return certificate
    signed, rest = der.element(der.contents(certificate.raw, der.SEQUENCE))
    algorithm, _ = der.element(rest)
    value = der.encode(der.BIT_STRING, b"\x00" + low)
    return parse(der.encode(der.SEQUENCE, signed + algorithm + value))


def attributes(certificate: x509.Certificate) -> Mapping[str, str]:
    """Return the attributes that fabric-ca wrote into a certificate, empty if none.

    Raises InvalidIdentity when the extension is there but is not the expected JSON.
    """
    try:
        extension = certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
    except x509.ExtensionNotFound:
        return {}
    if not isinstance(extension.value, x509.UnrecognizedExtension):
        raise InvalidIdentity("the attribute extension is not a plain value")
    try:
        found = load_json(extension.value.value)["attrs"] or {}
        return {str(name): str(value) for name, value in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidIdentity(f"malformed attribute extension: {error}") from error

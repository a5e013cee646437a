"""Certificate signing requests: what a client asks to have certified.

Whatever the bytes are, they become a ``SigningRequest`` or are refused.
(Fabric: fabric-ca lib/serverenroll.go processSignRequest; cfssl's ParseCertificateRequest)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID, ObjectIdentifier

from gridloom.common import pem
from gridloom.common.certificates import PARSER_ERRORS
from gridloom.common.crypto import CURVE_ORDERS

from .refusals import Code, Refusal

T = TypeVar("T")

CertifiedKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_LABELS: Final = frozenset({"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"})
_MIN_RSA_BITS: Final = 2048

_ALTERNATIVE_NAMES: Final = (
    x509.DNSName,
    x509.IPAddress,
    x509.RFC822Name,
    x509.UniformResourceIdentifier,
)

_LIMITS: Final[Mapping[ObjectIdentifier, tuple[str, int]]] = {
    NameOID.COMMON_NAME: ("CN", 64),
    NameOID.SERIAL_NUMBER: ("serial number", 64),
    NameOID.ORGANIZATIONAL_UNIT_NAME: ("organizational unit name", 64),
    NameOID.ORGANIZATION_NAME: ("organization name", 64),
    NameOID.COUNTRY_NAME: ("country name", 2),
    NameOID.LOCALITY_NAME: ("locality name", 128),
    NameOID.STATE_OR_PROVINCE_NAME: ("state name", 128),
}

Names: TypeAlias = Mapping[ObjectIdentifier, Sequence[str]]
"""The parts of a distinguished name by their kind."""


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """key: to be certified, which the request is signed with; names: of the subject.

    alternative_names: None if there are none; wants_ca: it asks to become a CA.
    """

    key: CertifiedKey
    common_name: str
    names: Names
    alternative_names: x509.SubjectAlternativeName | None
    wants_ca: bool


def parse_signing_request(text: str) -> SigningRequest:
    """Read a PEM request and check its signature; Refusal (400)."""
    block = pem.decode(text.encode())
    if block is None or block.kind not in _LABELS:
        raise bad_request("CSR Decode failed")
    request = _read(lambda: x509.load_der_x509_csr(block.contents))
    key = _read(request.public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise bad_request(f"keys of type {type(key).__name__} are not supported")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in CURVE_ORDERS:
        raise bad_request(f"the curve {key.curve.name} is not supported")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
        raise bad_request(f"RSA keys need {_MIN_RSA_BITS} bits")
    if not _read(lambda: request.is_signature_valid):
        raise bad_request("it is not signed by the key it asks for")
    names: dict[ObjectIdentifier, list[str]] = {}
    for attribute in _read(lambda: list(request.subject)):
        value = attribute.value
        names.setdefault(attribute.oid, []).append(value if isinstance(value, str) else "")
    common_names = names.get(NameOID.COMMON_NAME, [""])
    extensions = _read(lambda: request.extensions)
    return SigningRequest(
        key,
        common_names[-1],
        names,
        _alternative_names(extensions),
        _wants_ca(extensions),
    )


def bad_request(reason: str) -> Refusal:
    """400 for a signing request that cannot be used."""
    decoded = reason if reason == "CSR Decode failed" else f"Invalid CSR: {reason}"
    return Refusal(400, Code.BAD_CSR, decoded)


def _read(part: Callable[[], T]) -> T:
    """Read one part: the parser raises its complaints late."""
    try:
        return part()
    except (InvalidSignature, UnsupportedAlgorithm, *PARSER_ERRORS) as error:
        reason = f"CSR Decode failed: {error}"
        raise Refusal(400, Code.BAD_CSR, "CSR Decode failed", reason=reason) from error


def check_lengths(names: Names) -> None:
    """Raise Refusal (400) for a part that is longer than X.509 allows."""
    for oid, (what, limit) in _LIMITS.items():
        for value in names.get(oid, ()):
            if len(value.encode()) > limit:
                message = (
                    f"CSR input validation failed: The {what} '{value}' exceeds "
                    f"the maximum character limit of {limit}"
                )
                raise Refusal(400, Code.INVALID_CSR_FIELD, message)


def _alternative_names(extensions: x509.Extensions) -> x509.SubjectAlternativeName | None:
    """The names of the kinds that cfssl takes over."""
    try:
        found = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    names = [name for name in found if isinstance(name, _ALTERNATIVE_NAMES)]
    return x509.SubjectAlternativeName(names) if names else None


def _wants_ca(extensions: x509.Extensions) -> bool:
    try:
        return extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False

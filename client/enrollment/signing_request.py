"""Certificate signing requests (Fabric: fabric-ca lib/client.go GenCSR, cfssl's csr package)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.common import crypto
from gridloom.common.errors import GridloomError

#: The parts of a name by fabric-ca-client's words for them.
NAME_PARTS: Final = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "SerialNumber": NameOID.SERIAL_NUMBER,
}
_CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}


class BadRequest(GridloomError):
    """A certificate that cannot be asked for: the part at fault, and what is wrong with it."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


def new_key(
    algorithm: str = "ecdsa",
    size: int = 256,
    random_bytes: crypto.RandomBytes | None = None,
) -> crypto.PrivateKey:
    """Make a key: ecdsa of 256, 384 or 521 bits, or ed25519; BadRequest for others.

    random_bytes: for P-256, what it is made from instead of the system's randomness.
    """
    if algorithm.lower() == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm.lower() != "ecdsa":
        raise BadRequest("key algorithm", f"{algorithm!r} is neither ecdsa nor ed25519")
    if size not in _CURVES:
        raise BadRequest("key size", f"{size} is none of {', '.join(map(str, _CURVES))}")
    if size == 256 and random_bytes is not None:
        return crypto.generate_key(random_bytes)
    return ec.generate_private_key(_CURVES[size]())


def signing_request(
    name: str,
    key: crypto.PrivateKey,
    subject: Sequence[tuple[str, str]] = (),
    hosts: Sequence[str] = (),
) -> bytes:
    """Return a request in PEM for ``name`` as common name; BadRequest.

    subject: (part, value) of the rest of the name, by the words in NAME_PARTS.
    """
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(name, subject))
    if hosts:
        builder = builder.add_extension(_alternative_names(hosts), critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM)


def subject_of(certificate: x509.Certificate) -> Sequence[tuple[str, str]]:
    """Return the rest of a certificate's name, for a request like it; units are the CA's affair."""
    words = {oid: word for word, oid in NAME_PARTS.items() if word != "OU"}
    return [(words[part.oid], str(part.value)) for part in certificate.subject if part.oid in words]


def _name(name: str, subject: Sequence[tuple[str, str]]) -> x509.Name:
    unknown = [part for part, _ in subject if part not in NAME_PARTS]
    if unknown:
        raise BadRequest("subject", f"{unknown[0]!r} is none of {', '.join(NAME_PARTS)}")
    parts = [(NAME_PARTS[part], value) for part, value in subject if value]
    try:
        attributes = [
            x509.NameAttribute(oid, value) for oid, value in (*parts, (NameOID.COMMON_NAME, name))
        ]
        return x509.Name(attributes)
    except (ValueError, TypeError) as error:
        raise BadRequest("subject", str(error)) from error


def _alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """Tell IP and mail addresses from DNS names, each once, in the order given."""
    try:
        return x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    except (ValueError, TypeError) as error:
        raise BadRequest("hosts", str(error)) from error


def _general_name(host: str) -> x509.GeneralName:
    kind: Callable[[str], x509.GeneralName] = x509.RFC822Name if "@" in host else x509.DNSName
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return kind(host)

"""Making the certificate of a root CA.

(Fabric: fabric-ca lib/ca.go getCACert, cfssl's initca)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.common import certificates, crypto
from gridloom.common.certificates import Certificate

from .home_settings import CertificateSettings
from .issuer import BACKDATED
from .subjects import alternative_names

_CURVES: Final[Mapping[int, ec.EllipticCurve]] = {
    256: ec.SECP256R1(),
    384: ec.SECP384R1(),
    521: ec.SECP521R1(),
}
_NAMES: Final = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
_USAGE: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def new_key(
    settings: CertificateSettings, random_bytes: crypto.RandomBytes
) -> ec.EllipticCurvePrivateKey:
    """A key of the size that is asked for; of larger ones OpenSSL draws the randomness."""
    if settings.key_size == 256:
        return crypto.generate_key(random_bytes)
    return ec.generate_private_key(_CURVES[settings.key_size])


def distinguished_name(settings: CertificateSettings, common_name: str) -> x509.Name:
    """The subject that the settings describe; ValueError."""
    parts = [
        x509.NameAttribute(oid, settings.names[word])
        for word, oid in _NAMES.items()
        if settings.names.get(word)
    ]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def self_signed(
    settings: CertificateSettings,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    random_bytes: crypto.RandomBytes,
) -> Certificate:
    """The certificate of a root CA; ValueError for names that cannot be written down."""
    name = distinguished_name(settings, settings.common_name)
    start = now.replace(second=0, microsecond=0) - BACKDATED
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(int.from_bytes(random_bytes(20), "big") >> 1 | 1)
        .not_valid_before(start)
        .not_valid_after(start + settings.lifetime)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.BasicConstraints(True, settings.path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if settings.hosts:
        builder = builder.add_extension(alternative_names(settings.hosts), critical=False)
    signed = builder.sign(key, hashes.SHA256(), ecdsa_deterministic=crypto.DETERMINISTIC or None)
    certificate = certificates.parse(signed.public_bytes(Encoding.DER))
    return certificates.sanitize(certificate, certificate)

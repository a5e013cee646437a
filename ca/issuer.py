"""A certificate authority as an object: its certificate, its key and what it signs.

Time and randomness are passed in, so a CA under a seed issues the same certificates each
time.  All signatures are low-S, which spares every MSP the sanitising.
(Fabric: internal/cryptogen/ca for roots and folders; fabric-ca's signing profiles)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gridloom.common import certificates, crypto
from gridloom.common.certificates import Certificate
from gridloom.common.errors import GridloomError
from gridloom.common.keystore import find_key, key_pem
from gridloom.common.msp_files import write_file

from .subjects import Subject, alternative_names, attribute_extension

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
Extensions: TypeAlias = Sequence[tuple[x509.ExtensionType, bool]]
"""Each with whether it is critical."""

LIFETIME: Final = timedelta(days=3650)
#: Certificates start a little in the past, for clocks that lag.
BACKDATED: Final = timedelta(minutes=5)
KEY_FILE: Final = "priv_sk"


class Profile(Enum):
    """What a certificate is for; the names are fabric-ca's signing profiles."""

    DEFAULT = "default"  # signs transactions: digital signature only
    TLS = "tls"  # server and client of TLS connections
    CA = "ca"  # signs certificates and revocation lists


class RefusedRequest(GridloomError):
    """A certificate was asked for that this CA does not issue. reason: why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Issuer:
    """A root or intermediate CA. Make one with ``create``, ``subordinate`` or ``load``.

    name: its common name, which also names its file; certificate: its own.
    """

    def __init__(
        self,
        certificate: Certificate,
        key: crypto.PrivateKey,
        now: Callable[[], datetime],
        random_bytes: crypto.RandomBytes,
    ) -> None:
        self.name = certificate.common_name
        self.certificate = certificate
        self._key = key
        self._now = now
        self._random_bytes = random_bytes

    @classmethod
    def create(
        cls,
        subject: Subject,
        now: Callable[[], datetime],
        random_bytes: crypto.RandomBytes,
        *,
        lifetime: timedelta = LIFETIME,
    ) -> Issuer:
        """Make a self-signed root CA with a new P-256 key."""
        key = crypto.generate_key(random_bytes)
        name = subject.name()
        builder = _builder(
            name,
            name,
            key.public_key(),
            start=now(),
            lifetime=lifetime,
            random_bytes=random_bytes,
        )
        builder = _with_profile(builder, Profile.CA)
        certificate = certificates.parse(_signed(builder, key))
        # A root is its own issuer.
        return cls(certificates.sanitize(certificate, certificate), key, now, random_bytes)

    def subordinate(self, subject: Subject, *, lifetime: timedelta = LIFETIME) -> Issuer:
        """Make an intermediate CA below this one."""
        key = crypto.generate_key(self._random_bytes)
        certificate = self.issue(key.public_key(), subject, profile=Profile.CA, lifetime=lifetime)
        return Issuer(certificate, key, self._now, self._random_bytes)

    def issue(
        self,
        request: PublicKey | x509.CertificateSigningRequest,
        subject: Subject,
        *,
        hosts: Sequence[str] = (),
        attributes: Mapping[str, str] | None = None,
        profile: Profile = Profile.DEFAULT,
        lifetime: timedelta = LIFETIME,
    ) -> Certificate:
        """Sign a certificate for a public key, or for a request that proves its key.

        hosts: DNS names and IP addresses; attributes: for the ABAC extension, absent when
        None.  The names in a request are ignored: ``subject`` decides.  RefusedRequest
        for a request whose own signature is wrong or whose key is of another kind.
        """
        key = _public_key(request)
        issuer = self.certificate.certificate
        builder = _builder(
            subject.name(),
            issuer.subject,
            key,
            start=self._now(),
            lifetime=lifetime,
            random_bytes=self._random_bytes,
        )
        builder = _with_profile(builder, profile)
        if self.certificate.subject_key_id is not None:
            builder = builder.add_extension(_authority(self.certificate.subject_key_id), False)
        if hosts:
            builder = builder.add_extension(alternative_names(hosts), critical=False)
        if attributes is not None:
            builder = builder.add_extension(attribute_extension(attributes), critical=False)
        certificate = certificates.parse(_signed(builder, self._key))
        return certificates.sanitize(certificate, self.certificate)

    def certify(
        self,
        key: CertificatePublicKeyTypes,
        subject: x509.Name,
        validity: tuple[datetime, datetime],
        constraints: Extensions,
        extensions: Extensions,
    ) -> Certificate:
        """Sign a certificate as the caller wants it, with a random serial number.

        validity: from and until; constraints: what the certificate is for; extensions: what
        else it says.  Between them come both key identifiers, in cfssl's order and manner:
        the subject's own is the SHA-1 of its key.
        """
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.certificate.subject)
            .public_key(key)
            .serial_number(_serial_number(self._random_bytes))
            .not_valid_before(validity[0])
            .not_valid_after(validity[1])
        )
        identifiers: list[tuple[x509.ExtensionType, bool]] = [
            (x509.SubjectKeyIdentifier.from_public_key(key), False)
        ]
        if self.certificate.subject_key_id is not None:
            identifiers.append((_authority(self.certificate.subject_key_id), False))
        for extension, critical in (*constraints, *identifiers, *extensions):
            builder = builder.add_extension(extension, critical)
        certificate = certificates.parse(_signed(builder, self._key))
        return certificates.sanitize(certificate, self.certificate)

    def revocation_list(
        self, revoked: Mapping[int, datetime], *, lifetime: timedelta = timedelta(days=1)
    ) -> bytes:
        """Return a PEM CRL of the serial numbers revoked so far and when each was."""
        now = self._now()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.certificate.subject)
            .last_update(now)
            .next_update(now + lifetime)
        )
        if self.certificate.subject_key_id is not None:
            builder = builder.add_extension(_authority(self.certificate.subject_key_id), False)
        for serial, date in sorted(revoked.items()):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(date)
            builder = builder.add_revoked_certificate(entry.build())
        crl = builder.sign(
            self._key, _hash_for(self._key), ecdsa_deterministic=crypto.DETERMINISTIC or None
        )
        return crl.public_bytes(Encoding.PEM)

    def save(self, directory: Path) -> None:
        """Write ``<name>-cert.pem`` and the key (0600) as cryptogen lays them out."""
        write_file(directory / f"{self.name}-cert.pem", self.certificate.pem())
        write_file(directory / KEY_FILE, key_pem(self._key), secret=True)

    @classmethod
    def load(
        cls, directory: Path, now: Callable[[], datetime], random_bytes: crypto.RandomBytes
    ) -> Issuer:
        """Read a folder that ``save`` or cryptogen wrote.

        Raises RefusedRequest without a certificate, KeyNotFound without its key,
        InvalidIdentity when the certificate is malformed.
        """
        paths = sorted(directory.glob("*-cert.pem"))
        if not paths:
            raise RefusedRequest(f"{directory}: no CA certificate (*-cert.pem)")
        certificate = certificates.parse_pem(paths[0].read_bytes())
        return cls(certificate, find_key(directory, certificate), now, random_bytes)

    def __repr__(self) -> str:
        return f"Issuer({self.name})"


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: PublicKey,
    *,
    start: datetime,
    lifetime: timedelta,
    random_bytes: crypto.RandomBytes,
) -> x509.CertificateBuilder:
    """Start a certificate: names, key and its identifier, random serial, validity."""
    start = start.replace(second=0, microsecond=0) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(int.from_bytes(random_bytes(16), "big") | 1)
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
        .add_extension(x509.SubjectKeyIdentifier(crypto.subject_key_id(key)), critical=False)
    )


def _with_profile(builder: x509.CertificateBuilder, profile: Profile) -> x509.CertificateBuilder:
    """Add key usage, extended key usage and basic constraints."""
    is_ca = profile is Profile.CA
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=profile is not Profile.DEFAULT,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(usage, critical=True)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    if profile is Profile.DEFAULT:
        return builder
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    return builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)


def _serial_number(random_bytes: crypto.RandomBytes) -> int:
    """159 bits, at least one of them set (RFC 5280: positive, up to 20 octets)."""
    return int.from_bytes(random_bytes(20), "big") >> 1 | 1


def _authority(key_id: bytes) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier(key_id, None, None)


def _hash_for(key: crypto.PrivateKey) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _signed(builder: x509.CertificateBuilder, key: crypto.PrivateKey) -> bytes:
    return builder.sign(
        key, _hash_for(key), ecdsa_deterministic=crypto.DETERMINISTIC or None
    ).public_bytes(Encoding.DER)


def _public_key(request: PublicKey | x509.CertificateSigningRequest) -> PublicKey:
    if not isinstance(request, x509.CertificateSigningRequest):
        return request
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise RefusedRequest(f"keys of type {type(key).__name__} are not supported")
    if not request.is_signature_valid:
        raise RefusedRequest("the request is not signed by the key it asks for")
    return key

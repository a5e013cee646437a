"""Identities as files: the MSP folder that fabric-ca-client makes of an enrolment.

    cacerts/localhost-7054-ca-org1.pem      the authority's root; below intermediatecerts, too
    keystore/<hex SKI>_sk  signcerts/cert.pem
    tlscacerts/tls-localhost-7054-ca-org1.pem   instead of cacerts, for the profile ``tls``
    crls/crl.pem

(Fabric: fabric-ca cmd/fabric-ca-client/command/getcainfo.go, lib/client.go)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from gridloom.common import certificates, crypto, pem
from gridloom.common.certificates import Certificate
from gridloom.common.errors import GridloomError
from gridloom.common.identity_errors import InvalidIdentity
from gridloom.common.keystore import KeyNotFound, find_key, key_pem, read_key
from gridloom.common.msp_files import write_file

from .authority import CaIdentity, CertificateAuthority
from .records import CaInfo

TLS_PROFILE: Final = "tls"
_FOLDERS: Final = ("cacerts", "keystore", "signcerts", "user")


class NotEnrolled(GridloomError):
    """An MSP folder that holds no identity: its path, and what is missing."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; enroll first")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FileNames:
    """Paths within the folder other than the usual ones, None for these."""

    key: Path | None = None
    certificate: Path | None = None
    root: Path | None = None


class MspFolder:
    """One identity's folder; nothing is written before a method says so.

    authority: ``host:port`` and name, of which names of files are made.
    """

    def __init__(
        self, path: Path, authority: tuple[str, str] = ("", ""), names: FileNames | None = None
    ) -> None:
        self.path = path
        self._names = names or FileNames()
        self._stem = "-".join(part for part in authority if part).translate({ord(":"): "-"})
        self._stem = self._stem.replace(".", "-")

    @property
    def certificate_file(self) -> Path:
        """Where the identity's certificate is."""
        return self.path / (self._names.certificate or Path("signcerts") / "cert.pem")

    def store(self, identity: CaIdentity, profile: str = "") -> Mapping[str, Path]:
        """Write an identity with its authority's chain; return what went where."""
        for folder in _FOLDERS:
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        key_file = self._store_key(identity.private_key)
        write_file(self.certificate_file, identity.certificate_pem)
        written = {"client key": key_file, "client certificate": self.certificate_file}
        if identity.info is not None:
            written.update(self.trust(identity.info, profile))
        return written

    def trust(self, info: CaInfo, profile: str = "") -> Mapping[str, Path]:
        """Write an authority's chain, roots and intermediates apart; return what went where."""
        (self.path / _FOLDERS[0]).mkdir(parents=True, exist_ok=True)
        tls = "tls" if profile == TLS_PROFILE else ""
        stem = f"tls-{self._stem}.pem" if tls else f"{self._stem}.pem"
        roots, intermediates = _apart(info.chain)
        written = {}
        if roots:
            root_file = self._names.root or Path(f"{tls}cacerts") / stem
            written[f"{tls.upper()} root CA certificate".strip()] = self._write(root_file, roots)
        if intermediates:
            file = self._write(Path(f"{tls}intermediatecerts") / stem, intermediates)
            written[f"{tls.upper()} intermediate CA certificates".strip()] = file
        for name, content in (
            ("IssuerPublicKey", info.issuer_public_key),
            ("IssuerRevocationPublicKey", info.issuer_revocation_public_key),
        ):
            if content:
                written[name] = self._write(Path(name), content)
        return written

    def store_revocations(self, crl: bytes) -> Path:
        """Write a revocation list; return where."""
        return self._write(Path("crls") / "crl.pem", crl)

    def store_request(
        self, name: str, key: crypto.PrivateKey, request: bytes
    ) -> Mapping[str, Path]:
        """Write a signing request with its key; return what went where."""
        request_file = self._write(Path("signcerts") / f"{name}.csr", request)
        return {"client key": self._store_key(key), "CSR": request_file}

    def load(self, authority: CertificateAuthority) -> CaIdentity:
        """Return the folder's identity; NotEnrolled, InvalidIdentity."""
        try:
            certificate = certificates.parse_pem(self.certificate_file.read_bytes())
        except FileNotFoundError:
            raise NotEnrolled(self.path, f"there is no {self.certificate_file.name}") from None
        return authority.identity(certificate.pem(), self._key(certificate))

    def _key(self, certificate: Certificate) -> crypto.PrivateKey:
        try:
            if self._names.key is None:
                return find_key(self.path / "keystore", certificate)
            key = read_key((self.path / self._names.key).read_bytes())
        except (KeyNotFound, FileNotFoundError) as error:
            raise NotEnrolled(self.path, str(error)) from error
        if key is None or key.public_key() != certificate.key.key:
            raise NotEnrolled(self.path, f"{self._names.key} is not the key of the certificate")
        return key

    def _store_key(self, key: crypto.PrivateKey) -> Path:
        ski = crypto.subject_key_id(key.public_key()).hex()
        file = self.path / (self._names.key or Path("keystore") / f"{ski}_sk")
        write_file(file, key_pem(key), secret=True)
        return file

    def _write(self, file: Path, content: bytes) -> Path:
        write_file(self.path / file, content)
        return self.path / file


def _apart(chain: bytes) -> tuple[bytes, bytes]:
    """Tell roots from intermediates; InvalidIdentity for what is no CA certificate."""
    roots: list[bytes] = []
    intermediates: list[bytes] = []
    while block := pem.decode(chain):
        chain = block.trailing
        certificate = certificates.parse(block.contents)
        if not certificate.is_ca:
            raise InvalidIdentity(f"{certificate.common_name} in the authority's chain is no CA")
        issuer = certificate.extension(x509.AuthorityKeyIdentifier)
        own = issuer is None or issuer.key_identifier in {None, certificate.subject_key_id}
        (roots if own else intermediates).append(certificate.pem())
    return b"".join(roots), b"".join(intermediates)

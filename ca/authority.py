"""One certificate authority: its key, its profiles, its database.

    settings = AuthoritySettings("ca-org1", [BootstrapIdentity("admin", "adminpw")])
    authority = Authority(settings, issuer, chain, Database.in_memory(), now=clock)

It knows nothing of requests; ``service.py`` does.  Authorities of a folder are opened by
``home.py``; a network's may be made around an ``Issuer`` as above.  (Fabric: fabric-ca lib/ca.go)
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from gridloom.common import certificates, crypto, pem
from gridloom.common.certificates import Certificate
from gridloom.common.errors import GridloomError

from .authority_settings import AuthoritySettings, BootstrapIdentity
from .certificate_records import plain_hex
from .database import Database, Store
from .identity import Identity, granted_enrollments
from .issuer import Extensions, Issuer
from .profiles import SigningProfile
from .refusals import Code, Refusal
from .secret_hash import hash_secret
from .signing_request import CertifiedKey, bad_request

DEFAULT_PROFILE: Final = "default"


class AuthorityUnusable(GridloomError):
    """A CA's settings or files do not make a CA. name: which one; reason: why not."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"CA {name}: {reason}")
        self.name = name
        self.reason = reason


class Authority:
    """A CA that signs, lists and revokes.

    chain: PEM, its own certificate first and a root last; now and random_bytes: the world.
    Identities and affiliations of the settings are added to the database if they are not there.
    """

    def __init__(
        self,
        settings: AuthoritySettings,
        issuer: Issuer,
        chain: bytes,
        database: Database,
        *,
        now: Callable[[], datetime],
        random_bytes: crypto.RandomBytes = os.urandom,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.certificate = issuer.certificate
        self.chain = chain
        self.database = database
        self.now = now
        self.random_bytes = random_bytes
        self._issuer = issuer
        self._chain = certificates_of(settings.name, chain)
        self.key_id = plain_hex((issuer.certificate.subject_key_id or b"").hex())
        self._fill()

    def info(self, version: str = "") -> dict[str, object]:
        """What anybody may know.  There are no Idemix keys: their fields are empty."""
        return {
            "CAName": self.name,
            "CAChain": base64.b64encode(self.chain).decode(),
            "IssuerPublicKey": "",
            "IssuerRevocationPublicKey": "",
            "Version": version,
        }

    def profile(self, name: str) -> SigningProfile:
        """A signing profile by name; Refusal (400)."""
        found = self.settings.profiles.get("" if name == DEFAULT_PROFILE else name)
        if found is None:
            raise Refusal(400, Code.UNKNOWN, f"Invalid profile: '{name}'")
        return found

    def certify(
        self,
        key: CertifiedKey,
        subject: x509.Name,
        profile: SigningProfile,
        not_before: datetime | None,
        extensions: Extensions,
    ) -> Certificate:
        """Sign a certificate, not longer valid than this CA's own; Refusal (400).

        not_before: None for as early as this CA's, which spares clocks that lag.
        """
        if profile.is_ca and self.certificate.path_length == 0:
            raise bad_request("this CA may not certify other CAs")
        rounded = _rounded(self.now())
        start = max(not_before or self.certificate.not_before, self.certificate.not_before)
        end = min(rounded + profile.expiry, self.certificate.not_after)
        if start >= end:
            raise bad_request("the certificate would end before it begins")
        try:
            return self._issuer.certify(
                key, subject, (start, end), profile.extensions(), extensions
            )
        except certificates.PARSER_ERRORS as error:
            raise bad_request(f"it cannot be certified: {error}") from error

    def revocation_list(self, revoked: Sequence[tuple[int, datetime]]) -> bytes:
        """A PEM list of serial numbers and when each was revoked; Refusal (500)."""
        usage = self.certificate.key_usage
        if usage is not None and not usage.crl_sign:
            message = (
                "The CA does not have authority to generate a CRL. "
                "Its certificate does not have 'crl sign' key usage"
            )
            raise Refusal(500, Code.NO_CRL_SIGN_USAGE, message)
        return self._issuer.revocation_list(dict(revoked), lifetime=self.settings.crl_expiry)

    def distrust(self, certificate: Certificate, *, ignore_expiry: bool = False) -> str:
        """Why not to trust a certificate as one of this CA's that is valid now; empty if none."""
        if not certificate.is_issued_by(self.certificate):
            return "it was not issued by this CA"
        now = self.now()
        judged = self._chain if ignore_expiry else (certificate, *self._chain)
        for each in judged:
            if now > each.not_after:
                return f"{each.common_name!r} expired at {each.not_after:%Y-%m-%d %H:%M:%S}"
            if now < each.not_before:
                return f"{each.common_name!r} is valid from {each.not_before:%Y-%m-%d %H:%M:%S}"
        return ""

    def close(self) -> None:
        """Give up the database."""
        self.database.close()

    def _fill(self) -> None:
        with self.database.read() as store:
            missing = [
                each for each in self.settings.identities if store.identities.find(each.id) is None
            ]
        identities = [self._bootstrapped(each) for each in missing]
        with self.database.write() as store:
            _add(store, self.settings.affiliations, identities)

    def _bootstrapped(self, wanted: BootstrapIdentity) -> Identity:
        try:
            granted = granted_enrollments(wanted.max_enrollments, self.settings.max_enrollments)
        except Refusal as error:
            raise AuthorityUnusable(self.name, f"{wanted.id}: {error.message}") from error
        return Identity(
            wanted.id,
            wanted.type,
            wanted.affiliation,
            tuple(wanted.attributes),
            granted,
            secret_hash=hash_secret(wanted.secret, self.random_bytes),
        )

    def __repr__(self) -> str:
        return f"Authority({self.name})"


def _add(store: Store, affiliations: Sequence[str], identities: Sequence[Identity]) -> None:
    for affiliation in affiliations:
        store.affiliations.add(affiliation)
    for identity in identities:
        if store.identities.find(identity.id) is None:  # another server may have been quicker
            store.identities.add(identity)


def _rounded(moment: datetime) -> datetime:
    """To the nearest minute, as Go's Time.Round."""
    return (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)


def certificates_of(name: str, chain: bytes) -> tuple[Certificate, ...]:
    """The certificates of a PEM chain; AuthorityUnusable when one of them is no CA's."""
    found: list[Certificate] = []
    rest = chain
    while (block := pem.decode(rest)) is not None:
        rest = block.trailing
        if block.kind == pem.CERTIFICATE:
            found.append(certificates.parse(block.contents))
    if not found:
        raise AuthorityUnusable(name, "its chain holds no certificate")
    for each in found:
        if not each.is_ca:
            raise AuthorityUnusable(name, f"{each.common_name!r} in its chain is no CA")
    return tuple(found)

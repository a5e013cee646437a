"""Signing profiles: what a certificate may be used for and how long it lasts.

(Fabric: the ``signing`` section of fabric-ca-server-config.yaml, cfssl's config package)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

_KEY_USAGES: Final[Mapping[str, str]] = {
    "signing": "digital_signature",
    "digital signature": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
    "encipher only": "encipher_only",
    "decipher only": "decipher_only",
}
_EXTENDED_USAGES: Final[Mapping[str, ObjectIdentifier]] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}


@dataclass(frozen=True, slots=True)
class SigningProfile:
    """usages: cfssl's words; expiry: how long a certificate lasts at most.

    max_path_length: intermediates below, None for any number; for a profile of CAs only.
    ValueError for a usage nobody knows.
    """

    usages: tuple[str, ...]
    expiry: timedelta
    is_ca: bool = False
    max_path_length: int | None = None

    def __post_init__(self) -> None:
        for usage in self.usages:
            if usage not in _KEY_USAGES and usage not in _EXTENDED_USAGES:
                known = ", ".join((*_KEY_USAGES, *_EXTENDED_USAGES))
                raise ValueError(f"unknown usage {usage!r}; there are: {known}")
        if self.expiry <= timedelta(0):
            raise ValueError("a certificate has to last for some time")

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """Key usage, extended key usage and basic constraints; and whether each is critical."""
        named = {_KEY_USAGES[usage] for usage in self.usages if usage in _KEY_USAGES}
        if named & {"encipher_only", "decipher_only"}:
            named.add("key_agreement")  # they have no meaning without it
        extended = [_EXTENDED_USAGES[usage] for usage in self.usages if usage in _EXTENDED_USAGES]
        result: list[tuple[x509.ExtensionType, bool]] = []
        if named:
            flags = {flag: flag in named for flag in _KEY_USAGES.values()}
            result.append((x509.KeyUsage(**flags), True))
        if extended:
            result.append((x509.ExtendedKeyUsage(list(dict.fromkeys(extended))), False))
        length = self.max_path_length if self.is_ca else None
        result.append((x509.BasicConstraints(self.is_ca, length), True))
        return result


DEFAULT_PROFILES: Final[Mapping[str, SigningProfile]] = MappingProxyType(
    {
        "": SigningProfile(("digital signature",), timedelta(hours=8760)),
        "ca": SigningProfile(
            ("cert sign", "crl sign"), timedelta(hours=43800), is_ca=True, max_path_length=0
        ),
        "tls": SigningProfile(
            ("signing", "key encipherment", "server auth", "client auth", "key agreement"),
            timedelta(hours=8760),
        ),
    }
)
"""fabric-ca's own; the default one has the empty name, as in a request without one."""

"""What can be set about one CA, with fabric-ca's defaults.

(Fabric: fabric-ca lib/caconfig.go; ``settings.py`` reads them from fabric-ca-server-config.yaml)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from . import attributes
from .attributes import Attribute
from .identity import DEFAULT_TYPE, UNLIMITED
from .profiles import DEFAULT_PROFILES, SigningProfile

REGISTRAR: Final = (
    Attribute(attributes.ROLES, "*"),
    Attribute(attributes.DELEGATE_ROLES, "*"),
    Attribute(attributes.REVOKER, "1"),
    Attribute(attributes.INTERMEDIATE_CA, "1"),
    Attribute(attributes.GEN_CRL, "1"),
    Attribute(attributes.REGISTRAR_ATTRIBUTES, "*"),
    Attribute(attributes.AFFILIATION_MANAGER, "1"),
)
"""The attributes of a CA's first registrar: all there are."""

AFFILIATIONS: Final = (
    "org1",
    "org1.department1",
    "org1.department2",
    "org2",
    "org2.department1",
)
"""Those of fabric-ca's default configuration."""


@dataclass(frozen=True, slots=True)
class BootstrapIdentity:
    """An identity that a CA has from the start; by default its registrar."""

    id: str
    secret: str = field(repr=False)
    type: str = DEFAULT_TYPE
    affiliation: str = ""
    max_enrollments: int = 0
    attributes: Sequence[Attribute] = REGISTRAR


@dataclass(frozen=True, slots=True)
class AuthoritySettings:
    """name: the ``caname`` of requests.

    max_enrollments: of any identity, 0 lets nobody enroll; password_attempts: wrong secrets
    until an identity is locked, 0 for no limit; crl_expiry: until a list names its next update;
    ..._per_chunk: of long lists, sent piece by piece.
    """

    name: str
    identities: Sequence[BootstrapIdentity] = ()
    affiliations: Sequence[str] = AFFILIATIONS
    profiles: Mapping[str, SigningProfile] = field(default_factory=lambda: DEFAULT_PROFILES)
    max_enrollments: int = UNLIMITED
    password_attempts: int = 10
    may_remove_identities: bool = False
    may_remove_affiliations: bool = False
    reenroll_ignores_expiry: bool = False
    crl_expiry: timedelta = timedelta(hours=24)
    identities_per_chunk: int = 100
    certificates_per_chunk: int = 100

"""What can be set about CAs that live in folders, and about the server that serves them.

(Fabric: fabric-ca lib/serverconfig.go, lib/caconfig.go; ``settings.py`` reads them)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from gridloom.common.operations import OperationsSettings

from .authority_settings import AuthoritySettings

SQLITE: Final = "sqlite3"
POSTGRES: Final = "postgres"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """kind: ``sqlite3`` with source a file, or ``postgres`` with libpq's source.

    options: further ones of libpq, for TLS.
    """

    kind: str = SQLITE
    source: str = field(default="fabric-ca-server.db", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CertificateSettings:
    """The CA's own certificate (section ``csr``); names: C, ST, L, O, OU in cfssl's words."""

    common_name: str = "fabric-ca-server"
    names: Mapping[str, str] = field(default_factory=dict)
    hosts: Sequence[str] = ()
    key_size: int = 256
    lifetime: timedelta = timedelta(hours=131400)
    path_length: int | None = 1


@dataclass(frozen=True, slots=True)
class ParentSettings:
    """The server an intermediate CA enrolls with; url: holds an id and its secret."""

    url: str = field(repr=False)
    ca_name: str = ""
    profile: str = "ca"
    hosts: Sequence[str] = ()
    tls_roots: Sequence[Path] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """One CA with its folder and files."""

    authority: AuthoritySettings
    folder: Path
    certificate_file: Path
    key_file: Path | None
    chain_file: Path
    passphrase_file: Path | None
    database: DatabaseSettings
    certificate: CertificateSettings
    parent: ParentSettings | None


@dataclass(frozen=True, slots=True)
class ServerTlsSettings:
    """certificate: made at the first start if it is not there and no key is named.

    client_roots: None asks clients for no certificate.
    """

    certificate: Path
    key: Path | None
    client_roots: Sequence[Path] | None = None


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """homes: the CAs, the default one first; operations: where health and figures are told."""

    address: str
    port: int
    homes: tuple[HomeSettings, ...]
    tls: ServerTlsSettings | None = None
    origins: Sequence[str] = ()
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    compatible_1_3: bool = False

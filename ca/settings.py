"""The settings of a server of CAs: fabric-ca-server-config.yaml and FABRIC_CA_SERVER_* variables.

The document and the variables are fabric-ca's.  What does not apply here (bccsp, idemix, metrics)
is ignored, except where ignoring it would surprise: LDAP, MySQL, unusual client authentication.
One key is ours: ``ca.passphrasefile``, the file with the passphrase of the CA's keys.
(Fabric: fabric-ca lib/server.go initMultiCAConfig)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from gridloom.common.operations import read_operations
from gridloom.common.settings import InvalidSetting, SettingsSource

from .home_settings import SQLITE, HomeSettings, ServerSettings, ServerTlsSettings
from .settings_sections import (
    read_authority,
    read_certificate,
    read_database,
    read_parent,
)

PREFIX: Final = "FABRIC_CA_SERVER"
CONFIG_FILE: Final = "fabric-ca-server-config.yaml"

MOST_CAS: Final = 100
"""Further CAs that ``cacount`` may ask for."""

DEFAULT_ADDRESS: Final = "127.0.0.1"
"""fabric-ca's is all interfaces; here that has to be said (``address: 0.0.0.0``)."""


def load_settings(
    folder: Path, environment: Mapping[str, str], overrides: Mapping[str, str] | None = None
) -> ServerSettings:
    """Read the settings of a folder; InvalidSetting.

    overrides: keys such as ``ca.name`` from a command line, before everything else.
    """
    variables = dict(environment)
    for key, value in (overrides or {}).items():
        variables[f"{PREFIX}_{key}".upper().replace(".", "_")] = value
    source = SettingsSource.load(folder / CONFIG_FILE, PREFIX, variables)
    default = read_home(source, folder, None)
    return ServerSettings(
        address=source.value("address", str, DEFAULT_ADDRESS),
        port=source.value("port", int, 7054),
        homes=(default, *_further_homes(source, default)),
        tls=_server_tls(source, folder) if source.flag("tls.enabled") else None,
        origins=source.texts("cors.origins") if source.flag("cors.enabled") else (),
        operations=read_operations(source, "operations.listenAddress", "operations.tls"),
        compatible_1_3=source.flag("compatibility_mode_v1_3"),
    )


def read_home(source: SettingsSource, folder: Path, default: HomeSettings | None) -> HomeSettings:
    """Read one CA; what is not set is as in the server's default CA, paths excepted."""
    if source.flag("ldap.enabled"):
        raise InvalidSetting("ldap.enabled", "identities from LDAP are not supported")
    parent = read_parent(source)
    inherited = None if default is None else default.authority
    return HomeSettings(
        authority=read_authority(source, inherited),
        folder=folder,
        certificate_file=source.path("ca.certfile", folder / "ca-cert.pem"),
        key_file=source.value("ca.keyfile", lambda text: folder / text, None),
        chain_file=source.path("ca.chainfile", folder / "ca-chain.pem"),
        passphrase_file=source.value(
            "ca.passphrasefile",
            lambda text: folder / text,
            None if default is None else default.passphrase_file,
        ),
        database=read_database(source),
        certificate=read_certificate(source, parent, default),
        parent=parent,
    )


def _further_homes(source: SettingsSource, default: HomeSettings) -> list[HomeSettings]:
    """The CAs of ``cafiles``, or as many as ``cacount`` says below ``ca/``."""
    files, count = source.paths("cafiles"), source.value("cacount", _count, 0)
    if files and count:
        raise InvalidSetting("cacount", "cannot be combined with cafiles")
    if count and default.parent is not None:
        raise InvalidSetting("cacount", "an intermediate CA needs cafiles instead")
    homes = [_counted(number, default) for number in range(1, count + 1)]
    for file in files:
        further = SettingsSource.load(file, PREFIX, {})
        if not further.value("ca.name", str, ""):
            raise InvalidSetting("ca.name", f"is missing in {file}")
        homes.append(read_home(further, file.parent, default))
    return homes


def _counted(number: int, default: HomeSettings) -> HomeSettings:
    name = f"ca{number}"
    folder = default.folder / "ca" / name
    database = replace(default.database, source="fabric-ca-server.db")
    if default.database.kind != SQLITE:
        raise InvalidSetting("cacount", "needs sqlite3; name a database for each CA by cafiles")
    return replace(
        default,
        authority=replace(default.authority, name=name),
        folder=folder,
        certificate_file=folder / "ca-cert.pem",
        key_file=None,
        chain_file=folder / "ca-chain.pem",
        database=database,
        certificate=replace(default.certificate, common_name=f"fabric-ca-server-{name}"),
    )


def _server_tls(source: SettingsSource, folder: Path) -> ServerTlsSettings:
    kind = source.value("tls.clientauth.type", str.lower, "noclientcert")
    if kind not in {"noclientcert", "requireandverifyclientcert"}:
        reason = f"{kind!r}: expected noclientcert or requireandverifyclientcert"
        raise InvalidSetting("tls.clientauth.type", reason)
    return ServerTlsSettings(
        source.path("tls.certfile", folder / "tls-cert.pem"),
        source.value("tls.keyfile", lambda text: folder / text, None),
        None if kind == "noclientcert" else source.paths("tls.clientauth.certfiles"),
    )


def _count(text: str) -> int:
    if not 0 <= int(text) <= MOST_CAS:
        raise ValueError(f"expected 0 to {MOST_CAS}")
    return int(text)

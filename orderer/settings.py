"""The orderer's settings: orderer.yaml and the ORDERER_* variables that override it.

(Fabric: sampleconfig/orderer.yaml, orderer/common/localconfig/config.go.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gridloom.common.channel.durations import parse_duration
from gridloom.common.settings import InvalidSetting, SettingsSource

from .chain import CuttingMode

_SIZE = re.compile(r"([0-9]{1,9})\s*(?:([kmg])b?)?", re.IGNORECASE)
_SHIFTS = {"": 0, "k": 10, "m": 20, "g": 30}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files of a TLS server of the orderer; client certificates are demanded if there are roots."""

    certificate: Path
    private_key: Path
    root_cas: tuple[Path, ...] = ()
    client_root_cas: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The admin port, and the channel participation API on it.

    listen_address: ``host:port``; tls: always mutual; max_request_body: bytes.
    """

    listen_address: str = "127.0.0.1:9443"
    tls: TlsSettings | None = None
    participation: bool = True
    max_request_body: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OrdererSettings:
    """What one orderer is told from outside; the defaults are the sample orderer.yaml's.

    listen_address: ``host:port`` to serve at; tls: None serves in the clear.
    local_msp_dir, local_msp_id: the orderer's own identity.
    location: the folder below which ``chains`` holds the blocks.
    time_window: how far a deliver request's time may be off, either way.
    check_expiration: refuse expired client certificates.
    cutting: key ``General.Cutting``, ours: timeout (Fabric's way), idle or manual.
    admin: the port that administrators use.
    """

    listen_address: str = "127.0.0.1:7050"
    tls: TlsSettings | None = None
    local_msp_dir: Path = Path("msp")
    local_msp_id: str = "SampleOrg"
    location: Path = Path("/var/hyperledger/production/orderer")
    time_window: timedelta = timedelta(minutes=15)
    check_expiration: bool = True
    cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT
    admin: AdminSettings = AdminSettings()


def load_settings(config_dir: Path, environment: Mapping[str, str]) -> OrdererSettings:
    """Read ``orderer.yaml`` of a folder (FABRIC_CFG_PATH) under the environment's overrides.

    InvalidSetting names the key, or the file when that cannot be read.
    """
    source = SettingsSource.load(config_dir / "orderer.yaml", "ORDERER", environment)
    default = OrdererSettings()
    host, _, port = default.listen_address.rpartition(":")
    host = source.value("General.ListenAddress", str, host)
    bound = source.value("General.ListenPort", _port, int(port))
    no_expiration = source.flag("General.Authentication.NoExpirationChecks")
    return OrdererSettings(
        listen_address=f"{host}:{bound}",
        tls=_tls(source, "General.TLS") if source.flag("General.TLS.Enabled") else None,
        local_msp_dir=source.path("General.LocalMSPDir", config_dir / default.local_msp_dir),
        local_msp_id=source.value("General.LocalMSPID", str, default.local_msp_id),
        location=source.path("FileLedger.Location", default.location),
        time_window=source.value(
            "General.Authentication.TimeWindow", parse_duration, default.time_window
        ),
        check_expiration=not no_expiration,
        cutting=source.value("General.Cutting", CuttingMode, default.cutting),
        admin=_admin(source),
    )


def _admin(source: SettingsSource) -> AdminSettings:
    default = AdminSettings()
    tls = None
    if source.flag("Admin.TLS.Enabled"):
        if not source.flag("Admin.TLS.ClientAuthRequired", True):
            reason = "must be true when TLS is enabled: the admin port is for administrators only"
            raise InvalidSetting("Admin.TLS.ClientAuthRequired", reason)
        tls = _tls(source, "Admin.TLS", mutual=True)
    return AdminSettings(
        listen_address=source.value("Admin.ListenAddress", _address, default.listen_address),
        tls=tls,
        participation=source.flag("ChannelParticipation.Enabled", default.participation),
        max_request_body=source.value(
            "ChannelParticipation.MaxRequestBodySize", _size, default.max_request_body
        ),
    )


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError("expected host:port")
    return f"{host}:{_port(port)}"


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError("expected a size such as 1 MB")
    return int(found[1]) << _SHIFTS[(found[2] or "").lower()]


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise ValueError("expected a port from 0 to 65535")
    return port


def _tls(source: SettingsSource, section: str, *, mutual: bool = False) -> TlsSettings:
    missing = Path()
    certificate = source.path(f"{section}.Certificate", missing)
    private_key = source.path(f"{section}.PrivateKey", missing)
    for key, found in (("Certificate", certificate), ("PrivateKey", private_key)):
        if found == missing:
            raise InvalidSetting(f"{section}.{key}", "needed because TLS is enabled")
    demanded = mutual or source.flag(f"{section}.ClientAuthRequired")
    clients = source.paths(f"{section}.ClientRootCAs") if demanded else ()
    if demanded and not clients:
        raise InvalidSetting(
            f"{section}.ClientRootCAs", "needed because client certificates are required"
        )
    return TlsSettings(certificate, private_key, source.paths(f"{section}.RootCAs"), clients)

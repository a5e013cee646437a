"""The orderer's settings: orderer.yaml and the ORDERER_* variables that override it.

(Fabric: sampleconfig/orderer.yaml, orderer/common/localconfig/config.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gridloom.common.channel.durations import parse_duration
from gridloom.common.settings import InvalidSetting, SettingsSource

from .chain import CuttingMode


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files of the orderer's TLS server; client certificates are demanded if there are roots."""

    certificate: Path
    private_key: Path
    root_cas: tuple[Path, ...] = ()
    client_root_cas: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class OrdererSettings:
    """What one orderer is told from outside; the defaults are the sample orderer.yaml's.

    listen_address: ``host:port`` to serve at; tls: None serves in the clear.
    local_msp_dir, local_msp_id: the orderer's own identity.
    location: the folder below which ``chains`` holds the blocks.
    time_window: how far a deliver request's time may be off, either way.
    check_expiration: refuse expired client certificates.
    cutting: key ``General.Cutting``, ours: timeout (Fabric's way), idle or manual.
    """

    listen_address: str = "127.0.0.1:7050"
    tls: TlsSettings | None = None
    local_msp_dir: Path = Path("msp")
    local_msp_id: str = "SampleOrg"
    location: Path = Path("/var/hyperledger/production/orderer")
    time_window: timedelta = timedelta(minutes=15)
    check_expiration: bool = True
    cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT


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
        tls=_tls(source) if source.flag("General.TLS.Enabled") else None,
        local_msp_dir=source.path("General.LocalMSPDir", config_dir / default.local_msp_dir),
        local_msp_id=source.value("General.LocalMSPID", str, default.local_msp_id),
        location=source.path("FileLedger.Location", default.location),
        time_window=source.value(
            "General.Authentication.TimeWindow", parse_duration, default.time_window
        ),
        check_expiration=not no_expiration,
        cutting=source.value("General.Cutting", CuttingMode, default.cutting),
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise ValueError("expected a port from 0 to 65535")
    return port


def _tls(source: SettingsSource) -> TlsSettings:
    missing = Path()
    certificate = source.path("General.TLS.Certificate", missing)
    private_key = source.path("General.TLS.PrivateKey", missing)
    for key, found in (("Certificate", certificate), ("PrivateKey", private_key)):
        if found == missing:
            raise InvalidSetting(f"General.TLS.{key}", "needed because TLS is enabled")
    demanded = source.flag("General.TLS.ClientAuthRequired")
    clients = source.paths("General.TLS.ClientRootCAs") if demanded else ()
    if demanded and not clients:
        raise InvalidSetting(
            "General.TLS.ClientRootCAs", "needed because client certificates are required"
        )
    return TlsSettings(certificate, private_key, source.paths("General.TLS.RootCAs"), clients)

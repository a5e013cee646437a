"""The orderer's settings: orderer.yaml and the ORDERER_* variables that override it.

(Fabric: sampleconfig/orderer.yaml, orderer/common/localconfig/config.go.)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from gridloom.common.channel.durations import parse_duration
from gridloom.common.operations import OperationsSettings, read_operations
from gridloom.common.settings import InvalidSetting, SettingsSource

from .chain import CuttingMode

_SIZE = re.compile(r"([0-9]{1,9})\s*(?:([kmg])b?)?", re.IGNORECASE)
CLUSTER_OFFSET = 5
"""From an orderer's port to that of its cluster service unless it says otherwise."""
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
class ClusterSettings:
    """How the orderer is one of several.

    listen_address: ``host:port`` of its own, since it asks for certificates; tls: the server's
    and, unless client_certificate and client_key say otherwise, the client's; rpc_timeout: for a
    message to be ordered; wal_dir: of the Raft logs; eviction_suspicion: without a leader;
    tick_interval: in place of the channels' own.
    """

    listen_address: str = "127.0.0.1:7055"
    tls: TlsSettings | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    rpc_timeout: timedelta = timedelta(seconds=15)
    wal_dir: Path = Path("/var/hyperledger/production/orderer/etcdraft/wal")
    eviction_suspicion: timedelta = timedelta(minutes=10)
    tick_interval: timedelta | None = None


@dataclass(frozen=True, slots=True)
class OrdererSettings:
    """What one orderer is told from outside; the defaults are the sample orderer.yaml's.

    listen_address: ``host:port`` to serve at; tls: None serves in the clear.
    local_msp_dir, local_msp_id: the orderer's own identity.
    location: the folder below which ``chains`` holds the blocks.
    time_window: how far a deliver request's time may be off, either way.
    check_expiration: refuse expired client certificates.
    cutting: key ``General.Cutting``, ours: timeout (Fabric's way), idle or manual.
    admin: the port that administrators use; operations: the one that watchers use, "" for none.
    cluster: how it is one of several.
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
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    cluster: ClusterSettings = ClusterSettings()


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
    tls = _tls(source, "General.TLS") if source.flag("General.TLS.Enabled") else None
    location = source.path("FileLedger.Location", default.location)
    return OrdererSettings(
        listen_address=f"{host}:{bound}",
        tls=tls,
        local_msp_dir=source.path("General.LocalMSPDir", config_dir / default.local_msp_dir),
        local_msp_id=source.value("General.LocalMSPID", str, default.local_msp_id),
        location=location,
        time_window=source.value(
            "General.Authentication.TimeWindow", parse_duration, default.time_window
        ),
        check_expiration=not no_expiration,
        cutting=source.value("General.Cutting", CuttingMode, default.cutting),
        admin=_admin(source),
        operations=read_operations(source, "Operations.ListenAddress", "Operations.TLS"),
        cluster=_cluster(source, f"{host}:{bound}", tls, location),
    )


def _cluster(
    source: SettingsSource, general: str, tls: TlsSettings | None, location: Path
) -> ClusterSettings:
    """Read General.Cluster and Consensus; its port is 5 above the general one by default."""
    section, default = "General.Cluster", ClusterSettings()
    host, _, port = general.rpartition(":")
    host = source.value(f"{section}.ListenAddress", str, host)
    bound = source.value(f"{section}.ListenPort", _port, int(port) + CLUSTER_OFFSET)
    none = Path()
    certificate = source.path(f"{section}.ServerCertificate", none)
    if certificate != none:
        key = source.path(f"{section}.ServerPrivateKey", none)
        if key == none:
            raise InvalidSetting(f"{section}.ServerPrivateKey", "needed with ServerCertificate")
        tls = TlsSettings(certificate, key, source.paths(f"{section}.RootCAs"))
    elif tls is not None:
        roots = (*tls.root_cas, *source.paths(f"{section}.RootCAs"))
        tls = TlsSettings(tls.certificate, tls.private_key, roots)
    client = source.path(f"{section}.ClientCertificate", none)
    client_key = source.path(f"{section}.ClientPrivateKey", none)
    return ClusterSettings(
        listen_address=f"{host}:{bound}",
        tls=tls,
        client_certificate=None if client == none else client,
        client_key=None if client_key == none else client_key,
        rpc_timeout=source.value(f"{section}.RPCTimeout", parse_duration, default.rpc_timeout),
        wal_dir=source.path("Consensus.WALDir", location / "etcdraft" / "wal"),
        eviction_suspicion=source.value(
            "Consensus.EvictionSuspicion", parse_duration, default.eviction_suspicion
        ),
        tick_interval=source.value("Consensus.TickIntervalOverride", parse_duration, None),
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

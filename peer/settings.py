"""The peer's settings: core.yaml and the CORE_* variables that override it.

A key such as ``peer.tls.enabled`` is overridden by ``CORE_PEER_TLS_ENABLED``.  Keys this peer
does not use are ignored, so that a core.yaml of Fabric's can be given as it is.
(Fabric: sampleconfig/core.yaml, core/peer/config.go, internal/pkg/gateway/config)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import yaml

from gridloom.common.channel.durations import parse_duration
from gridloom.common.documents import load_yaml
from gridloom.common.errors import GridloomError
from gridloom.common.operations import OperationsSettings, read_operations
from gridloom.common.settings import InvalidSetting as SettingFault
from gridloom.common.settings import SettingsSource

from .ledger.state_database import StateDatabase

T = TypeVar("T")

_TRUE = frozenset({"true", "1", "t"})
_FALSE = frozenset({"false", "0", "f", ""})


class InvalidSetting(GridloomError):
    """A setting that cannot be used: its key (``peer.tls.enabled``) and what is wrong."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Files of the peer's TLS server; client certificates are demanded if there are roots."""

    certificate: Path
    key: Path
    root_certificate: Path
    client_roots: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Time limits of the gateway's own calls; the defaults are the sample core.yaml's."""

    endorsement_timeout: timedelta = timedelta(seconds=30)
    broadcast_timeout: timedelta = timedelta(seconds=30)
    dial_timeout: timedelta = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class ConcurrencySettings:
    """Calls of a service at a time, 0 for no limit; the defaults are the sample core.yaml's."""

    endorser: int = 2500
    deliver: int = 2500
    gateway: int = 500


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """The discovery service; the defaults are the sample core.yaml's.

    org_members_allowed: any member of the own organisation may ask for peers without naming a
    channel, not only administrators.
    """

    enabled: bool = True
    org_members_allowed: bool = False


@dataclass(frozen=True, slots=True)
class PrivateDataSettings:
    """How private data are given out, gathered and kept; the defaults are the sample core.yaml's.

    pull_retry_threshold: time to ask others for a block's private data before it is committed
    without; transient_retention: blocks after which private data that were endorsed but never
    committed are forgotten; push_ack_timeout: for another peer to take private data;
    btl_pull_margin: blocks before they expire in which private data are not asked for;
    reconcile, reconcile_interval, reconcile_batch: whether, how often and for how many blocks
    at once missing private data are asked for again; unavailable_interval: the same for what
    nobody had; skip_pulling_invalid: leave private data of invalid transactions to that.
    own_required, own_maximum: peers of the own organisation that get what is written to its
    implicit collection.
    """

    pull_retry_threshold: timedelta = timedelta(seconds=60)
    transient_retention: int = 20_000
    push_ack_timeout: timedelta = timedelta(seconds=3)
    btl_pull_margin: int = 10
    reconcile: bool = True
    reconcile_interval: timedelta = timedelta(minutes=1)
    reconcile_batch: int = 10
    unavailable_interval: timedelta = timedelta(minutes=60)
    skip_pulling_invalid: bool = False
    own_required: int = 0
    own_maximum: int = 1


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What one peer is told from outside.

    address: host:port that others use, also in error details; listen_address: where it
    serves; msp_dir: of the peer's own identity; data_dir: of ledgers and packages;
    snapshots_dir: of ledger snapshots;
    tls: None serves in the clear.
    time_window: how far a request's timestamp may be off, either way.
    reconnect_limit: longest pause between two attempts to reach an orderer.
    execute_timeout: of one chaincode invocation; query_limit: results of one query, at most.
    operations: the port that watchers use; bootstrap: host:port of peers of the own organisation.
    state_database: whose rules the state follows; ledger_url: a database for the ledgers,
    postgresql://…, "" for files in data_dir.
    """

    peer_id: str = "peer0"
    address: str = "localhost:7051"
    listen_address: str = "0.0.0.0:7051"
    msp_id: str = "SampleOrg"
    msp_dir: Path = Path("msp")
    data_dir: Path = Path("/var/hyperledger/production")
    snapshots_dir: Path = Path("/var/hyperledger/production/snapshots")
    tls: TlsSettings | None = None
    time_window: timedelta = timedelta(minutes=15)
    reconnect_limit: timedelta = timedelta(seconds=10)
    execute_timeout: timedelta = timedelta(seconds=30)
    query_limit: int = 100_000
    state_database: StateDatabase = StateDatabase.LEVELDB
    ledger_url: str = field(default="", repr=False)
    gateway: GatewaySettings = field(default_factory=GatewaySettings)
    private_data: PrivateDataSettings = field(default_factory=PrivateDataSettings)
    concurrency: ConcurrencySettings = field(default_factory=ConcurrencySettings)
    discovery: DiscoverySettings = field(default_factory=DiscoverySettings)
    operations: OperationsSettings = field(default_factory=OperationsSettings)
    bootstrap: tuple[str, ...] = ()


def load_settings(config_dir: Path, environment: Mapping[str, str]) -> PeerSettings:
    """Read ``core.yaml`` of a folder (FABRIC_CFG_PATH) under the environment's overrides.

    InvalidSetting names the key; a missing file is InvalidSetting too.
    """
    path = config_dir / "core.yaml"
    try:
        document = load_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidSetting(str(path), f"cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise InvalidSetting(str(path), "is not a mapping")
    settings = _settings(_Source(document, environment, config_dir))
    source = SettingsSource(document, "CORE", environment, config_dir)
    try:
        operations = read_operations(source, "operations.listenAddress", "operations.tls")
    except SettingFault as error:
        raise InvalidSetting(error.key, error.reason) from error
    return replace(settings, operations=operations)


class _Source:
    """Looks values up by key: environment first, then the document."""

    def __init__(
        self, document: Mapping[str, object], environment: Mapping[str, str], folder: Path
    ) -> None:
        self._document = document
        self._environment = environment
        self._folder = folder

    def value(self, key: str, read: Callable[[str], T], default: T) -> T:
        """The value of ``key`` read from its text, ``default`` if it is nowhere or empty."""
        text = self._text(key)
        if not text:
            return default
        try:
            return read(text)
        except (ValueError, GridloomError) as error:
            raise InvalidSetting(key, f"{text!r}: {error}") from error

    def path(self, key: str, default: Path = Path()) -> Path:
        """A path, relative ones from the folder of core.yaml."""
        return self.value(key, lambda text: self._folder / text, default)

    def paths(self, key: str) -> tuple[Path, ...]:
        """A list of paths; in a variable they are separated by spaces."""
        found = self._find(key)
        texts = found if isinstance(found, list) else str(found or "").split()
        return tuple(self._folder / str(text) for text in texts)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; in a variable they are separated by spaces."""
        found = self._find(key)
        return tuple(map(str, found if isinstance(found, list) else str(found or "").split()))

    def _text(self, key: str) -> str:
        found = self._find(key)
        if found is None:
            return ""
        if isinstance(found, (dict, list)):
            raise InvalidSetting(key, "a single value is expected")
        return str(found).strip()

    def _find(self, key: str) -> object:
        override = self._environment.get("CORE_" + key.upper().replace(".", "_"))
        if override is not None:
            return override
        found: object = self._document
        for part in key.lower().split("."):
            if not isinstance(found, dict):
                return None
            found = {str(name).lower(): value for name, value in found.items()}.get(part)
        return found


def _settings(source: _Source) -> PeerSettings:
    default = PeerSettings()
    data_dir = source.path("peer.fileSystemPath", default.data_dir)
    return PeerSettings(
        peer_id=source.value("peer.id", str, default.peer_id),
        address=source.value("peer.address", str, default.address),
        listen_address=source.value("peer.listenAddress", str, default.listen_address),
        msp_id=source.value("peer.localMspId", str, default.msp_id),
        msp_dir=source.path("peer.mspConfigPath", default.msp_dir),
        data_dir=data_dir,
        snapshots_dir=source.path("ledger.snapshots.rootDir", data_dir / "snapshots"),
        tls=_tls(source),
        time_window=source.value(
            "peer.authentication.timewindow", parse_duration, default.time_window
        ),
        reconnect_limit=source.value(
            "peer.deliveryclient.reConnectBackoffThreshold", parse_duration, default.reconnect_limit
        ),
        execute_timeout=source.value(
            "chaincode.executetimeout", parse_duration, default.execute_timeout
        ),
        query_limit=source.value("ledger.state.totalQueryLimit", int, default.query_limit),
        state_database=source.value(
            "ledger.state.stateDatabase", StateDatabase.named, default.state_database
        ),
        ledger_url=source.value("ledger.state.url", str, default.ledger_url),
        gateway=GatewaySettings(
            endorsement_timeout=source.value(
                "peer.gateway.endorsementTimeout",
                parse_duration,
                default.gateway.endorsement_timeout,
            ),
            broadcast_timeout=source.value(
                "peer.gateway.broadcastTimeout", parse_duration, default.gateway.broadcast_timeout
            ),
            dial_timeout=source.value(
                "peer.gateway.dialTimeout", parse_duration, default.gateway.dial_timeout
            ),
        ),
        private_data=_private_data(source),
        concurrency=_concurrency(source),
        discovery=_discovery(source),
        bootstrap=source.texts("peer.gossip.bootstrap"),
    )


def private_data_settings(environment: Mapping[str, str]) -> PrivateDataSettings:
    """The part of the settings about private data from CORE_* variables alone."""
    return _private_data(_Source({}, environment, Path()))


def _private_data(source: _Source) -> PrivateDataSettings:
    prefix, default = "peer.gossip.pvtData", PrivateDataSettings()
    own = f"{prefix}.implicitCollectionDisseminationPolicy"
    settings = PrivateDataSettings(
        pull_retry_threshold=source.value(
            f"{prefix}.pullRetryThreshold", parse_duration, default.pull_retry_threshold
        ),
        transient_retention=source.value(
            f"{prefix}.transientstoreMaxBlockRetention", _positive, default.transient_retention
        ),
        push_ack_timeout=source.value(
            f"{prefix}.pushAckTimeout", parse_duration, default.push_ack_timeout
        ),
        btl_pull_margin=source.value(f"{prefix}.btlPullMargin", int, default.btl_pull_margin),
        reconcile=source.value(f"{prefix}.reconciliationEnabled", _boolean, default.reconcile),
        reconcile_interval=source.value(
            f"{prefix}.reconcileSleepInterval", parse_duration, default.reconcile_interval
        ),
        reconcile_batch=source.value(
            f"{prefix}.reconcileBatchSize", _positive, default.reconcile_batch
        ),
        unavailable_interval=source.value(
            "ledger.pvtdataStore.deprioritizedDataReconcilerInterval",
            parse_duration,
            default.unavailable_interval,
        ),
        skip_pulling_invalid=source.value(
            f"{prefix}.skipPullingInvalidTransactionsDuringCommit",
            _boolean,
            default.skip_pulling_invalid,
        ),
        own_required=source.value(f"{own}.requiredPeerCount", int, default.own_required),
        own_maximum=source.value(f"{own}.maxPeerCount", int, default.own_maximum),
    )
    if not 0 <= settings.own_required <= settings.own_maximum:
        raise InvalidSetting(
            f"{own}.requiredPeerCount", "it must lie between zero and maxPeerCount"
        )
    return settings


def _concurrency(source: _Source) -> ConcurrencySettings:
    prefix, default = "peer.limits.concurrency", ConcurrencySettings()
    return ConcurrencySettings(
        endorser=source.value(f"{prefix}.endorserService", int, default.endorser),
        deliver=source.value(f"{prefix}.deliverService", int, default.deliver),
        gateway=source.value(f"{prefix}.gatewayService", int, default.gateway),
    )


def _discovery(source: _Source) -> DiscoverySettings:
    prefix, default = "peer.discovery", DiscoverySettings()
    return DiscoverySettings(
        enabled=source.value(f"{prefix}.enabled", _boolean, default.enabled),
        org_members_allowed=source.value(
            f"{prefix}.orgMembersAllowedAccess", _boolean, default.org_members_allowed
        ),
    )


def _tls(source: _Source) -> TlsSettings | None:
    if not source.value("peer.tls.enabled", _boolean, False):
        return None
    demanded = source.value("peer.tls.clientAuthRequired", _boolean, False)
    return TlsSettings(
        certificate=source.path("peer.tls.cert.file"),
        key=source.path("peer.tls.key.file"),
        root_certificate=source.path("peer.tls.rootcert.file"),
        client_roots=source.paths("peer.tls.clientRootCAs.files") if demanded else (),
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("a number above zero is expected")
    return number


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("neither true nor false")

"""What a channel's configuration and blocks say about Raft: consenters, options, ids.

(Fabric: orderer/consensus/etcdraft/util.go; protos orderer/etcdraft.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gridloom.common import certificates
from gridloom.common.certificates import Certificate
from gridloom.common.channel.durations import InvalidDuration, parse_duration
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.errors import GridloomError
from gridloom.common.identity_errors import InvalidIdentity
from gridloom.common.msp.chains import TrustAnchors
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Metadata
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig
from gridloom.protos.orderer.etcdraft import configuration_pb2, metadata_pb2

CONSENSUS_TYPE = "etcdraft"
DEFAULT_SNAPSHOT_INTERVAL = 16 * 1024 * 1024
"""Bytes of blocks between snapshots if the options name none."""


class InvalidConsenters(GridloomError):
    """A Raft configuration that cannot work; reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid etcdraft configuration: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Consenter:
    """One ordering node as the configuration names it; certificates: PEM."""

    host: str
    port: int
    client_tls_cert: bytes
    server_tls_cert: bytes

    @property
    def endpoint(self) -> str:
        """``host:port`` of its cluster service."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Options:
    """How a channel's Raft runs; ticks count in ``tick_interval``, the snapshot's in bytes."""

    tick_interval: timedelta = timedelta(milliseconds=500)
    election_tick: int = 10
    heartbeat_tick: int = 1
    max_inflight_blocks: int = 5
    snapshot_interval_size: int = DEFAULT_SNAPSHOT_INTERVAL


@dataclass(frozen=True, slots=True)
class RaftConfig:
    """A channel's consensus metadata."""

    consenters: tuple[Consenter, ...]
    options: Options


def read_config(metadata: bytes) -> RaftConfig:
    """Read ConfigMetadata; InvalidConsenters when its options cannot work, MalformedMessage."""
    message = parse(configuration_pb2.ConfigMetadata, metadata, "etcdraft config metadata")
    if not message.HasField("options"):
        raise InvalidConsenters("nil Raft config metadata options")
    if not message.consenters:
        raise InvalidConsenters("empty consenter set")
    consenters = [
        Consenter(each.host, each.port, each.client_tls_cert, each.server_tls_cert)
        for each in message.consenters
    ]
    _check_distinct(consenters)
    return RaftConfig(tuple(consenters), _read_options(message.options))


def _read_options(message: configuration_pb2.Options) -> Options:
    heartbeat, election = message.heartbeat_tick, message.election_tick
    if not (heartbeat and election and message.max_inflight_blocks):
        raise InvalidConsenters(
            f"none of HeartbeatTick ({heartbeat}), ElectionTick ({election}) and "
            f"MaxInflightBlocks ({message.max_inflight_blocks}) can be zero"
        )
    if election <= heartbeat:
        raise InvalidConsenters(
            f"ElectionTick ({election}) must be greater than HeartbeatTick ({heartbeat})"
        )
    try:
        interval = parse_duration(message.tick_interval)
    except InvalidDuration as error:
        reason = f"failed to parse TickInterval ({message.tick_interval}) to time duration: {error}"
        raise InvalidConsenters(reason) from error
    if interval <= timedelta(0):
        raise InvalidConsenters("TickInterval cannot be zero")
    return Options(
        interval,
        election,
        heartbeat,
        message.max_inflight_blocks,
        message.snapshot_interval_size or DEFAULT_SNAPSHOT_INTERVAL,
    )


def _check_distinct(consenters: Sequence[Consenter]) -> None:
    """No certificate may stand for two consenters, whether as a client's or a server's."""
    seen: set[bytes] = set()
    for consenter in consenters:
        own = {consenter.client_tls_cert, consenter.server_tls_cert}
        if own & seen:
            reason = f"duplicate consenter: {consenter.endpoint} shows another one's certificate"
            raise InvalidConsenters(reason)
        seen |= own


def write_config(config: RaftConfig) -> bytes:
    """ConfigMetadata of a new channel or of a changed one."""
    message = configuration_pb2.ConfigMetadata()
    for each in config.consenters:
        message.consenters.add(
            host=each.host,
            port=each.port,
            client_tls_cert=each.client_tls_cert,
            server_tls_cert=each.server_tls_cert,
        )
    options = config.options
    milliseconds = options.tick_interval / timedelta(milliseconds=1)
    message.options.CopyFrom(
        configuration_pb2.Options(
            tick_interval=f"{milliseconds:g}ms",
            election_tick=options.election_tick,
            heartbeat_tick=options.heartbeat_tick,
            max_inflight_blocks=options.max_inflight_blocks,
            snapshot_interval_size=options.snapshot_interval_size,
        )
    )
    return message.SerializeToString(deterministic=True)


def check_certificates(
    consenters: Sequence[Consenter], config: OrdererConfig, now: datetime | None = None
) -> None:
    """InvalidConsenters unless TLS CAs of the orderer organizations issued the certificates.

    now: that they must not have expired by, None not to ask: a running network must not stop for
    it when only something else changes.
    """
    anchors = tls_anchors(config)
    for consenter in consenters:
        named = {"client": consenter.client_tls_cert, "server": consenter.server_tls_cert}
        for role, pem in named.items():
            try:
                certificate = certificates.parse_pem(pem)
                anchors.unique_chain(certificate)
            except InvalidIdentity as error:
                reason = f"consenter {consenter.endpoint} has invalid tls {role} cert: {error}"
                raise InvalidConsenters(reason) from error
            if now is not None and not certificate.not_before <= now <= certificate.not_after:
                raise InvalidConsenters(
                    f"consenter {consenter.endpoint} has invalid certificates: its tls {role} "
                    f"cert is valid from {certificate.not_before} to {certificate.not_after}"
                )


def tls_anchors(config: OrdererConfig) -> TrustAnchors:
    """The TLS CAs of a channel's orderer organizations; MalformedMessage, InvalidIdentity."""
    roots: list[Certificate] = []
    intermediates: list[Certificate] = []
    for org in config.orgs.values():
        msp = parse(FabricMSPConfig, org.msp_config.config, "FabricMSPConfig")
        roots += map(certificates.parse_pem, msp.tls_root_certs)
        intermediates += map(certificates.parse_pem, msp.tls_intermediate_certs)
    return TrustAnchors(roots, intermediates)


def read_block_metadata(consenter_metadata: bytes) -> metadata_pb2.BlockMetadata | None:
    """What a block says of the Raft ids, None where it says nothing; MalformedMessage.

    consenter_metadata: as in the block, a ``Metadata`` around the ``BlockMetadata``.
    """
    value = parse(Metadata, consenter_metadata, "consenter metadata").value
    if not value:
        return None
    return parse(metadata_pb2.BlockMetadata, value, "etcdraft block metadata")


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)

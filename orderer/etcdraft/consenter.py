"""The consenter of type ``etcdraft`` (Fabric: orderer/consensus/etcdraft/consenter.go)."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from gridloom.common import certificates
from gridloom.common.blocks import header_hash
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identity_errors import InvalidIdentity

from ..chain import Chain, ConsenterSupport, CuttingMode, Timer, loop_timer
from ..cluster.block_puller import Puller
from ..cluster.dialer import Dial
from ..cluster.members import public_key
from ..follower.chain import FollowerChain
from .chain import RaftChain
from .log_store import LogStore
from .membership import Membership
from .metadata import CONSENSUS_TYPE, Consenter, read_block_metadata, read_config
from .node import NodeParts
from .settings import ChainSettings
from .storage import ForeignLog, RaftStorage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RaftSettings:
    """How this orderer takes part in Raft, whatever the channel.

    submit_timeout: seconds a message may wait for its block (Fabric: Cluster.RPCTimeout).
    eviction_suspicion: seconds without a leader until the node asks whether it is a member still.
    tick_interval: in place of the channels' own, for tests; first_start: see ``Rejoining``.
    """

    cutting: CuttingMode = CuttingMode.BATCH_TIMEOUT
    submit_timeout: float = 15.0
    eviction_suspicion: float = 600.0
    tick_interval: timedelta | None = None
    first_start: bool = False


@dataclass(frozen=True, slots=True)
class ClusterParts:
    """What an orderer needs to be one of several.

    certificate: PEM of its cluster TLS; dial: opens a channel to another consenter; logs: where
    the Raft logs are; puller: fetches blocks; draw: ``draw(n)`` is a random number below n.
    """

    certificate: bytes
    dial: Dial
    logs: LogStore
    puller: Puller
    settings: RaftSettings = RaftSettings()
    timer: Timer = loop_timer
    draw: Callable[[int], int] = field(default_factory=lambda: random.SystemRandom().randrange)


class EtcdraftConsenter:
    """Makes Raft chains where this node is a consenter, follower chains where it is not.

    disk: the thread that waits for the logs' disk.
    """

    onboards = True

    def __init__(self, parts: ClusterParts, disk: Executor) -> None:
        self._parts = parts
        self._disk = disk
        self._key = public_key(certificates.parse_pem(parts.certificate))

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> Chain:
        """Make the chain of a channel; InvalidConsenters, LogError."""
        parts = self._parts
        puller = parts.puller.of(support, support.channel_id)
        config = read_config(support.orderer_config.metadata)
        membership = Membership.read(read_block_metadata(metadata), config.consenters)
        node_id = self._own_id(membership)
        if node_id is None:
            return FollowerChain(support, puller, self.is_member)
        options = config.options
        if parts.settings.tick_interval is not None:
            options = replace(options, tick_interval=parts.settings.tick_interval)
        node_parts = NodeParts(
            options=options,
            storage=self._open_log(support, node_id),
            timer=parts.timer,
            draw=parts.draw,
            disk=self._disk,
            max_size_per_msg=support.orderer_config.batch_size.preferred_max_bytes,
            first_start=parts.settings.first_start,
        )
        settings = ChainSettings(
            cutting=parts.settings.cutting,
            timer=parts.timer,
            submit_timeout=parts.settings.submit_timeout,
            eviction_suspicion=parts.settings.eviction_suspicion,
            is_member=self.is_member,
            dial=parts.dial,
        )
        return RaftChain(
            support,
            replace(config, options=options),
            node_id,
            membership,
            parts=node_parts,
            puller=puller,
            settings=settings,
        )

    def is_member(self, bundle: ChannelBundle) -> bool:
        """Whether a configuration names this node as a consenter; InvalidConsenters."""
        if bundle.orderer.consensus_type != CONSENSUS_TYPE:
            return False
        return any(map(self._is_own, read_config(bundle.orderer.metadata).consenters))

    def forget(self, channel_id: str) -> None:
        """Delete a channel's log."""
        self._parts.logs.remove(channel_id)

    def _own_id(self, membership: Membership) -> int | None:
        for node_id, consenter in zip(membership.ids, membership.consenters, strict=True):
            if self._is_own(consenter):
                return node_id
        return None

    def _is_own(self, consenter: Consenter) -> bool:
        for pem in (consenter.server_tls_cert, consenter.client_tls_cert):
            try:
                if public_key(certificates.parse_pem(pem)) == self._key:
                    return True
            except InvalidIdentity:
                continue
        return False

    def _open_log(self, support: ConsenterSupport, node_id: int) -> RaftStorage:
        channel_id = support.channel_id
        first = header_hash(support.get_block(0).header).hex()[:16]
        owner = f"channel {channel_id} (first block {first})"
        record_log = self._parts.logs.open(channel_id)
        try:
            return RaftStorage(record_log, f"{owner} node {node_id}")
        except ForeignLog as error:
            record_log.close()
            if not error.found.startswith(f"{owner} node "):
                raise
        log.info("[channel: %s] this node is a new member with id %d", channel_id, node_id)
        self._parts.logs.remove(channel_id)
        return RaftStorage(self._parts.logs.open(channel_id), f"{owner} node {node_id}")

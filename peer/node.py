"""A peer: its channels, and the services it offers on them.

    peer = Peer(signer, msp_config, LedgerProvider(folder), host, orderers, peers)
    peer.join(genesis_block)
    await peer.start()

Whoever assembles the network gives ways to other nodes, the storage, the clock and the
randomness; the peer knows no socket.  (Fabric: internal/peer/node/start.go, core/peer/peer.go)
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count
from random import Random

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.deliver_client import Backoff, DeliverClient
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, IdentityError, Signer
from gridloom.common.msp import Msp, MspManager
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.protos.common import common_pb2
from gridloom.protos.gossip.message_pb2 import GossipMessage
from gridloom.protos.msp import msp_config_pb2

from .acl import AccessControl
from .chaincodes.host import ChaincodeHost
from .chaincodes.lifecycle.state_indexes import StateIndexes
from .channel import PeerChannel, stored_bundle
from .delegation import DelegatingEndorser, Delegation, Deputy
from .deliver import DeliverService
from .discovery.peers import PeerDirectory, PeerInfo
from .discovery.service import DiscoveryService
from .endorser import Endorser
from .gateway.broadcast_streams import OrdererInfo
from .gateway.service import Gateway, GatewayOptions
from .gossip.communication import Communication
from .gossip.handshake import Handshake, RemotePeer
from .gossip.membership import Membership as GossipMembership
from .gossip.state_info import Standing, StateInfos
from .ledger.ledger import Ledger
from .ledger.provider import LedgerProvider
from .ledger.snapshots.private_part import MayHold
from .ledger.update_batch import UpdateBatch
from .private_data.channel import PrivateDataNetwork
from .private_data.membership import Membership, is_own
from .settings import PeerSettings
from .snapshot_join import SnapshotJoin
from .snapshot_service import SnapshotService

logger = logging.getLogger(__name__)


class NoOrderers(GridloomError):
    """A channel whose configuration names no orderer: its id."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"channel {channel_id} has no orderer endpoints")
        self.channel_id = channel_id


class Peer:
    """One peer of an organisation.

    signer: its identity; msp_config: its organisation's MSP; orderers: a way to the orderer
    at ``host:port``, kept by whoever gives it; peers: who is in which channel;
    tls_certificate: DER of what it shows in TLS sessions; clock, sleep: seconds that only
    grow, and waiting for some; deputy: a process that may endorse for this peer.
    Channels joined earlier are open at once; blocks are pulled between start and stop.
    """

    def __init__(
        self,
        signer: Signer,
        msp_config: msp_config_pb2.MSPConfig,
        ledgers: LedgerProvider,
        host: ChaincodeHost,
        *,
        orderers: Callable[[str], Channel],
        peers: PeerDirectory,
        settings: PeerSettings | None = None,
        tls_certificate: bytes | None = None,
        now: Clock = lambda: datetime.now(UTC),
        random_bytes: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
        deputy: Deputy | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.signer = signer
        self.host = host
        self.settings = settings or PeerSettings()
        self._local_msp = Msp.from_config(msp_config)
        self.acl = AccessControl(self._bundle, self._local_msp)
        self._ledgers = ledgers
        self._orderers = orderers
        self._now = now
        self._random_bytes = random_bytes
        self._deputy = deputy
        self._channels: dict[str, PeerChannel] = {}
        self._indexes: dict[str, StateIndexes] = {}
        host.approved.packages.listeners.append(self._installed)
        self._running = False
        self._snapshot_join = SnapshotJoin(
            ledgers, _require_application, self._may_hold, self._joined
        )
        handshake = Handshake(signer, self._peer_identity, tls_certificate)
        self.communication = Communication(signer, handshake, self._heard)
        incarnation = round(now().timestamp() * 1e9)
        self.membership = GossipMembership(
            signer, self.settings.address, self._peer_identity, clock, incarnation
        )
        self.states = StateInfos(signer, self, incarnation)
        self._network = PrivateDataNetwork(
            signer,
            peers,
            self.communication,
            self.settings.private_data,
            random_bytes,
            clock,
            sleep,
            Random(random_bytes(16)),  # noqa: S311 - it only spreads load
        )
        self._services = self._register(peers)
        host.attach(self)
        for channel_id in ledgers.list():
            ledger = ledgers.open(channel_id)
            self._channels[channel_id] = self._open(stored_bundle(ledger), ledger)

    @property
    def msp_id(self) -> str:
        """MSP id of the peer's own organisation."""
        return self._local_msp.msp_id

    @property
    def local_msp(self) -> Msp:
        """The MSP of the peer's own organisation."""
        return self._local_msp

    def channel(self, channel_id: str) -> PeerChannel | None:
        """A joined channel, None when the peer has not joined it."""
        return self._channels.get(channel_id)

    def channel_ids(self) -> Sequence[str]:
        """Names of all joined channels, sorted."""
        return sorted(self._channels)

    def standing(self, channel_id: str) -> Standing:
        """What other peers are told of this one on a channel."""
        return Standing(self._channels[channel_id].height, self.host.runnable(channel_id))

    def is_member(self, channel_id: str, msp_id: str) -> bool:
        """Whether an organisation is a member of a channel."""
        return msp_id in self._channels[channel_id].bundle.application.orgs

    def services(self) -> ServiceRegistry:
        """protos.{Endorser,Deliver,Snapshot}, gateway.Gateway, discovery.Discovery and gossip."""
        return self._services

    def join(self, genesis_block: common_pb2.Block) -> PeerChannel:
        """Join the channel of a genesis block; its blocks are pulled if the peer is running.

        ConfigError if its configuration cannot be used, LedgerExists if it was joined before,
        JoinInProgress while a channel is being joined from a snapshot.
        """
        self._snapshot_join.ensure_idle()
        bundle = ChannelBundle.from_config_block(genesis_block)
        _require_application(bundle)
        ledger = self._ledgers.create(genesis_block)
        logger.info("joined channel %s", bundle.channel_id)
        return self._joined(bundle, ledger)

    def join_by_snapshot(self, folder: str) -> asyncio.Task[None]:
        """Begin to join a channel from the snapshot in a folder; the task ends when it is done.

        JoinInProgress, SnapshotDamaged at once; the task fails with SnapshotDamaged,
        HashMismatch, ConfigError or LedgerExists, and then nothing is left of it.
        """
        return self._snapshot_join.start(folder)

    @property
    def joining_from(self) -> str | None:
        """The folder of the snapshot that a channel is being joined from, None while none is."""
        return self._snapshot_join.folder

    async def start(self) -> None:
        """Pull the blocks of all channels from now on."""
        self._running = True
        for channel in self._channels.values():
            channel.start(self._deliver_client(channel))

    async def stop(self) -> None:
        """Finish what is being committed, stop chaincodes and close the ledgers."""
        self._running = False
        await self._snapshot_join.finish()
        await self._gateway.close()
        await self.communication.close()
        for channel in self._channels.values():
            await channel.stop()
        await self.host.stop()
        self._ledgers.close()

    def _register(self, peers: PeerDirectory) -> ServiceRegistry:
        registry, settings = ServiceRegistry(), self.settings
        most = settings.concurrency
        endorser = Endorser(
            self.signer,
            self._local_msp,
            self.host,
            channels=self.channel,
            access=self.acl,
            now=self._now,
            time_window=settings.time_window,
        )
        delegation = self._delegation()
        service = DelegatingEndorser(endorser, delegation) if delegation else endorser
        registry.add("protos.Endorser", service, concurrency=most.endorser)
        deliver = DeliverService(self.channel, self.acl, self._now, settings.time_window)
        registry.add("protos.Deliver", deliver, concurrency=most.deliver)
        registry.add("protos.Snapshot", SnapshotService(self.channel, self.acl, self._now))
        local = PeerInfo(
            self.msp_id, settings.address, self.signer.serialized, LocalChannel(registry)
        )
        self._gateway = Gateway(
            local,
            peers,
            self._orderer_infos,
            self.channel,
            self.acl,
            random=Random(self._random_bytes(16)),  # noqa: S311 - it only shuffles
            options=GatewayOptions(
                settings.gateway.endorsement_timeout.total_seconds(),
                settings.gateway.broadcast_timeout.total_seconds(),
            ),
            own_peer=endorser.evaluate,
            elsewhere=delegation.endorse if delegation else None,
        )
        registry.add("gateway.Gateway", self._gateway, concurrency=most.gateway)
        if settings.discovery.enabled:
            discovery = DiscoveryService(
                local,
                peers,
                self.acl,
                channels=self.channel,
                channel_ids=self.channel_ids,
                runnable=self.host.runnable,
                settings=settings.discovery,
            )
            registry.add("discovery.Discovery", discovery)
        registry.add("gossip.Gossip", self.communication)
        return registry

    def _delegation(self) -> Delegation | None:
        if self._deputy is None:
            return None
        self._deputy.vouching.introduce(self.signer)
        return Delegation(self._deputy, self.host, self.channel)

    def _may_hold(self, bundle: ChannelBundle) -> MayHold:
        membership = Membership(lambda: bundle)
        identity = self.signer.serialized
        return lambda config: is_own(config, self.msp_id, membership, identity)

    def _joined(self, bundle: ChannelBundle, ledger: Ledger) -> PeerChannel:
        channel = self._channels[bundle.channel_id] = self._open(bundle, ledger)
        if self._deputy is not None:
            self._deputy.retire()
        if self._running:
            channel.start(self._deliver_client(channel))
        return channel

    def _open(self, bundle: ChannelBundle, ledger: Ledger) -> PeerChannel:
        channel = PeerChannel(bundle, ledger, self._identities, self._network)
        indexes = self._indexes[bundle.channel_id] = StateIndexes(
            ledger, channel.definitions, self.msp_id, self.host.approved.packages
        )
        ledger.before_announcing = partial(self._committed, bundle.channel_id)
        indexes.refresh()
        return channel

    def _committed(self, channel_id: str, updates: UpdateBatch) -> None:
        """Do what a block makes due, before anyone hears of it."""
        self._indexes[channel_id].committed(updates)
        if updates.purged and self._deputy is not None:
            self._deputy.retire()  # it may still have open what is to be wiped

    def _installed(self) -> None:
        """Make the indexes that a new package brings."""
        for indexes in self._indexes.values():
            indexes.refresh()
        if self._deputy is not None:
            self._deputy.retire()

    def _bundle(self, channel_id: str) -> ChannelBundle | None:
        channel = self._channels.get(channel_id)
        return None if channel is None else channel.bundle

    def _identities(self, channel_id: str) -> Msp | MspManager | None:
        """The MSPs that judge a channel's identities; without a channel the peer's own."""
        if not channel_id:
            return self._local_msp
        bundle = self._bundle(channel_id)
        return None if bundle is None else bundle.msp_manager

    def _peer_identity(self, serialized: bytes) -> Identity:
        """The identity of another peer, valid in a channel of ours or here; IdentityError."""
        managers = [channel.bundle.msp_manager for channel in self._channels.values()]
        for manager in managers:
            with suppress(IdentityError):
                identity = manager.deserialize(serialized)
                manager.validate(identity)
                return identity
        identity = self._local_msp.deserialize(serialized)
        self._local_msp.validate(identity)
        return identity

    async def _heard(
        self, sender: RemotePeer, message: GossipMessage, vouched: bool
    ) -> GossipMessage | None:
        """Answer a gossip message of another peer."""
        match message.WhichOneof("content"), vouched:
            case ("mem_req", True):
                return self.membership.answer(sender, message)
            case ("state_info_pull_req", True):
                return self.states.answer(sender, message)
            case ("state_info", True) | ("state_snapshot", _):
                self.states.learn(sender, message)
                return None
            case _:
                pass
        channel = self._channels.get(message.channel.decode(errors="replace"))
        if channel is None or channel.private_data is None:
            return None
        return await channel.private_data.answer(sender, message, vouched)

    def _deliver_client(self, channel: PeerChannel) -> DeliverClient:
        attempts = count()

        def connect() -> Channel:
            endpoints = channel.bundle.orderer_endpoints
            if not endpoints:
                raise NoOrderers(channel.channel_id)
            return self._orderers(endpoints[next(attempts) % len(endpoints)][1])

        limit = self.settings.reconnect_limit.total_seconds()
        return DeliverClient(
            channel.channel_id,
            connect,
            self.signer,
            self._now,
            self._random_bytes,
            verify=channel.verify,
            backoff=Backoff(limit=limit),
        )

    def _orderer_infos(self, channel_id: str) -> list[OrdererInfo]:
        bundle = self._bundle(channel_id)
        return [
            OrdererInfo(msp_id, endpoint, self._orderers(endpoint))
            for msp_id, endpoint in (bundle.orderer_endpoints if bundle else ())
        ]


def _require_application(bundle: ChannelBundle) -> None:
    if not bundle.has_application:
        raise ConfigError(f"channel {bundle.channel_id} does not contain application config")

"""Channels of a network while it runs: made, joined, changed and given up.

What ``gridloom channel`` does; each step is one that an administrator takes with Fabric's
tools (configtxgen, osnadmin, peer channel).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gridloom.client.admin import BroadcastError, EndorsementError
from gridloom.client.admin.config_update import (
    UpdateSigner,
    UpdateUnsigned,
    check_signatures,
    make_update,
)
from gridloom.client.admin.participation import OrdererAdmin
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.rpc import RpcError
from gridloom.common.rpc.tls import ClientTls
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import Config

from .access import POLL_INTERVAL, NetworkAccess
from .configtx import channel_genesis_block
from .document import read_document
from .topology import ADMIN_USER, ChannelSpec, OrdererNode, PeerNode
from .topology_channels import read_channel
from .topology_rules import check_named_msps

APPLY_TIMEOUT = 15.0
"""Seconds that peers may take until a change of the configuration is in force on them."""

Change = Callable[[Config], Config]
Progress = Callable[[str], None]
"""Told each step of long work as it begins, in a few words."""


class NotApplied(GridloomError):
    """A change that was ordered and is not in force on some peers yet: their names."""

    def __init__(self, channel_id: str, peers: Sequence[str]) -> None:
        super().__init__(
            f"channel {channel_id}: the change is ordered, but not in force yet on "
            f"{', '.join(peers)}"
        )
        self.channel_id = channel_id
        self.peers = tuple(peers)


class ChannelOperations:
    """What administrators do with the channels of one network."""

    def __init__(self, access: NetworkAccess, progress: Progress = lambda _: None) -> None:
        self._access = access
        self._progress = progress

    def orderer_admin(self, node: OrdererNode) -> OrdererAdmin:
        """Return the way to an orderer's admin port, as its organization's administrator."""
        material, topology = self._access.material, self._access.topology
        tls = None
        if topology.tls:
            org = next(o for o in topology.orderer_organizations if node in o.orderers)
            own = material.user(org.msp_id, ADMIN_USER).tls
            tls = ClientTls(own.root, own.certificate, own.key)
        return OrdererAdmin(node.admin_endpoint, tls)

    def described(
        self, name: str, description: str = "", members: Sequence[str] = ()
    ) -> ChannelSpec:
        """Return a channel as one part of a network description has it; DocumentError.

        members: organizations, over those of the description; all if none are named.
        """
        topology = self._access.topology
        section = read_document(description).with_value("name", name)
        if members:
            section = section.with_value("members", list(members))
        channel = read_channel(
            section, topology.organizations, topology.orderers(), topology.consensus
        )
        check_named_msps(topology.with_channels([channel]))
        return channel

    def first_block(self, channel: ChannelSpec) -> Block:
        """Return a new first block for a channel (configtxgen -outputBlock)."""
        access = self._access
        return channel_genesis_block(
            access.topology,
            channel,
            access.material.msp_config,
            lambda: datetime.now(UTC),
            os.urandom,
            access.material,
        )

    async def create(self, channel: ChannelSpec) -> Block:
        """Make a channel as it is described, on its orderers; return its first block.

        ParticipationError when an orderer has the channel already.
        """
        block = self.first_block(channel)
        for node in self._orderers(channel):
            self._progress(f"join {node.name}")
            await self.orderer_admin(node).join(block)
        return block

    async def remove(self, channel: ChannelSpec) -> None:
        """Make the channel's orderers give it up and delete its blocks."""
        for node in self._orderers(channel):
            self._progress(f"remove from {node.name}")
            await self.orderer_admin(node).remove(channel.name)

    async def join(
        self,
        channel: ChannelSpec,
        peers: Sequence[tuple[str, PeerNode]],
        block: Block | None = None,
    ) -> None:
        """Join peers, each with its organization, to a channel; EndorsementError.

        block: the channel's first, asked of its orderer if not given.
        """
        for msp_id, node in peers:
            self._progress(f"join {node.name}")
            admin = self._access.channel_admin(msp_id)
            if block is None:
                block = await admin.fetch(self._access.orderer(channel), channel.name, 0)
            await admin.join(self._access.peer(node.name), block)

    async def config(self, channel: ChannelSpec, organization: str = "") -> Config:
        """Return the configuration in force, as an orderer has it."""
        reader = organization or self._first_member(channel)
        admin = self._access.channel_admin(reader)
        return await admin.fetch_config(self._access.orderer(channel), channel.name)

    async def propose(
        self, channel: ChannelSpec, change: Change, organization: str = ""
    ) -> Envelope:
        """Return the update, not signed by anybody, that a change of the configuration needs.

        ConfigError when it changes nothing, or something that may not be.
        """
        config = await self.config(channel, organization)
        return make_update(channel.name, config, change(config))

    def sign(self, envelope: Envelope, organizations: Sequence[str]) -> Envelope:
        """Return the update with a signature of each organization's administrator."""
        for organization in organizations:
            envelope = UpdateSigner(self._access.signer(organization)).sign(envelope)
        return envelope

    async def submit(
        self, channel: ChannelSpec, envelope: Envelope, organization: str = ""
    ) -> Sequence[str]:
        """Sign an update, too, and have it ordered; return the peers it is in force on then.

        organization: whose administrator sends it.  BroadcastError when the orderer refuses
        it, UpdateUnsigned when that is for want of signatures, NotApplied when a peer takes long.
        """
        sender = organization or self._first_member(channel)
        bundle = ChannelBundle(channel.name, await self.config(channel, sender))
        signed = self.sign(envelope, [sender])
        admin = self._access.channel_admin(sender)
        try:
            await admin.submit_update(self._access.orderer(channel), envelope)
        except BroadcastError as error:
            try:
                check_signatures(signed, bundle)
            except UpdateUnsigned as unsigned:
                raise UpdateUnsigned(str(error), unsigned.explanation, unsigned.who) from error
            except GridloomError:
                raise error from None
            raise
        return await self._applied(
            ChannelBundle(channel.name, bundle.propose_update(signed).config)
        )

    async def _applied(self, bundle: ChannelBundle) -> Sequence[str]:
        """Wait until the peers that take part have this configuration, or a later one.

        Return them in the network's order, whichever had it first.  Peers of organizations
        that are no members any more will never see it; one that has just joined does not
        know its own administrator yet, and nobody waits for it.
        """
        members = {
            node.name: msp_id
            for msp_id, node in await self.joined(bundle.channel_id)
            if msp_id in bundle.application.orgs
        }
        waiting, applied = dict(members), set()
        try:
            async with asyncio.timeout(APPLY_TIMEOUT):
                while waiting:
                    for name, msp_id in tuple(waiting.items()):
                        admin, peer = self._access.channel_admin(msp_id), self._access.peer(name)
                        try:
                            config = await admin.peer_config(peer, bundle.channel_id)
                        except (EndorsementError, RpcError):
                            del waiting[name]
                            continue
                        if config.sequence >= bundle.sequence:
                            del waiting[name]
                            applied.add(name)
                    await asyncio.sleep(POLL_INTERVAL)
        except TimeoutError:
            raise NotApplied(bundle.channel_id, tuple(waiting)) from None
        return [name for name in members if name in applied]

    def peers(self, channel: ChannelSpec) -> list[tuple[str, PeerNode]]:
        """Return the peers of the member organizations, each with its MSP id."""
        return [
            (org.msp_id, node)
            for org in self._access.topology.members(channel)
            for node in org.peers
        ]

    def organizations(self, channel: ChannelSpec) -> list[str]:
        """Return the MSP ids of a channel's organizations: members, then those that order it."""
        topology = self._access.topology
        orderers = [
            org.msp_id
            for org in topology.orderer_organizations
            if any(node.name in channel.orderers for node in org.orderers)
        ]
        return [*(org.msp_id for org in topology.members(channel)), *orderers]

    async def joined(
        self, channel_id: str, peers: Sequence[tuple[str, PeerNode]] | None = None
    ) -> list[tuple[str, PeerNode]]:
        """Return which of these peers, of all if none are given, have joined a channel."""
        every = [(org.msp_id, n) for org in self._access.topology.organizations for n in org.peers]
        found = []
        for msp_id, node in every if peers is None else peers:
            admin = self._access.channel_admin(msp_id)
            if channel_id in await admin.list(self._access.peer(node.name)):
                found.append((msp_id, node))
        return found

    def _orderers(self, channel: ChannelSpec) -> list[OrdererNode]:
        return [n for n in self._access.topology.orderers() if n.name in channel.orderers]

    def _first_member(self, channel: ChannelSpec) -> str:
        return self._access.topology.members(channel)[0].msp_id

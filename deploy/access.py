"""Reaching a network as its users and administrators do: as clients, over channels.

It works on any network whose topology and material are known: one in this process, where
channels are direct calls, or one in others, where they are gRPC.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gridloom.client import Gateway, Timeouts
from gridloom.client.admin import (
    ChaincodeDefinition,
    ChannelAdmin,
    Invocation,
    LifecycleAdmin,
    SnapshotAdmin,
)
from gridloom.common.identities import SigningIdentity
from gridloom.common.rpc import Channel
from gridloom.common.rpc.failover import FailoverChannel
from gridloom.common.rpc.tls import ClientTls
from gridloom.common.rpc.transport import RemoteChannel, grpc_channel

from .home import NetworkHome
from .material import Material, load_material
from .packaging import package_id_of
from .topology import ADMIN_USER, ChannelSpec, PeerNode, Topology

Connector = Callable[[str], Channel]
"""A channel to the node with this full name."""

POLL_INTERVAL = 0.005
"""Seconds between two looks at a peer that is still catching up."""

Progress = Callable[[str], None]
"""Told each step of long work as it begins, in a few words."""


def _silent(step: str) -> None:
    pass


class GrpcConnector:
    """Opens one gRPC channel to each node, and checks it against its organisation's TLS CA.

    own: name of the node that connects, whose TLS certificate is shown to who asks for it.
    """

    def __init__(self, topology: Topology, material: Material, own: str = "") -> None:
        self._own = own
        self._tls = topology.tls
        self._material = material
        self._endpoints = {node.name: node.endpoint for node in topology.orderers()}
        self._endpoints |= {node.name: node.endpoint for node in topology.peers()}
        self._channels: dict[str, RemoteChannel] = {}

    def __call__(self, name: str) -> Channel:
        channel = self._channels.get(name)
        if channel is None:
            tls = self._client_tls(name) if self._tls else None
            channel = self._channels[name] = grpc_channel(self._endpoints[name], tls)
        return channel

    def _client_tls(self, name: str) -> ClientTls:
        root = self._material.node(name).tls.root
        if not self._own or self._own not in self._endpoints:
            return ClientTls(roots=root, server_name=name)
        own = self._material.node(self._own).tls
        return ClientTls(root, own.certificate, own.key, server_name=name)

    async def close(self) -> None:
        """Close all channels."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
        self._channels.clear()


class NetworkAccess:
    """What users and administrators can do on a network.

    Organisations are named by name or MSP id, users by short name (Admin, User1).
    """

    def __init__(self, topology: Topology, material: Material, connect: Connector) -> None:
        self.topology = topology
        self.material = material
        self._connect = connect

    @classmethod
    def open(cls, home: NetworkHome) -> NetworkAccess:
        """Return access to the network of a folder, over gRPC; HomeError, MaterialError."""
        topology = home.topology()
        material = load_material(topology, home.organizations)
        return cls(topology, material, GrpcConnector(topology, material))

    async def close(self) -> None:
        """Close what connects to the nodes."""
        if isinstance(self._connect, GrpcConnector):
            await self._connect.close()

    def signer(self, organization: str, user: str = ADMIN_USER) -> SigningIdentity:
        """Return a user's identity; MaterialError for an unknown one."""
        return self.material.user(organization, user).signing_identity

    def peer(self, name: str) -> Channel:
        """Return a channel to a peer by its full name."""
        return self._connect(name)

    def peers(self, organization: str) -> Sequence[PeerNode]:
        """Return an organisation's peers."""
        return self.topology.organization(organization).peers

    def orderer(self, channel: ChannelSpec) -> Channel:
        """Return a channel to the orderers of a channel, of which one that is there answers."""
        orderers = [self._connect(name) for name in channel.orderers]
        return orderers[0] if len(orderers) == 1 else FailoverChannel(orderers)

    def gateway(
        self,
        organization: str,
        user: str = "User1",
        *,
        peer: str = "",
        timeouts: Timeouts | None = None,
    ) -> Gateway:
        """Return a gateway for a user, through a peer of its organisation (the first one)."""
        name = peer or self.peers(organization)[0].name
        return Gateway(self._connect(name), self.signer(organization, user), timeouts=timeouts)

    def invocation(self, organization: str, user: str = ADMIN_USER) -> Invocation:
        """Return the way to single peers and the orderer, past any gateway, as a user."""
        return Invocation(self.signer(organization, user))

    def lifecycle(self, organization: str) -> LifecycleAdmin:
        """Return the chaincode lifecycle as the organisation's administrator."""
        return LifecycleAdmin(self.invocation(organization))

    def snapshots(self, organization: str) -> SnapshotAdmin:
        """Return ledger snapshots as the organisation's administrator."""
        return SnapshotAdmin(self.signer(organization))

    def channel_admin(self, organization: str) -> ChannelAdmin:
        """Return channel administration as the organisation's administrator."""
        return ChannelAdmin(self.signer(organization))

    def endorsers(self, channel: ChannelSpec, organizations: Sequence[str] = ()) -> list[Channel]:
        """Return the first peer of each of the organisations, of all members by default."""
        names = organizations or [org.msp_id for org in self.topology.members(channel)]
        return [self._first_peer(name) for name in names]

    async def initialize(
        self,
        channel: ChannelSpec,
        chaincode: str,
        arguments: Sequence[bytes],
        organization: str,
        user: str = "User1",
        *,
        transient: Mapping[str, bytes] | None = None,
        endorsing: Sequence[str] = (),
    ) -> tuple[str, bytes]:
        """Submit the call that a chaincode with init_required waits for.

        Return transaction id and result.  Gateways know no such call, so it goes to the peers
        themselves: EndorsementError, BroadcastError, CommitError.
        """
        tx_id, response = await self.invocation(organization, user).submit(
            self.endorsers(channel, endorsing),
            self.orderer(channel),
            channel.name,
            chaincode,
            *arguments,
            transient=transient,
            is_init=True,
        )
        return tx_id, response.payload

    async def install(
        self, package: bytes, organizations: Sequence[str], progress: Progress = _silent
    ) -> str:
        """Install a package on every peer of the organisations; return its id."""
        package_ids = set()
        for organization in organizations:
            lifecycle = self.lifecycle(organization)
            for node in self.peers(organization):
                progress(f"install on {node.name}")
                installed = await lifecycle.installed(self.peer(node.name))
                package_id = package_id_of(package)
                if package_id not in installed:
                    package_id = await lifecycle.install(self.peer(node.name), package)
                package_ids.add(package_id)
        (package_id,) = package_ids
        return package_id

    async def deploy_chaincode(
        self,
        package: bytes,
        definition: ChaincodeDefinition,
        channel: ChannelSpec,
        progress: Progress = _silent,
    ) -> str:
        """Take a package through the lifecycle on a channel; return the package id.

        Every member organisation installs and approves it, the first one commits it.
        """
        members = [org.msp_id for org in self.topology.members(channel)]
        package_id = await self.install(package, members, progress)
        progress(f"approve {definition.name} for {', '.join(members)}")
        orderer = self.orderer(channel)
        await asyncio.gather(
            *(
                self.lifecycle(msp_id).approve(
                    self._first_peer(msp_id), orderer, channel.name, definition, package_id
                )
                for msp_id in members
            )
        )
        progress(f"commit {definition.name}")
        await self._until_approved(members, channel, definition)
        endorsers = self.endorsers(channel)
        await self.lifecycle(members[0]).commit(endorsers, orderer, channel.name, definition)
        await self._until_committed(members, channel, definition)
        return package_id

    async def _until_approved(
        self, members: Sequence[str], channel: ChannelSpec, definition: ChaincodeDefinition
    ) -> None:
        """Wait until the first peer of each member has seen the approvals of all.

        A peer waits for its own organisation's approval only, so others may come later.
        """
        for msp_id in members:
            peer, lifecycle = self._first_peer(msp_id), self.lifecycle(msp_id)
            while True:
                approvals = await lifecycle.readiness(peer, channel.name, definition)
                if all(approvals.get(member) for member in members):
                    break
                await asyncio.sleep(POLL_INTERVAL)

    async def _until_committed(
        self, members: Sequence[str], channel: ChannelSpec, definition: ChaincodeDefinition
    ) -> None:
        """Wait until every peer shows the definition: only then can each endorse with it."""
        waiting = [(msp_id, node) for msp_id in members for node in self.peers(msp_id)]
        while waiting:
            sequences = [
                await self._sequence(msp_id, node, channel, definition.name)
                for msp_id, node in waiting
            ]
            waiting = [
                peer
                for peer, sequence in zip(waiting, sequences, strict=True)
                if sequence < definition.sequence
            ]
            if waiting:
                await asyncio.sleep(POLL_INTERVAL)

    async def _sequence(self, msp_id: str, node: PeerNode, channel: ChannelSpec, name: str) -> int:
        defined = await self.lifecycle(msp_id).all_committed(self.peer(node.name), channel.name)
        for chaincode in defined.chaincode_definitions:
            if chaincode.name == name:
                return chaincode.sequence
        return 0

    async def next_sequence(self, channel: ChannelSpec, name: str) -> int:
        """Return the sequence the next definition of a chaincode must have."""
        org = self.topology.members(channel)[0]
        return 1 + await self._sequence(org.msp_id, org.peers[0], channel, name)

    def _first_peer(self, organization: str) -> Channel:
        return self.peer(self.peers(organization)[0].name)

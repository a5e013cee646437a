"""A whole network in one process.

    async with Network.in_memory() as network:
        await network.access.deploy_chaincode(package, ChaincodeDefinition("basic"), channel)
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("basic")

Nodes reach each other by direct calls.  ``serve`` opens their ports for everybody else; without
it there is no socket at all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Self

from gridloom.common.envelopes import Clock
from gridloom.common.http_server import HttpServer
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.orderer.node import Orderer
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.node import Peer
from gridloom.peer.settings import PrivateDataSettings

from .access import NetworkAccess
from .authorities import AuthorityServer
from .home import NetworkHome
from .nodes import NodeBuilder, StaticDirectory, members_of, utc_now
from .ports import choose_ports
from .topology import Topology


class Network:
    """Every node of a topology as an object of this process.

    orderers, peers: by full name; access: what users and administrators do.
    """

    def __init__(self, builder: NodeBuilder) -> None:
        self.builder = builder
        self.topology = builder.topology
        self.orderers: dict[str, Orderer] = {}
        self.peers: dict[str, Peer] = {}
        self._registries: dict[str, ServiceRegistry] = {}
        self._servers: list[GrpcServer | HttpServer | AuthorityServer] = []
        self._build()
        self.access = NetworkAccess(self.topology, builder.material, self.channel_to)

    @classmethod
    def create(
        cls,
        topology: Topology | None = None,
        home: NetworkHome | None = None,
        *,
        now: Clock = utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        development: bool = False,
        private_data: PrivateDataSettings | None = None,
    ) -> Network:
        """Return a network that is not started; home: None keeps everything in memory.

        Ports that are 0 are replaced by free ones; private_data: how peers give them out and
        gather them.
        """
        chosen = choose_ports(topology or Topology.default())
        return cls(
            NodeBuilder.create(
                chosen,
                home,
                now=now,
                random_bytes=random_bytes,
                development=development,
                private_data=private_data or PrivateDataSettings(),
            )
        )

    @classmethod
    def in_memory(
        cls,
        topology: Topology | None = None,
        *,
        now: Clock = utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        development: bool = True,
        private_data: PrivateDataSettings | None = None,
    ) -> Network:
        """Return a network for tests: no disk, no sockets, tracebacks in chaincode errors."""
        return cls.create(
            topology,
            now=now,
            random_bytes=random_bytes,
            development=development,
            private_data=private_data,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start all nodes: orderers first, for peers pull blocks from them."""
        for orderer in self.orderers.values():
            await orderer.start()
        for peer in self.peers.values():
            await peer.start()

    async def serve(self) -> None:
        """Open every node's port; OSError names an address that is taken."""
        for node in self.topology.nodes():
            server = self.builder.server(node, self._registries[node.name])
            await server.start()
            self._servers.append(server)
        for orderer in self.topology.orderers():
            admin = self.builder.admin_server(orderer, self.orderers[orderer.name])
            await admin.start()
            self._servers.append(admin)
        for org in self.topology.every_organization():
            authority = self.builder.authority_server(org)
            await authority.start()
            self._servers.append(authority)

    async def stop(self) -> None:
        """Close the ports and stop the nodes; what was acknowledged is kept."""
        servers, self._servers = self._servers, []
        await asyncio.gather(*(server.stop() for server in servers))
        for peer in self.peers.values():
            await peer.stop()
        for orderer in self.orderers.values():
            await orderer.stop()

    def channel_to(self, name: str) -> Channel:
        """Return a channel to the node with this full name, by direct calls."""
        return LocalChannel(self._registries[name])

    def _build(self) -> None:
        endpoints: dict[str, Channel] = {}
        for orderer_org in self.topology.orderer_organizations:
            for node in orderer_org.orderers:
                orderer = self.orderers[node.name] = self.builder.orderer(node, orderer_org)
                self._registries[node.name] = orderer.services()
                endpoints[node.endpoint] = LocalChannel(self._registries[node.name])

        def orderer_at(endpoint: str) -> Channel:
            return endpoints.get(endpoint) or UnreachableChannel(endpoint)

        directory = LiveDirectory(self.peers)
        for org in self.topology.organizations:
            for member in org.peers:
                peer = self.builder.peer(member, org, orderer_at, directory)
                self.peers[member.name] = peer
                self._registries[member.name] = peer.services()
        directory.open(self.builder, self.channel_to)


class LiveDirectory:
    """The peers of this process that take part in a channel, with heights and chaincodes."""

    def __init__(self, peers: Mapping[str, Peer]) -> None:
        self._nodes = peers
        self._known: StaticDirectory | None = None

    def open(self, builder: NodeBuilder, connect: Callable[[str], Channel]) -> None:
        """Begin to answer, once all peers are there."""
        self._known = StaticDirectory(builder.topology, builder.material, connect, self._members)

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel."""
        if self._known is None:
            return ()
        by_endpoint = {peer.settings.address: peer for peer in self._nodes.values()}
        found = []
        for info in self._known.peers(channel_id):
            peer = by_endpoint[info.endpoint]
            channel = peer.channel(channel_id)
            if channel is not None:
                runs = peer.host.runnable(channel_id)
                found.append(replace(info, height=channel.height, chaincodes=runs))
        return found

    def _members(self, channel_id: str) -> set[str]:
        """Who is in the channel, each organization by the word of its own peers."""
        return {
            peer.msp_id
            for peer in self._nodes.values()
            if peer.msp_id in members_of(peer)(channel_id)
        }

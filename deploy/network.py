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

from gridloom.common.certificates import parse_pem
from gridloom.common.envelopes import Clock
from gridloom.common.http_server import HttpServer
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.orderer.cluster.dialer import Dial
from gridloom.orderer.cluster.members import Member
from gridloom.orderer.node import Orderer
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.node import Peer
from gridloom.peer.settings import PrivateDataSettings

from .access import NetworkAccess
from .home import NetworkHome
from .nodes import NodeBuilder, StaticDirectory, members_of, utc_now
from .ports import choose_ports
from .topology import OrdererNode, Topology


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
        self._servers: list[GrpcServer | HttpServer] = []
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
        for place in self.topology.nodes():
            await self._serve(self.builder.server(place, self._registries[place.name]))
        for orderer in self.topology.orderers():
            node = self.orderers[orderer.name]
            if self.topology.clustered:
                await self._serve(self.builder.cluster_server(orderer, node))
            await self._serve(self.builder.admin_server(orderer, node))

    async def _serve(self, server: GrpcServer | HttpServer) -> None:
        await server.start()
        self._servers.append(server)

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
        cluster: dict[str, ServiceRegistry] = {}

        def orderer_at(endpoint: str) -> Channel:
            return endpoints.get(endpoint) or UnreachableChannel(endpoint)

        for orderer_org in self.topology.orderer_organizations:
            for node in orderer_org.orderers:
                orderer = self.builder.orderer(
                    node, orderer_org, orderer_at, self._dialer(node, cluster)
                )
                self.orderers[node.name] = orderer
                self._registries[node.name] = orderer.services()
                endpoints[node.endpoint] = LocalChannel(self._registries[node.name])
                cluster[node.cluster_endpoint] = orderer.cluster_services()

        directory = LiveDirectory(self.peers)
        for org in self.topology.organizations:
            for member in org.peers:
                peer = self.builder.peer(member, org, orderer_at, directory)
                self.peers[member.name] = peer
                self._registries[member.name] = peer.services()
        directory.open(self.builder, self.channel_to)

    def _dialer(self, node: OrdererNode, cluster: Mapping[str, ServiceRegistry]) -> Dial:
        """Return how an orderer reaches its fellows in this process."""
        own = parse_pem(self.builder.material.tls_certificate(node.name)).raw

        def dial(member: Member) -> Channel:
            registry = cluster.get(member.endpoint)
            if registry is None:
                return UnreachableChannel(member.endpoint)
            return LocalChannel(registry, own)

        return dial


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

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
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self, TypeAlias

from gridloom.common.certificates import parse_pem
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.http_server import HttpServer
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.transport import RpcServer
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.orderer.node import Orderer
from gridloom.peer.delegation import Deputy
from gridloom.peer.node import Peer
from gridloom.peer.settings import PrivateDataSettings

from .access import NetworkAccess
from .authorities import AuthorityServer
from .home import NetworkHome
from .live_directory import LiveDirectory
from .nodes import NodeBuilder, UnknownNode, utc_now
from .ports import choose_ports
from .topology import OrdererNode, PeerNode, Topology

if TYPE_CHECKING:
    from gridloom.orderer.cluster.dialer import Dial
    from gridloom.orderer.cluster.members import Member

Server: TypeAlias = RpcServer | HttpServer | AuthorityServer


class DataInMemory(GridloomError):
    """A node that cannot be restarted, for all it knows is in memory: its full name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} cannot be restarted: its data is in memory only")
        self.name = name


class Network:
    """Every node of a topology as an object of this process.

    deputies: a process that may endorse for a peer, by the peer's full name.
    orderers, peers: by full name; access: what users and administrators do.
    """

    def __init__(
        self, builder: NodeBuilder, deputies: Callable[[str], Deputy | None] = lambda _: None
    ) -> None:
        self.builder = builder
        self._deputies = deputies
        self.topology = builder.topology
        self.orderers: dict[str, Orderer] = {}
        self.peers: dict[str, Peer] = {}
        self._registries: dict[str, ServiceRegistry] = {}
        self._servers: dict[str, list[Server]] = {}
        self._endpoints: dict[str, Channel] = {}
        self._cluster: dict[str, ServiceRegistry] = {}
        self._directory = LiveDirectory(self.peers)
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
            await self._open(node.name, self._node_servers(node))
        for org in self.topology.every_organization():
            await self._open(org.authority.name, [self.builder.authority_server(org)])

    async def stop(self) -> None:
        """Close the ports and stop the nodes; what was acknowledged is kept."""
        await asyncio.gather(*(self._close(name) for name in list(self._servers)))
        for peer in self.peers.values():
            await peer.stop()
        for orderer in self.orderers.values():
            await orderer.stop()

    async def restart(self, name: str) -> None:
        """Stop a node and start it again, by its material as it is now; the others go on.

        UnknownNode, or DataInMemory if it would come back empty.
        """
        place = next((node for node in self.topology.nodes() if node.name == name), None)
        if place is None:
            raise UnknownNode(name, [node.name for node in self.topology.nodes()])
        if self.builder.home is None or self.builder.in_memory:
            raise DataInMemory(name)
        deputy = self._deputies(name)
        if deputy is not None:
            deputy.retire()
        served = await self._close(name)
        await (self.orderers.get(name) or self.peers[name]).stop()
        node = self._orderer(name) if isinstance(place, OrdererNode) else self._peer(name)
        self._directory.open(
            self.topology, self.builder.material, self.channel_to
        )  # its identity may be another one
        await node.start()
        if served:
            await self._open(name, self._node_servers(place))

    async def renew(self) -> Sequence[str]:
        """Restart the nodes whose certificates on disk are other ones now; return their names.

        UnknownNode, DataInMemory, MaterialError.
        """
        changed = self.builder.material.reread_nodes(self.topology)
        for name in changed:
            await self.restart(name)
        return changed

    def _node_servers(self, node: OrdererNode | PeerNode) -> list[Server]:
        """Return the servers of a node's ports."""
        servers: list[Server] = [self.builder.server(node, self._registries[node.name])]
        if isinstance(node, OrdererNode):
            orderer = self.orderers[node.name]
            if self.topology.clustered:
                servers.append(self.builder.cluster_server(node, orderer))
            servers.append(self.builder.admin_server(node, orderer))
        return servers

    async def _open(self, name: str, servers: list[Server]) -> None:
        for server in servers:
            await server.start()
            self._servers.setdefault(name, []).append(server)

    async def _close(self, name: str) -> bool:
        """Close a node's ports; return whether they were open."""
        servers = self._servers.pop(name, [])
        await asyncio.gather(*(server.stop() for server in servers))
        return bool(servers)

    def channel_to(self, name: str) -> Channel:
        """Return a channel to the node with this full name, by direct calls."""
        return LocalChannel(self._registries[name])

    def _build(self) -> None:
        for orderer in self.topology.orderers():
            self._registries[orderer.name] = ServiceRegistry()
            self._cluster[orderer.cluster_endpoint] = ServiceRegistry()
            self._endpoints[orderer.endpoint] = self.channel_to(orderer.name)
        for orderer in self.topology.orderers():
            self._orderer(orderer.name)
        for peer in self.topology.peers():
            self._registries[peer.name] = ServiceRegistry()
            self._peer(peer.name)
        self._open_directory()

    def _open_directory(self) -> None:
        self._directory.open(self.topology, self.builder.material, self.channel_to)

    def _orderer(self, name: str) -> Orderer:
        """Make an orderer, in the place of the one that may be there."""
        found = (
            (node, org)
            for org in self.topology.orderer_organizations
            for node in org.orderers
            if node.name == name
        )
        node, org = next(found)
        orderer = self.builder.orderer(node, org, self._orderer_at, self._dialer(node))
        self.orderers[name] = orderer
        self._registries[name].exchange(orderer.services())
        self._cluster[node.cluster_endpoint].exchange(orderer.cluster_services())
        return orderer

    def _peer(self, name: str) -> Peer:
        """Make a peer, in the place of the one that may be there."""
        found = (
            (node, org)
            for org in self.topology.organizations
            for node in org.peers
            if node.name == name
        )
        deputy = self._deputies(name)
        peer = self.builder.peer(*next(found), self._orderer_at, self._directory, deputy)
        self.peers[name] = peer
        self._registries[name].exchange(peer.services())
        return peer

    def _orderer_at(self, endpoint: str) -> Channel:
        return self._endpoints.get(endpoint) or UnreachableChannel(endpoint)

    def _dialer(self, node: OrdererNode) -> Dial:
        """Return how an orderer reaches its fellows in this process."""
        own = parse_pem(self.builder.material.tls_certificate(node.name)).raw

        def dial(member: Member) -> Channel:
            registry = self._cluster.get(member.endpoint)
            if registry is None:
                return UnreachableChannel(member.endpoint)
            return LocalChannel(registry, own)

        return dial

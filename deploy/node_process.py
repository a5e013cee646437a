"""One node in a process of its own, reaching the others over gRPC."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gridloom.common.http_server import HttpServer
from gridloom.common.rpc import Channel
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.transport import RpcServer
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.settings import private_data_settings

from .access import GrpcConnector
from .cutting import cut_on_signal
from .home import NetworkHome
from .memory import settle_memory
from .nodes import NodeBuilder, UnknownNode
from .ports import require_free
from .static_directory import StaticDirectory, members_of
from .supervised import run_until_stopped
from .topology import OrdererNode, OrdererOrganization, Organization, PeerNode

if TYPE_CHECKING:
    from gridloom.orderer.node import Orderer
    from gridloom.peer.node import Peer


async def run_node(
    home: NetworkHome,
    name: str,
    ready: Callable[[], None],
    *,
    development: bool = False,
    supervised: bool = False,
) -> None:
    """Run one node until SIGINT or SIGTERM (see ``run_until_stopped``)."""

    def prepare() -> NodeProcess:
        return NodeProcess(home, name, development=development)

    await run_until_stopped(prepare, ready, supervised=supervised)


class NodeProcess:
    """Starts and stops one node of the network in ``home``.

    UnknownNode for another name, PortTaken for an address in use.
    """

    def __init__(self, home: NetworkHome, name: str, *, development: bool = False) -> None:
        topology = home.topology()
        self._builder = NodeBuilder.create(
            topology,
            home,
            development=development,
            private_data=private_data_settings(os.environ),
        )
        self._connect = GrpcConnector(topology, self._builder.material, name)
        self._orderer: Orderer | None = None
        self._servers: list[RpcServer | HttpServer] = []
        self._node = self._build(name)

    async def start(self) -> None:
        """Start the node and serve; OSError if its address is taken."""
        await self._node.start()
        for server in self._servers:
            await server.start()
        if self._orderer is not None:
            cut_on_signal([self._orderer])
        settle_memory()

    async def stop(self) -> None:
        """Stop serving, then the node."""
        await asyncio.gather(*(server.stop() for server in self._servers))
        await self._node.stop()
        await self._connect.close()

    def _build(self, name: str) -> Orderer | Peer:
        topology = self._builder.topology
        for orderer_org in topology.orderer_organizations:
            for node in orderer_org.orderers:
                if node.name == name:
                    return self._build_orderer(node, orderer_org)
        for org in topology.organizations:
            for member in org.peers:
                if member.name == name:
                    return self._build_peer(member, org)
        known = (*topology.nodes(), *topology.authorities())
        raise UnknownNode(name, [each.name for each in known])

    def _build_orderer(self, node: OrdererNode, org: OrdererOrganization) -> Orderer:
        require_free([node])
        orderer = self._orderer = self._builder.orderer(node, org, self._orderer_at)
        self._servers = [
            self._builder.server(node, orderer.services()),
            self._builder.admin_server(node, orderer),
        ]
        if self._builder.topology.clustered:
            self._servers.append(self._builder.cluster_server(node, orderer))
        return orderer

    def _build_peer(self, node: PeerNode, org: Organization) -> Peer:
        require_free([node])
        directory = _Directory()
        peer = self._builder.peer(node, org, self._orderer_at, directory)
        directory.open(self._builder, self._connect, node.name, peer)
        self._servers = [self._builder.server(node, peer.services())]
        return peer

    def _orderer_at(self, endpoint: str) -> Channel:
        names = {node.endpoint: node.name for node in self._builder.topology.orderers()}
        name = names.get(endpoint)
        return UnreachableChannel(endpoint) if name is None else self._connect(name)


class _Directory:
    """All peers of the network; this one is called directly."""

    def __init__(self) -> None:
        self._known: StaticDirectory | None = None

    def open(
        self, builder: NodeBuilder, connect: Callable[[str], Channel], own: str, peer: Peer
    ) -> None:
        local = LocalChannel(peer.services())
        self._known = StaticDirectory(
            builder.topology,
            builder.material,
            lambda name: local if name == own else connect(name),
            members_of(peer),
        )

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel."""
        return () if self._known is None else self._known.peers(channel_id)

"""Building single nodes of a network: a topology and its material become orderers and peers.

The same builder serves every way to run them: all in one process, with or without sockets, or
each in a process of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gridloom.common.certificates import parse_pem
from gridloom.common.envelopes import Clock
from gridloom.common.errors import GridloomError
from gridloom.common.http_server import Application, HttpServer
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.tls import ServerTls
from gridloom.common.rpc.transport import RpcServer, grpc_server
from gridloom.orderer.chain import CuttingMode
from gridloom.peer.discovery.peers import PeerDirectory
from gridloom.peer.settings import PeerSettings, PrivateDataSettings
from gridloom.protos.common.common_pb2 import Block

from .authorities import AuthorityServer, authority_server
from .configtx import channel_genesis_block
from .home import NetworkHome
from .material import Material, create_material, load_material
from .packaging import PYTHON, SERVICE
from .topology import (
    ChannelSpec,
    Cutting,
    OrdererNode,
    OrdererOrganization,
    Organization,
    PeerNode,
    Topology,
)

if TYPE_CHECKING:
    from gridloom.orderer.cluster.dialer import Dial
    from gridloom.orderer.etcdraft.consenter import ClusterParts
    from gridloom.orderer.node import Orderer
    from gridloom.peer.chaincodes.host import ChaincodeHost
    from gridloom.peer.chaincodes.runtime import ChaincodeLauncher
    from gridloom.peer.delegation import Deputy
    from gridloom.peer.ledger.provider import LedgerProvider
    from gridloom.peer.node import Peer

CUTTING = {
    Cutting.IDLE: CuttingMode.IDLE,
    Cutting.TIMEOUT: CuttingMode.BATCH_TIMEOUT,
    Cutting.MANUAL: CuttingMode.MANUAL,
}


_DEFAULT_PRIVATE_DATA = PrivateDataSettings()


class UnknownNode(GridloomError):
    """A name that no node of the network has; known: the names there are."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no node {name!r}; there is: {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


def ledgers_place(topology: Topology, home: NetworkHome, peer: str) -> Path | str:
    """Where a peer keeps its ledgers: the topology's database, or a folder of its own."""
    return topology.ledger_url or home.node("peers", peer) / "ledgers"


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class NodeBuilder:
    """Makes the nodes of one network.

    home: where credentials and data are kept, None for memory only; in_memory: ledgers stay
    in memory although there is a home; development: chaincode errors carry tracebacks;
    private_data: how peers give them out and gather them.
    Every port of the topology is chosen (not 0).
    """

    topology: Topology
    material: Material
    home: NetworkHome | None = None
    now: Clock = utc_now
    random_bytes: Callable[[int], bytes] = os.urandom
    in_memory: bool = False
    development: bool = False
    private_data: PrivateDataSettings = _DEFAULT_PRIVATE_DATA
    _genesis: dict[str, Block] = field(default_factory=dict)

    @classmethod
    def create(
        cls,
        topology: Topology,
        home: NetworkHome | None = None,
        *,
        now: Clock = utc_now,
        random_bytes: Callable[[int], bytes] = os.urandom,
        in_memory: bool = False,
        development: bool = False,
        private_data: PrivateDataSettings = _DEFAULT_PRIVATE_DATA,
    ) -> NodeBuilder:
        """Return a builder with the home's material, which is issued if there is none yet."""
        if home is None:
            material = create_material(topology, None, now, random_bytes)
        elif home.organizations.exists():
            material = load_material(topology, home.organizations, now, random_bytes)
        else:
            material = _create_on_disk(topology, home.organizations, now, random_bytes)
        return cls(
            topology, material, home, now, random_bytes, in_memory, development, private_data
        )

    def genesis_block(self, channel: ChannelSpec) -> Block:
        """Return a channel's first block: the one kept in the home, else a new one."""
        if channel.name not in self._genesis:
            self._genesis[channel.name] = self._make_genesis(channel)
        return self._genesis[channel.name]

    def _make_genesis(self, channel: ChannelSpec) -> Block:
        if self.home is not None and self.home.genesis_file(channel.name).exists():
            return self.home.genesis(channel.name)
        block = channel_genesis_block(
            self.topology,
            channel,
            self.material.msp_config,
            self.now,
            self.random_bytes,
            self.material,
        )
        if self.home is not None:
            self.home.save_genesis(channel.name, block)
        return block

    @property
    def _stored(self) -> NetworkHome | None:
        """Where ledgers are kept, None for memory."""
        return None if self.in_memory else self.home

    def orderer(
        self,
        node: OrdererNode,
        org: OrdererOrganization,
        orderers: Callable[[str], Channel],
        dial: Dial | None = None,
    ) -> Orderer:
        """Return an orderer that has joined its channels; it is not started.

        orderers: a way to the orderer at ``host:port``; dial: to a fellow consenter, over gRPC
        unless given.
        """
        from gridloom.orderer.node import Orderer  # noqa: PLC0415 - not in a peer's process
        from gridloom.orderer.storage import FileStorage, MemoryStorage  # noqa: PLC0415

        home = self._stored
        orderer = Orderer(
            self.material.node(node.name).signing_identity,
            org.msp_id,
            MemoryStorage() if home is None else FileStorage(home.node("orderers", node.name)),
            self.now,
            self.random_bytes,
            cutting=CUTTING[self.topology.cutting],
            cluster=self._cluster(node, orderers, dial) if self.topology.clustered else None,
            orderers=orderers,
            votes=None if home is None else home.node("orderers", node.name) / "poca",
        )
        joined = {info.name for info in orderer.channels()}
        for channel in self.topology.channels:
            if orderer.registrar.given_up(channel.name) or channel.name in joined:
                continue
            if node.name in channel.orderers:
                orderer.join(self.genesis_block(channel))
        return orderer

    def _cluster(
        self, node: OrdererNode, orderers: Callable[[str], Channel], dial: Dial | None
    ) -> ClusterParts:
        """Return what makes an orderer one of several."""
        # Networks of one orderer should not start slower for it.
        from gridloom.orderer.cluster.block_puller import Puller  # noqa: PLC0415
        from gridloom.orderer.cluster.dialer import grpc_dialer  # noqa: PLC0415
        from gridloom.orderer.etcdraft.consenter import (  # noqa: PLC0415
            ClusterParts,
            RaftSettings,
        )
        from gridloom.orderer.etcdraft.log_store import LogFolder, MemoryLogs  # noqa: PLC0415

        own = self.material.node(node.name)
        home = self._stored
        logs = home and LogFolder(home.node("orderers", node.name) / "etcdraft" / "wal")
        return ClusterParts(
            certificate=own.tls.certificate,
            dial=dial or grpc_dialer(own.tls.certificate, own.tls.key),
            logs=logs or MemoryLogs(),
            puller=Puller(
                orderers,
                own.signing_identity,
                self.now,
                self.random_bytes,
                own=(node.endpoint,),
            ),
            settings=RaftSettings(cutting=CUTTING[self.topology.cutting]),
        )

    def peer(
        self,
        node: PeerNode,
        org: Organization,
        orderers: Callable[[str], Channel],
        directory: PeerDirectory,
        deputy: Deputy | None = None,
    ) -> Peer:
        """Return a peer that has joined its channels; it is not started.

        orderers: a way to the orderer at ``host:port``; directory: who else is there; deputy: a
        process that may endorse for it.
        """
        from gridloom.peer.node import Peer  # noqa: PLC0415 - not in an orderer's process

        peer = Peer(
            self.material.node(node.name).signing_identity,
            self.material.msp_config(org.msp_id),
            self._ledgers(node),
            self.chaincodes(node, org),
            orderers=orderers,
            peers=directory,
            settings=PeerSettings(
                peer_id=node.name,
                address=node.endpoint,
                msp_id=org.msp_id,
                state_database=self.topology.state_database,
                ledger_url=self.topology.ledger_url,
                private_data=self.private_data,
            ),
            tls_certificate=self._tls_certificate(node),
            now=self.now,
            random_bytes=self.random_bytes,
            deputy=deputy,
        )
        joined = peer.channel_ids()
        for channel in self.topology.channels:
            members = self.topology.members(channel)
            if org in members and channel.name not in joined:
                peer.join(self.genesis_block(channel))
        return peer

    def server(self, node: OrdererNode | PeerNode, services: ServiceRegistry) -> RpcServer:
        """Return the gRPC server of a node, with TLS unless the topology is without."""
        tls = None
        if self.topology.tls:
            own = self.material.node(node.name).tls
            tls = ServerTls(certificate=own.certificate, private_key=own.key)
        return grpc_server(services, node.endpoint, tls)

    def cluster_server(self, node: OrdererNode, orderer: Orderer) -> RpcServer:
        """Return the server of an orderer's cluster port, which asks for certificates."""
        from gridloom.orderer.cluster.server import cluster_server  # noqa: PLC0415 - as above

        own = self.material.node(node.name).tls
        return cluster_server(orderer, node.cluster_endpoint, own.certificate, own.key, own.root)

    def admin_server(self, node: OrdererNode, orderer: Orderer) -> HttpServer:
        """Return the server of an orderer's admin port.

        With TLS it is for whoever has a TLS certificate of the orderer's own organization.
        """
        tls = None
        if self.topology.tls:
            own = self.material.node(node.name).tls
            tls = ServerTls(own.certificate, own.key, client_roots=own.root)

        def application() -> Application:
            from gridloom.orderer.participation import participation  # noqa: PLC0415

            return participation(orderer.registrar)

        return HttpServer(application, node.admin_endpoint, tls)

    def authority_server(self, org: Organization | OrdererOrganization) -> AuthorityServer:
        """Return the server of an organization's CA."""
        return authority_server(
            self.material,
            org,
            tls=self.topology.tls,
            now=self.now,
            random_bytes=self.random_bytes,
        )

    def chaincodes(self, node: PeerNode, org: Organization) -> ChaincodeHost:
        """Return what runs a peer's chaincodes."""
        from gridloom.peer.chaincodes.host import ChaincodeHost  # noqa: PLC0415 - as above
        from gridloom.peer.chaincodes.lifecycle.store import (  # noqa: PLC0415
            FilePackageStore,
            MemoryPackageStore,
        )
        from gridloom.peer.chaincodes.service_launcher import ServiceLauncher  # noqa: PLC0415

        from .python_chaincode import PythonLauncher  # noqa: PLC0415

        folder = None if self._stored is None else self._stored.node("peers", node.name)
        launchers: dict[str, ChaincodeLauncher] = {
            PYTHON: PythonLauncher(org.msp_id, development=self.development, origin=self._origin),
            SERVICE: ServiceLauncher(),
        }
        store = MemoryPackageStore() if folder is None else FilePackageStore(folder / "packages")
        return ChaincodeHost(store, launchers)

    def _ledgers(self, node: PeerNode) -> LedgerProvider:
        """Return where a peer keeps its ledgers: memory, the topology's database, its folder."""
        from gridloom.peer.ledger.provider import LedgerProvider  # noqa: PLC0415 - as above
        from gridloom.peer.ledger.storage import MEMORY  # noqa: PLC0415

        home = self._stored
        return LedgerProvider(
            MEMORY if home is None else ledgers_place(self.topology, home, node.name),
            None if self.home is None else self.home.node("peers", node.name) / "snapshots",
            owner=node.name,
            state_database=self.topology.state_database,
        )

    def _tls_certificate(self, node: PeerNode) -> bytes | None:
        """DER of what a node shows in TLS sessions, None without TLS."""
        if not self.topology.tls:
            return None
        return parse_pem(self.material.node(node.name).tls.certificate).raw

    def _origin(self, package_id: str) -> Path | None:
        return None if self.home is None else self.home.origin(package_id)


def _create_on_disk(
    topology: Topology, folder: Path, now: Clock, random_bytes: Callable[[int], bytes]
) -> Material:
    """Issue material into ``folder``, whole or not at all."""
    unfinished = folder.with_name(f"{folder.name}.new")
    if unfinished.exists():
        shutil.rmtree(unfinished)  # of a start that was killed
    material = create_material(topology, unfinished, now, random_bytes)
    os.replace(unfinished, folder)
    material.root = folder
    return material

"""A network whose peers can lose sight of each other, with a chaincode full of secrets.

Everything runs in one process by direct calls; ``down`` peers cannot be reached, and what peers
say to each other is kept by ``wires``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.common.rpc import Channel, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.deploy.access import NetworkAccess
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.packaging import package_source
from gridloom.deploy.static_directory import StaticDirectory
from gridloom.deploy.topology import Topology
from gridloom.orderer.node import Orderer
from gridloom.peer.channel import PeerChannel
from gridloom.peer.discovery.peers import PeerInfo
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.node import Peer
from gridloom.peer.settings import PrivateDataSettings

from .gossiping import DESCRIPTION, Unreachable, Wiretap
from .network import CHAINCODES

CHANNEL = "mychannel"
VAULT = CHAINCODES / "vault"
ORG1, ORG1_SECOND, ORG2, ORG3 = (
    "peer0.org1.example.com",
    "peer1.org1.example.com",
    "peer0.org2.example.com",
    "peer0.org3.example.com",
)
ANYBODY = "OR('Org1MSP.peer','Org2MSP.peer','Org3MSP.peer')"

IMPATIENT = PrivateDataSettings(
    pull_retry_threshold=timedelta(0), push_ack_timeout=timedelta(minutes=2), reconcile=False
)
"""One round of asking at commit, and reconciliation only when a test says so."""


def collection(name: str = "secrets", *organizations: int, **options: Any) -> dict[str, Any]:
    """A collection of these organisations (1 and 2 by default), as the peer command reads it."""
    members = ",".join(f"'Org{number}MSP.member'" for number in organizations or (1, 2))
    return {"name": name, "policy": f"OR({members})"} | options


class PrivateNetwork:
    """Two peers of Org1, one each of Org2 and Org3, and an orderer."""

    def __init__(
        self,
        home: NetworkHome | None = None,
        settings: PrivateDataSettings = IMPATIENT,
        description: str = DESCRIPTION,
    ) -> None:
        topology = Topology.parse(description)
        self.builder = NodeBuilder.create(topology, home, private_data=settings)
        self.topology = topology
        self.down: set[str] = set()
        self.wires: dict[tuple[str, str], Wiretap] = {}
        self.peers: dict[str, Peer] = {}
        self._registries: dict[str, ServiceRegistry] = {}
        self.orderer = self._orderer()
        for org in topology.organizations:
            for node in org.peers:
                self._build(node.name)
        self.access = NetworkAccess(topology, builder_material(self.builder), self._direct)

    async def start(self) -> None:
        await self.orderer.start()
        for peer in self.peers.values():
            await peer.start()

    async def stop(self) -> None:
        for peer in self.peers.values():
            await peer.stop()
        await self.orderer.stop()

    def lose(self, *names: str) -> None:
        """From now on nobody reaches these peers; without names everybody reaches all again."""
        self.down = set(names)
        gone = {n.endpoint for n in self.topology.peers() if n.name in self.down}
        for name, peer in self.peers.items():
            for endpoint in gone:
                peer.communication.disconnect(endpoint)
            if name in self.down:
                for connection in list(peer.communication._accepted):
                    connection.close()

    async def restart(self, name: str) -> None:
        """Stop a peer and start it again from what it has on disk."""
        await self.peers[name].stop()
        self._build(name)
        await self.peers[name].start()

    def channel(self, name: str) -> PeerChannel:
        found = self.peers[name].channel(CHANNEL)
        assert found is not None
        return found

    def ledger(self, name: str) -> Ledger:
        return self.channel(name).ledger

    async def settled(self) -> int:
        """Wait until all peers have all blocks; return the height."""
        spec = self.topology.channel(CHANNEL)
        admin = self.access.channel_admin("Org1")
        newest = await admin.fetch(self.access.orderer(spec), CHANNEL)
        height = newest.header.number + 1
        for name in self.peers:
            await self.ledger(name).wait_for_height(height)
        return height

    async def deploy(
        self, collections: Sequence[dict[str, Any]], *, policy: str = ANYBODY, sequence: int = 1
    ) -> None:
        """Define the vault with these collections on the channel."""
        package = package_source(VAULT, label=f"vault_{sequence}")
        definition = ChaincodeDefinition(
            "vault",
            str(sequence),
            sequence,
            endorsement_policy=policy,
            collections=parse_collections(json.dumps(collections)),
        )
        spec = self.topology.channel(CHANNEL)
        await self.access.deploy_chaincode(package, definition, spec)
        await self.settled()

    async def submit(
        self,
        function: str,
        *arguments: str,
        value: str = "",
        org: str = "Org1",
        endorsers: Sequence[str] = (),
    ) -> bytes:
        """Submit as a user of ``org``, endorsed by its own peer unless others are named."""
        contract = self.access.gateway(org).get_network(CHANNEL).get_contract("vault")
        result = await contract.submit(
            function,
            arguments,
            transient={"value": value.encode()} if value else None,
            endorsing_organizations=endorsers or [f"{org}MSP"],
        )
        await self.settled()
        return result

    async def evaluate(
        self, function: str, *arguments: str, peer: str = ORG1, org: str = ""
    ) -> bytes:
        """Evaluate on one peer, as a user of its organisation or of another."""
        owner = org or next(o.name for o in self.topology.organizations if o.name.lower() in peer)
        gateway = self.access.gateway(owner, peer=peer)
        contract = gateway.get_network(CHANNEL).get_contract("vault")
        return await contract.evaluate(
            function, arguments, endorsing_organizations=[self.peers[peer].msp_id]
        )

    def clear(self, name: str, key: str, collection: str = "secrets") -> bytes | None:
        """What a peer's cleartext state has, whatever its hash."""
        return self._state(name, f"vault$$p{collection}", key.encode())

    def hashed(self, name: str, key_hash: bytes, collection: str = "secrets") -> bytes | None:
        """What a peer's hashed state has."""
        return self._state(name, f"vault$$h{collection}", key_hash)

    def _state(self, name: str, namespace: str, key: bytes) -> bytes | None:
        snapshot = self.ledger(name).snapshot()
        try:
            found = snapshot.get(namespace, key)
            return found.value if found is not None else None
        finally:
            snapshot.close()

    def _orderer(self) -> Orderer:
        (org,) = self.topology.orderer_organizations
        (node,) = org.orderers
        orderer = self.builder.orderer(node, org, UnreachableChannel)
        self._registries[node.name] = orderer.services()
        return orderer

    def _build(self, name: str) -> None:
        org, node = next(
            (o, n) for o in self.topology.organizations for n in o.peers if n.name == name
        )
        orderer = self._direct(self.topology.orderers()[0].name)
        peer = self.builder.peer(node, org, lambda _: orderer, View(self, name))
        self.peers[name] = peer
        self._registries[name] = peer.services()

    def _direct(self, name: str) -> Channel:
        return LocalChannel(self._registries[name])


class View:
    """The peers as one of them sees them."""

    def __init__(self, network: PrivateNetwork, own: str) -> None:
        self._network = network
        self._own = own

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        network = self._network
        static = StaticDirectory(network.topology, builder_material(network.builder), self._wire)
        names = [node.name for node in network.topology.peers()]
        found = []
        for name, info in zip(names, static.peers(channel_id), strict=True):
            channel = network.peers[name].channel(channel_id) if name in network.peers else None
            if channel is not None:
                found.append(replace(info, height=channel.height))
        return found

    def _wire(self, name: str) -> Channel:
        network = self._network
        if name in network.down and name != self._own:
            return Unreachable()
        wire = Wiretap(network._direct(name))
        known = network.wires.setdefault((self._own, name), wire)
        wire.heard = known.heard
        return wire


def builder_material(builder: NodeBuilder) -> Any:
    return builder.material


@asynccontextmanager
async def private_network(
    *collections: dict[str, Any], home: NetworkHome | None = None, **options: Any
) -> AsyncIterator[PrivateNetwork]:
    """A running network with the vault on it."""
    network = PrivateNetwork(home, **options)
    await network.start()
    try:
        await network.deploy(collections or [collection()])
        yield network
    finally:
        await asyncio.shield(network.stop())

"""The replicas of all peers of a network in one process, which reach each other by direct calls."""

from __future__ import annotations

from pathlib import Path
from random import Random

from gridloom.common.rpc import ServiceRegistry
from gridloom.peer.ledger.followed_ledger import FollowedLedger
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.storage import ledger_file, open_storage
from gridloom.peer.replica import Replica
from gridloom.peer.replica_gateway import ReplicaGateway, ReplicaWay
from gridloom.peer.settings import PeerSettings

from .home import NetworkHome
from .live_directory import LiveDirectory
from .nodes import NodeBuilder, ledgers_place
from .topology import Organization, PeerNode, Topology


class Replicas:
    """A replica of each peer, whose ledgers lie in the network's folder."""

    def __init__(self, builder: NodeBuilder, home: NetworkHome) -> None:
        topology = builder.topology
        self._settings = PeerSettings()
        self._random = Random(builder.random_bytes(16))  # noqa: S311 - it only shuffles
        self._replicas = {
            node.name: self._replica(builder, home, node, org)
            for org in topology.organizations
            for node in org.peers
        }
        self._directory = LiveDirectory(self._replicas)
        self._directory.open(
            topology, builder.material, lambda name: ReplicaWay(self._replicas[name])
        )

    def services(self, name: str) -> ServiceRegistry:
        """protos.Endorser for the peer with this full name, and Endorse of gateway.Gateway.

        Not the latter if a chaincode of any of the peers may be a service: that is the peer's.
        """
        registry = ServiceRegistry()
        registry.add("protos.Endorser", self._replicas[name])
        replicas = self._replicas.values()
        if not any(replica.host.waits_for_services for replica in replicas):
            registry.add("gateway.Gateway", self._gateway(name))
        return registry

    async def stop(self) -> None:
        """Stop the chaincodes and close the ledgers."""
        for replica in self._replicas.values():
            await replica.stop()

    def _gateway(self, name: str) -> ReplicaGateway:
        return ReplicaGateway(
            self._directory.at(name),
            self._replicas[name],
            self._replicas.values(),
            self._directory,
            random=self._random,
            endorsement_timeout=self._settings.gateway.endorsement_timeout.total_seconds(),
        )

    def _replica(
        self, builder: NodeBuilder, home: NetworkHome, node: PeerNode, org: Organization
    ) -> Replica:
        return Replica(
            builder.material.node(node.name).signing_identity,
            builder.material.msp_config(org.msp_id),
            _ledgers(builder.topology, Path(ledgers_place(builder.topology, home, node.name))),
            builder.chaincodes(node, org),
            now=builder.now,
            time_window=self._settings.time_window,
        )


def _ledgers(topology: Topology, folder: Path) -> dict[str, FollowedLedger]:
    """Every ledger in a folder, by channel."""
    found = {}
    for channel_id in sorted(open_storage(folder, "").stored()):
        file = ledger_file(folder, channel_id)
        store = SqliteStore(file, topology.state_database, writable=False)
        ledger = FollowedLedger(channel_id, store)
        if ledger.height:
            found[channel_id] = ledger
        else:  # it is being made, or was left unfinished
            ledger.close()
    return found

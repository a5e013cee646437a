"""The process that endorses for all peers of a network that is one process otherwise.

It serves protos.Endorser on a Unix domain socket for each peer, in a folder that is for this user
only.  The network starts it and ends it (endorsing_worker.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gridloom.common.rpc.transport import RpcServer, grpc_server
from gridloom.peer.ledger.followed_ledger import FollowedLedger
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.storage import ledger_file, open_storage
from gridloom.peer.replica import Replica
from gridloom.peer.settings import PeerSettings

from .endorsing_worker import LIVENESS, socket_of
from .home import NetworkHome
from .memory import settle_memory
from .nodes import NodeBuilder, ledgers_place
from .supervised import run_until_stopped
from .topology import Topology


async def run_endorsing(
    home: NetworkHome, sockets: Path, ready: Callable[[], None], *, development: bool = False
) -> None:
    """Endorse for the peers of the folder's network until told to stop."""

    def prepare() -> EndorsingProcess:
        return EndorsingProcess(home, sockets, development=development)

    await run_until_stopped(prepare, ready, supervised=True)


class EndorsingProcess:
    """A replica of each peer, and its server."""

    def __init__(self, home: NetworkHome, sockets: Path, *, development: bool = False) -> None:
        topology = home.topology()
        builder = NodeBuilder.create(topology, home, development=development)
        self._replicas: list[Replica] = []
        self._servers: list[RpcServer] = []
        for number, node in enumerate(topology.peers()):
            replica = make_replica(builder, home, node.name)
            self._replicas.append(replica)
            address, pings = socket_of(sockets, number), LIVENESS.ping // 2
            server = grpc_server(replica.services(), address, min_ping_interval=pings)
            self._servers.append(server)

    async def start(self) -> None:
        """Serve; OSError if a socket cannot be made."""
        for server in self._servers:
            await server.start()
        settle_memory()

    async def stop(self) -> None:
        """Stop serving, then the replicas."""
        await asyncio.gather(*(server.stop() for server in self._servers))
        for replica in self._replicas:
            await replica.stop()


def make_replica(builder: NodeBuilder, home: NetworkHome, name: str) -> Replica:
    """A replica of the peer with this name, whose ledgers lie in the network's folder."""
    places = ((node, org) for org in builder.topology.organizations for node in org.peers)
    node, org = next(place for place in places if place[0].name == name)
    return Replica(
        builder.material.node(name).signing_identity,
        builder.material.msp_config(org.msp_id),
        _ledgers(builder.topology, Path(ledgers_place(builder.topology, home, name))),
        builder.chaincodes(node, org),
        now=builder.now,
        time_window=PeerSettings().time_window,
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

"""Replicas in the test's own process: whatever a peer may delegate is endorsed by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.message import Message

from gridloom.common.rpc import RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel, M
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.ports import choose_ports
from gridloom.deploy.replicas import Replicas
from gridloom.deploy.topology import Topology
from gridloom.peer.delegation import Vouching


@asynccontextmanager
async def replicated(
    topology: Topology, folder: Path, *, development: bool = True
) -> AsyncIterator[ReplicatedNetwork]:
    """A network that runs in a folder, with replicas."""
    home = NetworkHome(folder)
    builder = NodeBuilder.create(choose_ports(topology), home, development=development)
    network = ReplicatedNetwork(builder, home)
    await network.network.start()
    try:
        yield network
    finally:
        await network.stop()


class ReplicatedNetwork:
    """A network on the disk whose peers have deputies that are always there.

    asked: the methods that the deputies were called by; given_back: how many calls they did not
    answer; fail: with what they fail from now on.
    """

    def __init__(self, builder: NodeBuilder, home: NetworkHome) -> None:
        self._builder = builder
        self._home = home
        self._replicas: Replicas | None = None
        self._retired: list[Replicas] = []
        self.vouching = Vouching()
        self.asked: list[str] = []
        self.given_back = 0
        self.fail: RpcError | None = None
        self.network = Network(builder, lambda name: _AlwaysThere(self, name))

    def services(self, name: str) -> ServiceRegistry:
        """What the replica of a peer serves now."""
        if self._replicas is None:
            self._replicas = Replicas(self._builder, self._home)
        return self._replicas.services(name)

    def retire(self) -> None:
        """Have all replicas replaced by new ones, as a process is."""
        if self._replicas is not None:
            self._retired.append(self._replicas)
            self._replicas = None

    async def stop(self) -> None:
        """Stop the replicas, then the network."""
        self.retire()
        for replicas in self._retired:
            await replicas.stop()
        await self.network.stop()


class _AlwaysThere:
    """Satisfies peer.delegation.Deputy for one peer."""

    def __init__(self, owner: ReplicatedNetwork, name: str) -> None:
        self._owner = owner
        self._name = name
        self.vouching = owner.vouching

    def is_free(self) -> bool:
        return True

    async def call(self, method: str, request: Message, response_type: type[M]) -> M:
        self._owner.asked.append(method)
        try:
            if self._owner.fail is not None:
                raise self._owner.fail
            way = LocalChannel(self._owner.services(self._name))
            return await way.unary(method, request, response_type)
        except RpcError:
            self._owner.given_back += 1
            raise

    def retire(self) -> None:
        self._owner.retire()

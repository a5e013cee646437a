"""Replicas in the test's own process: whatever a peer may delegate is endorsed by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from google.protobuf.message import Message

from gridloom.common.rpc import Channel, RpcError
from gridloom.common.rpc.local import LocalChannel, M
from gridloom.deploy.endorsing_process import make_replica
from gridloom.deploy.home import NetworkHome
from gridloom.deploy.network import Network
from gridloom.deploy.nodes import NodeBuilder
from gridloom.deploy.ports import choose_ports
from gridloom.deploy.topology import Topology
from gridloom.peer.replica import Replica


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
    """A network on the disk whose peers each have a deputy that is always there.

    asked, given_back: how many proposals the deputies got, and did not answer; fail: with what
    they fail from now on.
    """

    def __init__(self, builder: NodeBuilder, home: NetworkHome) -> None:
        self._builder = builder
        self._home = home
        self._deputies = {
            node.name: _AlwaysThere(self, node.name) for node in builder.topology.peers()
        }
        self.asked = self.given_back = 0
        self.fail: RpcError | None = None
        self.network = Network(builder, self._deputies.__getitem__)

    def replica(self, name: str) -> Replica:
        """A replica as it would begin now."""
        return make_replica(self._builder, self._home, name)

    async def stop(self) -> None:
        """Stop the replicas, then the network."""
        for deputy in self._deputies.values():
            await deputy.stop()
        await self.network.stop()


class _AlwaysThere:
    """A deputy that is replaced at once when it retires."""

    def __init__(self, owner: ReplicatedNetwork, name: str) -> None:
        self._owner = owner
        self._name = name
        self._replica: Replica | None = None
        self._retired: list[Replica] = []

    def channel(self) -> Channel:
        if self._replica is None:
            self._replica = self._owner.replica(self._name)
        return _Counted(self._owner, self._replica)

    def retire(self) -> None:
        if self._replica is not None:
            self._retired.append(self._replica)
            self._replica = None

    async def stop(self) -> None:
        self.retire()
        for replica in self._retired:
            await replica.stop()


class _Counted(LocalChannel):
    def __init__(self, owner: ReplicatedNetwork, replica: Replica) -> None:
        super().__init__(replica.services())
        self._owner = owner

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        self._owner.asked += 1
        try:
            if self._owner.fail is not None:
                raise self._owner.fail
            return await super().unary(method, request, response_type, timeout=timeout)
        except RpcError:
            self._owner.given_back += 1
            raise

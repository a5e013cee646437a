"""Several orderers of one channel in one process, under virtual time and a seed.

Links between them can be cut, disks can fail, nodes can be killed, wiped and started again.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.common.certificates import parse_pem
from gridloom.common.channel.update import compute_update
from gridloom.common.envelopes import NONCE_LENGTH, signature_header
from gridloom.common.identities import Signer
from gridloom.common.rpc import Channel, Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.deploy.configtx import channel_genesis_block, consenter
from gridloom.deploy.material import Material, create_material
from gridloom.deploy.topology import Batch, OrdererNode, Topology
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.cluster.block_puller import Puller
from gridloom.orderer.cluster.members import Member
from gridloom.orderer.etcdraft.chain import RaftChain
from gridloom.orderer.etcdraft.consenter import ClusterParts, RaftSettings
from gridloom.orderer.etcdraft.log_store import LogStore, MemoryLogs
from gridloom.orderer.etcdraft.metadata import Consenter, read_config, write_config
from gridloom.orderer.node import Orderer
from gridloom.orderer.storage import MemoryStorage, OrdererStorage
from gridloom.protos.common import common_pb2, configtx_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse
from gridloom.protos.orderer.configuration_pb2 import ConsensusType

from . import ordering

M = TypeVar("M", bound=Message)

CHANNEL = "mychannel"


@cache
def network(size: int) -> tuple[Topology, Material]:
    """A topology with so many orderers, and its material, made once for all tests."""
    topology = Topology.parse(
        f"consensus: raft\norderer_organizations: [{{name: Orderer, orderers: {size}}}]\n"
    )
    return topology, create_material(topology)


class Links:
    """Which orderer can reach which, by name.

    delay: seconds a message takes; slow: how many more for one to or from a node.
    """

    def __init__(self, delay: Callable[[], float] = lambda: 0.001) -> None:
        self._delay = delay
        self.slow: dict[str, float] = {}
        self._cut: set[tuple[str, str]] = set()

    async def travel(self, *ends: str) -> None:
        """Let a message take its time between two nodes."""
        await asyncio.sleep(self._delay() + sum(self.slow.get(end, 0) for end in ends))

    def cut(self, source: str, target: str) -> None:
        """Nothing gets from source to target any more."""
        self._cut.add((source, target))

    def part(self, *groups: Iterable[str]) -> None:
        """Let only members of the same group reach each other."""
        sides = [set(group) for group in groups]
        for side in sides:
            for other in sides:
                if side is not other:
                    self._cut |= {(a, b) for a in side for b in other}

    def heal(self) -> None:
        """Let everybody reach everybody."""
        self._cut.clear()

    def open(self, source: str, target: str) -> bool:
        """Whether a message gets through."""
        return (source, target) not in self._cut


class LinkedChannel:
    """A channel to another node whose messages the links may swallow."""

    def __init__(
        self, links: Links, source: str, target: str, connect: Callable[[], Channel]
    ) -> None:
        self._links = links
        self._ends = (source, target)
        self._connect = connect

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        raise RpcError(Code.UNIMPLEMENTED, method)

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        raise RpcError(Code.UNIMPLEMENTED, method)
        yield

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        if not self._links.open(*self._ends):
            await asyncio.sleep(0.05)
            raise RpcError(Code.UNAVAILABLE, f"{self._ends} is cut")
        inner = self._connect().stream(method, self._passed(requests), response_type)
        async with aclosing(inner) as responses:
            async for response in responses:
                await self._links.travel(*self._ends)
                while not self._links.open(*reversed(self._ends)):  # noqa: ASYNC110 - a link
                    await asyncio.sleep(0.05)
                yield response

    async def close(self) -> None:
        """Nothing is open."""

    async def _passed(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for request in requests:
            await self._links.travel(*self._ends)
            if self._links.open(*self._ends):
                yield request


@dataclass
class ClusterNode:
    """One orderer of the cluster and what survives it."""

    place: OrdererNode
    storage: OrdererStorage = field(default_factory=MemoryStorage)
    logs: LogStore = field(default_factory=MemoryLogs)
    orderer: Orderer | None = None
    services: ServiceRegistry | None = None
    cluster: ServiceRegistry | None = None

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def chain(self) -> RaftChain:
        """Its chain, which must be one of Raft's."""
        chain = self.running.registrar.get(CHANNEL).chain
        assert isinstance(chain, RaftChain), chain
        return chain

    @property
    def running(self) -> Orderer:
        assert self.orderer is not None, f"{self.name} does not run"
        return self.orderer

    @property
    def height(self) -> int:
        return self.running.registrar.info(CHANNEL).height

    def block(self, number: int) -> Block:
        return self.running.registrar.get(CHANNEL).get_block(number)


class RaftCluster:
    """Orderers by name; members: how many of ``size`` are consenters of the channel."""

    def __init__(
        self,
        size: int = 3,
        *,
        members: int | None = None,
        seed: int = 1,
        cutting: CuttingMode = CuttingMode.IDLE,
        batch: Batch | None = None,
        snapshot_interval: int = 16 * 1024 * 1024,
        submit_timeout: float = 15.0,
        eviction_suspicion: float = 600.0,
    ) -> None:
        described, self.material = network(size)
        options = replace(described.raft, snapshot_interval_size=snapshot_interval)
        self.topology = replace(described, raft=options)
        self.random = random.Random(seed)
        self.links = Links(lambda: self.random.uniform(0.0005, 0.003))
        self.settings = RaftSettings(cutting, submit_timeout, eviction_suspicion)
        self.nodes = {node.name: ClusterNode(node) for node in self.topology.orderers()}
        self.members = tuple(self.nodes)[: members or size]
        self._batch = batch or Batch()
        self.genesis = self.genesis_of(self.members)

    def genesis_of(self, names: tuple[str, ...]) -> Block:
        """The first block of the channel with these consenters."""
        described = self.topology.channel(CHANNEL)
        channel = replace(described, orderers=names, batch=self._batch)
        return channel_genesis_block(
            self.topology,
            channel,
            self.material.msp_config,
            ordering.now,
            os.urandom,
            self.material,
        )

    async def __aenter__(self) -> RaftCluster:
        for name in self.members:
            await self.start(name, join=self.genesis)
        return self

    async def __aexit__(self, *_: object) -> None:
        for node in self.nodes.values():
            if node.orderer is not None:
                await self.stop(node.name)

    def __getitem__(self, name: str) -> ClusterNode:
        return self.nodes[name]

    @property
    def running(self) -> list[ClusterNode]:
        return [node for node in self.nodes.values() if node.orderer is not None]

    async def start(
        self, name: str, *, join: Block | None = None, certificate_of: str = ""
    ) -> ClusterNode:
        """Start a node on what it left behind.

        join: the block it joins the channel with; certificate_of: whose TLS certificate it shows
        in place of its own.
        """
        node = self.nodes[name]
        own = self.material.node(name)
        shown = self.material.tls_certificate(certificate_of or name)
        certificate = parse_pem(shown).raw

        def reach(target: ClusterNode, *, cluster: bool) -> Channel:
            def connect() -> Channel:
                services = target.cluster if cluster else target.services
                if services is None:
                    return UnreachableChannel(target.name)
                return LocalChannel(services, certificate if cluster else None)

            return LinkedChannel(self.links, name, target.name, connect)

        def dial(member: Member) -> Channel:
            for target in self.nodes.values():
                if target.place.cluster_endpoint == member.endpoint:
                    return reach(target, cluster=True)
            return UnreachableChannel(member.endpoint)

        def orderer_at(endpoint: str) -> Channel:
            for target in self.nodes.values():
                if target.place.endpoint == endpoint:
                    return reach(target, cluster=False)
            return UnreachableChannel(endpoint)

        node.orderer = Orderer(
            own.signing_identity,
            "OrdererMSP",
            node.storage,
            cluster=ClusterParts(
                certificate=shown,
                dial=dial,
                logs=node.logs,
                puller=Puller(
                    orderer_at,
                    own.signing_identity,
                    ordering.now,
                    os.urandom,
                    own=(node.place.endpoint,),
                ),
                settings=self.settings,
                draw=self.random.randrange,
            ),
        )
        if join is not None:
            node.orderer.join(join)
        await node.orderer.start()
        node.services = node.orderer.services()
        node.cluster = node.orderer.cluster_services()
        return node

    async def stop(self, name: str) -> None:
        """Stop a node in an orderly way."""
        node = self.nodes[name]
        orderer = node.running
        await orderer.stop()
        node.orderer = node.services = node.cluster = None

    async def kill(self, name: str) -> None:
        """Let a node vanish: nothing it still says gets out, and nothing reaches it."""
        node = self.nodes[name]
        for other in self.nodes:
            self.links.cut(name, other)
            self.links.cut(other, name)
        orderer = node.running
        node.orderer = node.services = node.cluster = None
        await orderer.stop()
        self.links.heal()

    def wipe(self, name: str) -> None:
        """Lose everything a stopped node had."""
        self.nodes[name].storage = MemoryStorage()
        self.nodes[name].logs = MemoryLogs()

    async def leader(self, among: Sequence[str] = ()) -> ClusterNode:
        """Wait for a leader that most of these agree on, all running nodes by default."""

        def found() -> ClusterNode | None:
            nodes = [node for node in self.running if not among or node.name in among]
            for node in nodes:
                chain = node.running.registrar.get(CHANNEL).chain
                if isinstance(chain, RaftChain) and chain.leads:
                    return node
            return None

        await self.until(lambda: found() is not None)
        node = found()
        assert node is not None
        return node

    async def until(self, condition: Callable[[], bool], limit: float = 120.0) -> None:
        """Let virtual time pass until the condition holds."""
        async with asyncio.timeout(limit):
            while not condition():  # noqa: ASYNC110 - of any kind
                await asyncio.sleep(0.01)

    async def settled(self, *, at_least: int = 0) -> int:
        """Wait until all running nodes have the same height; return it."""
        await self.until(
            lambda: (
                len({node.height for node in self.running}) == 1
                and self.running[0].height >= at_least
            )
        )
        return self.running[0].height

    def require_same_blocks(self) -> None:
        """Fail unless all running nodes have the same headers and data as far as they go."""
        for number in range(min(node.height for node in self.running)):
            blocks = [node.block(number) for node in self.running]
            for block in blocks[1:]:
                assert block.header == blocks[0].header, number
                assert block.data == blocks[0].data, number

    def ordered(self, name: str) -> list[bytes]:
        """Every serialized envelope in a node's blocks after the first."""
        node = self.nodes[name]
        return [data for number in range(1, node.height) for data in node.block(number).data.data]

    def message(self, text: str) -> Envelope:
        """A message of a user of this network."""
        return ordering.message(text.encode(), signer=self.user())

    def user(self, organization: str = "Org1MSP", name: str = "User1") -> Signer:
        """A user of this network."""
        return self.material.user(organization, name).signing_identity

    async def broadcast(self, name: str, *envelopes: Envelope) -> list[BroadcastResponse]:
        """Send messages on one stream to a node; return its answers."""
        services = self.nodes[name].services
        if services is None:
            return []
        return await ordering.Client(LocalChannel(services), self.user()).broadcast(*envelopes)

    async def submit(self, name: str, *envelopes: Envelope) -> list[int]:
        """Send messages on one stream to a node; return the statuses of its answers."""
        return [answer.status for answer in await self.broadcast(name, *envelopes)]

    def consenter(self, name: str) -> Consenter:
        """A node as the configuration names it."""
        return consenter(self.nodes[name].place, self.material.tls_certificate(name))

    def update(self, via: str, change: Callable[[list[Consenter]], list[Consenter]]) -> Envelope:
        """A signed change of the consenters that the node ``via`` knows of."""
        support = self.nodes[via].running.registrar.get(CHANNEL)
        updated = configtx_pb2.Config()
        updated.CopyFrom(support.bundle.config)
        value = updated.channel_group.groups["Orderer"].values["ConsensusType"]
        consensus = ConsensusType.FromString(value.value)
        config = read_config(consensus.metadata)
        consenters = tuple(change(list(config.consenters)))
        consensus.metadata = write_config(replace(config, consenters=consenters))
        value.value = consensus.SerializeToString()
        admin = self.user("OrdererMSP", "Admin")
        data = compute_update(CHANNEL, support.bundle.config, updated).SerializeToString()
        header = signature_header(admin.serialized, os.urandom(NONCE_LENGTH))
        envelope = configtx_pb2.ConfigUpdateEnvelope(config_update=data)
        envelope.signatures.add(signature_header=header, signature=admin.sign(header + data))
        return ordering.message(
            envelope.SerializeToString(), signer=admin, header_type=common_pb2.CONFIG_UPDATE
        )

    async def add(self, name: str, via: str) -> list[int]:
        """Make a node a consenter; return the statuses of the answer."""
        return await self.submit(via, self.update(via, lambda c: [*c, self.consenter(name)]))

    async def remove(self, name: str, via: str) -> list[int]:
        """Make a node no longer a consenter; return the statuses of the answer."""
        gone = self.consenter(name)
        return await self.submit(
            via, self.update(via, lambda c: [each for each in c if each != gone])
        )

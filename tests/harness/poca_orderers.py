"""Orderers of one channel under proof of credit, in one process, with a network of queues."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from gridloom.common.channel import names
from gridloom.common.channel.genesis import genesis_block
from gridloom.common.identities import Signer
from gridloom.common.poca import CONSENSUS_TYPE, CreditedConsenter, PocaConfig, write_config
from gridloom.common.proof_of_credit import Difficulty
from gridloom.common.rpc.local import LocalChannel
from gridloom.deploy.configtx import channel_group
from gridloom.deploy.material import Material, create_material
from gridloom.deploy.topology import Topology
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.node import Orderer
from gridloom.orderer.poca.chain import PocaChain
from gridloom.orderer.poca.consenter import PocaConsenter as Consenter
from gridloom.orderer.poca.votes import MemoryVotes, VoteStore
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common import configtx_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer import configuration_pb2

from .ordering import CHANNEL, Client, change_orderer, now

NAMES = [f"orderer{n}" for n in range(5)]
TOPOLOGY = Topology.parse(
    "orderer_organizations: [{name: Orderer, orderers: ["
    + ", ".join(f"{{name: {name}}}" for name in NAMES)
    + "]}]"
)
EASY = Difficulty(6)


@cache
def material() -> Material:
    """The crypto material of five orderers, made once for all tests."""
    return create_material(TOPOLOGY)


def signer(number: int) -> Signer:
    """The identity of an orderer."""
    return material().node(TOPOLOGY.orderers()[number].name).signing_identity


def config(credits: list[str], difficulty: Difficulty = EASY) -> PocaConfig:
    """One consenter for each credit."""
    consenters = [
        CreditedConsenter(signer(n).serialized, Decimal(credit), f"{NAMES[n]}:7050")
        for n, credit in enumerate(credits)
    ]
    return PocaConfig(tuple(consenters), difficulty)


def genesis(poca: PocaConfig) -> Block:
    """The first block of a channel under proof of credit."""
    group = channel_group(TOPOLOGY, TOPOLOGY.channel(CHANNEL), material().msp_config)
    value = group.groups[names.ORDERER].values["ConsensusType"]
    consensus = configuration_pb2.ConsensusType(type=CONSENSUS_TYPE, metadata=write_config(poca))
    value.value = consensus.SerializeToString()
    return genesis_block(CHANNEL, group, now, os.urandom)


@dataclass
class PocaOrderers:
    """The orderers by number; cut_off: messages to and from these are lost."""

    poca: PocaConfig
    cutting: CuttingMode = CuttingMode.IDLE
    cut_off: set[int] = field(default_factory=set)
    lost: Callable[[], bool] = field(default=lambda: False)

    def __post_init__(self) -> None:
        self.first = genesis(self.poca)
        self.running: dict[int, Orderer] = {}
        self.storages = [MemoryStorage() for _ in self.poca.consenters]
        self.votes: list[VoteStore] = [MemoryVotes() for _ in self.poca.consenters]

    async def start(self, *numbers: int) -> None:
        """Start orderers, all unless numbers say which; a stopped one goes on where it was."""
        for number in numbers or range(len(self.poca.consenters)):
            consenter = Consenter(
                signer(number),
                self.cutting,
                fellows=lambda _, own=number: _Fellows(self, own),  # type: ignore[misc]
                stores=lambda _, own=number: self.votes[own],  # type: ignore[misc]
            )
            orderer = Orderer(
                signer(number),
                "OrdererMSP",
                self.storages[number],
                consenters={CONSENSUS_TYPE: consenter},
            )
            if not orderer.channels():
                orderer.join(self.first)
            self.running[number] = orderer
            await orderer.start()

    async def stop(self, *numbers: int) -> None:
        """Stop orderers, all unless numbers say which."""
        for number in numbers or tuple(self.running):
            await self.running.pop(number).stop()

    def client(self, number: int, who: Signer) -> Client:
        """Somebody who talks to an orderer."""
        return Client(LocalChannel(self.running[number].services()), who)

    def change(self, poca: PocaConfig) -> Envelope:
        """A signed config update that names other consenters, credits or difficulty."""

        def change(group: configtx_pb2.ConfigGroup) -> None:
            value = configuration_pb2.ConsensusType.FromString(group.values["ConsensusType"].value)
            value.metadata = write_config(poca)
            group.values["ConsensusType"].value = value.SerializeToString()

        return change_orderer(
            self.first,
            change,
            user_of=lambda org, name: material().user(org, name).signing_identity,
        )

    def height(self, number: int) -> int:
        """Blocks of an orderer."""
        return self.running[number].registrar.get(CHANNEL).height

    def blocks(self, number: int) -> list[Block]:
        """All blocks of an orderer."""
        support = self.running[number].registrar.get(CHANNEL)
        return [support.get_block(n) for n in range(support.height)]

    def envelopes(self, number: int) -> list[bytes]:
        """Everything that an orderer has ordered, without the genesis block."""
        return [entry for block in self.blocks(number)[1:] for entry in block.data.data]

    async def until(self, holds: Callable[[], bool], seconds: float = 120.0) -> None:
        """Wait until something holds; TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - the state of several nodes
                await asyncio.sleep(0.01)

    def deliver(self, sender: int, to: int, message: bytes) -> None:
        """The network between them."""
        if {sender, to} & self.cut_off or to not in self.running or self.lost():
            return
        support = self.running[to].registrar.find(CHANNEL)
        if support is not None and isinstance(support.chain, PocaChain):
            number = support.chain.config.number_of(signer(sender).serialized)
            if number is not None:
                support.chain.receive(number, message)


@dataclass
class _Fellows:
    orderers: PocaOrderers
    own: int
    config: PocaConfig | None = None

    def configure(self, config: PocaConfig) -> None:
        """Numbers of consenters are this configuration's from now on."""
        self.config = config

    async def close(self) -> None:
        """There is nothing to close."""

    def send(self, to: int, message: bytes) -> None:
        assert self.config is not None
        wanted = self.config.consenters[to].identity
        place = next(n for n in range(len(NAMES)) if signer(n).serialized == wanted)
        asyncio.get_running_loop().call_soon(self.orderers.deliver, self.own, place, message)

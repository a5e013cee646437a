"""A throw-away consortium in memory: the test network's identities and channel configuration."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.identities import SigningIdentity
from gridloom.deploy.configtx import channel_genesis_block
from gridloom.deploy.material import Material, create_material
from gridloom.deploy.topology import Topology
from gridloom.protos.common.common_pb2 import Block

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CHANNEL = "mychannel"


def clock() -> datetime:
    """A clock that stands still."""
    return NOW


class Consortium:
    """Identities of every node and user, and the genesis block of each channel."""

    def __init__(self, description: str = "", seed: int = 1) -> None:
        self.topology = Topology.parse(description)
        self.random_bytes: Callable[[int], bytes] = random.Random(seed).randbytes
        self.material: Material = create_material(self.topology, None, clock, self.random_bytes)

    def genesis(self, channel: str = CHANNEL) -> Block:
        """The first block of a channel."""
        return channel_genesis_block(
            self.topology,
            self.topology.channel(channel),
            self.material.msp_config,
            clock,
            self.random_bytes,
        )

    def bundle(self, channel: str = CHANNEL) -> ChannelBundle:
        """The configuration of a channel."""
        return ChannelBundle.from_config_block(self.genesis(channel))

    def peer(self, organization: int = 1) -> SigningIdentity:
        """peer0 of organisation 1 or 2."""
        return self.material.node(f"peer0.org{organization}.example.com").signing_identity

    def orderer(self) -> SigningIdentity:
        """The orderer."""
        return self.material.node("orderer.example.com").signing_identity

    def user(self, organization: int = 1, name: str = "User1") -> SigningIdentity:
        """A client of organisation 1 or 2; ``Admin`` is its administrator."""
        return self.material.user(f"Org{organization}MSP", name).signing_identity


@cache
def consortium() -> Consortium:
    """The default consortium, made once for all tests; read only."""
    return Consortium()

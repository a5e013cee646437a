"""What the SDK is tried on: networks in memory with chaincodes that show what clients see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology

from .network import CHAINCODES

COUNCIL = CHAINCODES / "council"

THREE_ORGANIZATIONS = """
organizations:
  - {name: Org1, peers: 2}
  - {name: Org2, peers: 2}
  - {name: Org3, peers: 1}
"""
COLLECTIONS = """[
  {"name": "one", "policy": "OR('Org1MSP.member')", "memberOnlyRead": true,
   "endorsementPolicy": {"signaturePolicy": "OR('Org1MSP.peer')"}},
  {"name": "two", "policy": "OR('Org1MSP.member', 'Org2MSP.member')"}
]"""


@asynccontextmanager
async def manual_network(source: Path, name: str) -> AsyncIterator[Network]:
    """The test network with a chaincode, whose blocks end when :func:`cut` is called."""
    topology = Topology.parse("cutting: manual")
    async with Network.in_memory(topology, development=False) as network:
        deploying = asyncio.create_task(deploy(network, source, name))
        while not deploying.done():
            await cut(network)
            await asyncio.sleep(0.01)
        await deploying
        yield network


async def cut(network: Network) -> int | None:
    """End the block under way; return its number, None if nothing is waiting for it."""
    (orderer,) = network.orderers.values()
    return await orderer.cut(network.topology.channels[0].name)


async def deploy(
    network: Network, source: Path, name: str, policy: str = "", collections: str = ""
) -> None:
    """Take a chaincode through the lifecycle on the first channel."""
    definition = ChaincodeDefinition(
        name,
        endorsement_policy=policy,
        collections=parse_collections(collections) if collections else None,
    )
    package = package_source(source, label=f"{source.name}_1")
    await network.access.deploy_chaincode(package, definition, network.topology.channels[0])

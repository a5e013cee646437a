"""What the SDK is tried on: networks in memory with chaincodes that show what clients see."""

from __future__ import annotations

from pathlib import Path

from gridloom.client.admin import ChaincodeDefinition, parse_collections
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source

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
SLOW_BLOCKS = """
cutting: timeout
channels:
  - {name: mychannel, batch: {timeout: 100ms}}
"""


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

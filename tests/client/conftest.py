"""Networks in memory that the SDK is tried on."""

import pytest

from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.client_networks import COLLECTIONS, COUNCIL, SLOW_BLOCKS, THREE_ORGANIZATIONS, deploy
from harness.network import PROBE


@pytest.fixture
async def network():
    """The test network with the chaincode probe."""
    async with Network.in_memory(development=False) as network:
        await deploy(network, PROBE, "probe")
        yield network


@pytest.fixture
async def council():
    """Three organisations with five peers and the chaincode council, which any may endorse."""
    topology = Topology.parse(THREE_ORGANIZATIONS)
    async with Network.in_memory(topology, development=False) as network:
        policy = "OR('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')"
        await deploy(network, COUNCIL, "council", policy, COLLECTIONS)
        await deploy(network, COUNCIL, "strict", policy.replace("OR", "AND"), COLLECTIONS)
        yield network


@pytest.fixture
async def slow_network():
    """The test network with blocks that are cut by time, so that transactions share one."""
    async with Network.in_memory(Topology.parse(SLOW_BLOCKS), development=False) as network:
        await deploy(network, PROBE, "probe")
        yield network

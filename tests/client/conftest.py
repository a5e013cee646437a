"""Networks in memory that the SDK is tried on."""

import pytest

from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.client_networks import (
    COLLECTIONS,
    COUNCIL,
    THREE_ORGANIZATIONS,
    deploy,
    manual_network,
)
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
async def patient_network():
    """The test network with the chaincode probe and blocks that end when told to."""
    async with manual_network(PROBE, "probe") as network:
        yield network

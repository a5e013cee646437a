"""A channel with private data: commits that wait, transient data that nobody ever commits."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gridloom.client import EndorseError
from gridloom.protos.transientstore.transientstore_pb2 import TxPvtReadWriteSetWithConfigInfo
from harness.private_network import IMPATIENT, ORG1, ORG1_SECOND, ORG2, collection, private_network


async def test_what_was_never_committed_is_forgotten_in_time():
    settings = replace(IMPATIENT, transient_retention=10)
    async with private_network(settings=settings) as network:
        transient = network.ledger(ORG1).transient
        transient.put("early", TxPvtReadWriteSetWithConfigInfo(), 1)
        while network.ledger(ORG1).height <= 18:
            await network.submit("note", "n", "v")
        transient.put("late", TxPvtReadWriteSetWithConfigInfo(), 18)
        assert transient.get("early")
        while network.ledger(ORG1).height <= 20:
            await network.submit("note", "n", "v")
        async with asyncio.timeout(60):  # who waits for a height hears of it a little sooner
            while transient.get("early"):  # noqa: ASYNC110  # the store has no event for it
                await asyncio.sleep(0.01)
        assert transient.get("late")


async def test_what_was_committed_is_forgotten_at_once():
    async with private_network() as network:
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        endorsed = await contract.new_proposal(
            "put", ["secrets", "k"], transient={"value": b"v"}
        ).endorse()
        assert network.ledger(ORG1).transient.get(endorsed.transaction_id)
        await (await endorsed.submit()).get_status()
        await network.settled()
        for name in network.peers:
            assert not network.ledger(name).transient.get(endorsed.transaction_id)


async def test_a_failed_chaincode_gives_nothing_out():
    async with private_network() as network:
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        proposal = contract.new_proposal(
            "put_then_fail", ["secrets", "k"], transient={"value": b"v"}
        )
        with pytest.raises(EndorseError, match="no luck"):
            await proposal.endorse()
        for name in network.peers:
            assert not network.ledger(name).transient.get(proposal.transaction_id)


@pytest.fixture
def patient():
    """Asks for an hour; a block that misses data waits so long."""
    return replace(IMPATIENT, pull_retry_threshold=timedelta(hours=1))


async def test_a_block_waits_for_its_data_and_stops_with_the_peer(patient):
    rules = collection(maxPeerCount=0)
    async with private_network(rules, settings=patient) as network:
        network.lose(ORG1, ORG1_SECOND)
        height = network.ledger(ORG2).height
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        await contract.submit(
            "put", ["secrets", "k"], transient={"value": b"v"}, endorsing_organizations=["Org1MSP"]
        )
        await asyncio.sleep(0.05)
        assert network.ledger(ORG1).height == height + 1
        assert network.ledger(ORG2).height == height
        async with asyncio.timeout(60):
            await network.channel(ORG2).stop()
        assert network.ledger(ORG2).height == height
        assert network.channel(ORG2).failure is None


async def test_a_waiting_block_commits_as_soon_as_its_data_come(patient):
    rules = collection(maxPeerCount=0)
    async with private_network(rules, settings=patient) as network:
        network.lose(ORG1, ORG1_SECOND)
        contract = network.access.gateway("Org1").get_network("mychannel").get_contract("vault")
        await contract.submit(
            "put", ["secrets", "k"], transient={"value": b"v"}, endorsing_organizations=["Org1MSP"]
        )
        network.lose()
        async with asyncio.timeout(60):
            await network.settled()
        assert network.clear(ORG2, "k") == b"v"
        assert network.ledger(ORG2).missing(10, 100) == []


async def test_blocks_without_private_data_do_not_wait(patient):
    async with private_network(settings=patient) as network:
        network.lose(ORG1, ORG1_SECOND)
        async with asyncio.timeout(60):
            await network.submit("note", "n", "v", org="Org2")

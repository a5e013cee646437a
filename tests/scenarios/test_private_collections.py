"""Three organisations with a shared collection and collections of their own.

(Behaviour as fabric-gateway's scenario/features/privatedata.feature describes it.)
"""

import pytest

from gridloom.client import EndorseError, GatewayError
from harness.private_network import ORG1, ORG2, ORG3, PrivateNetwork, collection, private_network

SHARED = collection(
    "shared", 1, 3, requiredPeerCount=1, maxPeerCount=1, blockToLive=1_000_000,
    memberOnlyRead=True, memberOnlyWrite=True,
)  # fmt: skip
OWN1 = collection(
    "own1", 1, maxPeerCount=1, blockToLive=3, memberOnlyRead=True,
    endorsementPolicy={"signaturePolicy": "OR('Org1MSP.member')"},
)  # fmt: skip
OWN3 = collection(
    "own3", 3, maxPeerCount=1, blockToLive=3,
    endorsementPolicy={"signaturePolicy": "OR('Org3MSP.member')"},
)  # fmt: skip


@pytest.fixture
async def network():
    async with private_network(SHARED, OWN1, OWN3) as network:
        yield network


async def submit(network: PrivateNetwork, function: str, *arguments: str, org: str = "Org1"):
    """Submit to whom the gateway finds."""
    contract = network.access.gateway(org).get_network("mychannel").get_contract("vault")
    await contract.submit(function, arguments, transient={"value": b"secret"})
    await network.settled()


async def test_a_member_writes_and_reads_its_own_collection(network):
    await network.submit("put", "own1", "k", value="secret")
    assert await network.evaluate("get", "own1", "k") == b"secret"


async def test_a_member_cannot_read_it_at_another_organisations_peer(network):
    await network.submit("put", "own1", "k", value="secret")
    with pytest.raises(GatewayError, match="private data matching public hash version"):
        await network.evaluate("get", "own1", "k", peer=ORG2, org="Org1")


async def test_another_organisation_may_write_what_it_may_not_read(network):
    await network.submit("put", "own1", "k", value="secret", org="Org2", endorsers=["Org1MSP"])
    with pytest.raises(GatewayError, match="does not have read access permission"):
        await network.evaluate("get", "own1", "k", peer=ORG1, org="Org2")
    assert await network.evaluate("get", "own1", "k") == b"secret"


async def test_a_closed_collection_is_neither_read_nor_written_by_others(network):
    await network.submit("put", "shared", "k", value="secret")
    with pytest.raises(GatewayError, match="does not have read access permission"):
        await network.evaluate("get", "shared", "k", peer=ORG1, org="Org2")
    with pytest.raises(EndorseError) as refused:
        await network.submit("put", "shared", "k", value="x", org="Org2", endorsers=["Org1MSP"])
    assert "does not have write access permission" in refused.value.details[0].message


async def test_the_gateway_keeps_a_shared_secret_among_members(network):
    await submit(network, "put", "shared", "k")
    assert await network.evaluate("get", "shared", "k") == b"secret"
    assert await network.evaluate("get", "shared", "k", peer=ORG3) == b"secret"
    assert network.clear(ORG2, "k", "shared") is None


async def test_the_gateway_finds_the_endorsers_of_several_collections(network):
    await submit(network, "put_all", '["shared","own3"]', "k")
    assert await network.evaluate("get", "shared", "k") == b"secret"
    assert await network.evaluate("get", "own3", "k", peer=ORG3) == b"secret"
    with pytest.raises(GatewayError, match="private data matching public hash version"):
        await network.evaluate("get", "own3", "k", peer=ORG1)


async def test_the_gateway_does_not_send_secrets_to_those_they_are_not_for(network):
    with pytest.raises(EndorseError) as refused:
        await submit(network, "put_all", '["own1","own3"]', "k")
    assert (
        "requires endorsement from organisation(s) that are not in the distribution policy of the "
        "private data collection(s): [own1 own3]; retry specifying trusted endorsing organizations "
        "to protect transient data" in str(refused.value)
    )
    await network.submit(
        "put_all", '["own1","own3"]', "k", value="secret", endorsers=["Org1MSP", "Org3MSP"]
    )
    assert network.clear(ORG1, "k", "own1") == network.clear(ORG3, "k", "own3") == b"secret"
    assert network.clear(ORG2, "k", "own1") is network.clear(ORG2, "k", "own3") is None


async def test_a_short_life_ends_for_hash_and_cleartext_alike(network):
    await network.submit("put", "own1", "k", value="secret")
    for _ in range(3):
        await network.submit("note", "n", "v")
    assert await network.evaluate("get", "own1", "k") == b"secret"
    await network.submit("note", "n", "v")
    assert await network.evaluate("get", "own1", "k") == b""
    assert await network.evaluate("digest", "own1", "k", peer=ORG2) == b""

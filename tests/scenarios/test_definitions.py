"""Chaincodes of several channels, and definitions that change from sequence to sequence."""

import json

import pytest

from gridloom.client import CommitError, EndorseError, GatewayError
from gridloom.client.admin import ChaincodeDefinition, EndorsementError, parse_collections
from gridloom.deploy.network import Network
from gridloom.deploy.packaging import package_source
from gridloom.deploy.topology import Topology
from harness.network import PROBE, SHELF, contract, settled_height, submit_init
from harness.private_network import VAULT, collection

DESCRIPTION = """
organizations: [{name: Org1}, {name: Org2}]
channels:
- {name: first}
- {name: second}
- {name: third, members: [Org2]}
"""
ANYBODY = "OR('Org1MSP.peer','Org2MSP.peer')"


@pytest.fixture
async def access():
    async with Network.in_memory(Topology.parse(DESCRIPTION)) as network:
        yield network.access


async def define(access, source, name, channel="first", **options):
    """Deploy, or redefine with the next sequence."""
    spec = access.topology.channel(channel)
    sequence = await access.next_sequence(spec, name)
    definition = ChaincodeDefinition(
        name,
        options.pop("version", "1.0"),
        sequence,
        options.pop("init_required", False),
        **options,
    )
    await access.deploy_chaincode(package_source(source, label=name), definition, spec)


def shelf(access, channel="first", org="Org1", name="shelf"):
    return access.gateway(org).get_network(channel).get_contract(name)


def details(error):
    return "; ".join(detail.message for detail in error.details) or str(error)


async def test_a_chaincode_reads_from_another_channel_and_writes_nothing_there(access):
    await define(access, SHELF, "shelf")
    await define(access, PROBE, "probe", "second", endorsement_policy=ANYBODY)
    await shelf(access, "second", name="probe").submit_transaction("put", "k", "there")
    await settled_height(access)
    read = ("probe/second", "get", '["k"]')
    assert await shelf(access).evaluate_transaction("relay", *read) == b"there"
    assert await shelf(access).submit_transaction("relay", *read) == b"there"
    written = await shelf(access).submit_transaction(
        "relay", "probe/second", "put", '["k", "changed"]'
    )
    assert written == b"changed"
    assert await shelf(access).evaluate_transaction("get", "relayed") == b"changed"
    assert await shelf(access).evaluate_transaction("relay", *read) == b"there"


@pytest.mark.parametrize(
    ("callee", "reason"),
    [
        ("probe/nosuch", "Failed to get policy manager for channel [nosuch]"),
        ("probe/third", "Failed to get policy manager for channel [third]"),
        ("probe/second", "chaincode probe not found"),
        ("probe", "chaincode probe not found"),
    ],
)
async def test_what_cannot_be_called_is_named(access, callee, reason):
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    with pytest.raises(GatewayError) as refused:
        await shelf(access).evaluate_transaction("relay", callee, "get", '["k"]')
    assert reason in details(refused.value)


async def test_a_chaincode_cannot_call_itself_again(access):
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    with pytest.raises(GatewayError) as refused:
        await shelf(access).evaluate_transaction("relay", "shelf", "get", '["k"]')
    assert "exists" in details(refused.value)


async def test_a_new_sequence_changes_the_policy_at_once(access):
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    await shelf(access).submit("put", ["k", "1"], endorsing_organizations=["Org1MSP"])
    await define(access, SHELF, "shelf", endorsement_policy="AND('Org1MSP.peer','Org2MSP.peer')")
    with pytest.raises(CommitError, match="ENDORSEMENT_POLICY_FAILURE"):
        await shelf(access).submit("put", ["k", "2"], endorsing_organizations=["Org1MSP"])
    await shelf(access).submit_transaction("put", "k", "3")
    assert await shelf(access).evaluate_transaction("get", "k") == b"3"


async def test_what_was_endorsed_under_an_old_definition_conflicts_with_the_new_one(access):
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    endorsed = await shelf(access).new_proposal("put", ["k", "1"]).endorse()
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    status = await (await endorsed.submit()).get_status()
    assert status.name == "MVCC_READ_CONFLICT"


async def test_init_may_be_demanded_later_and_again_for_each_version(access):
    await define(access, SHELF, "shelf", endorsement_policy=ANYBODY)
    await shelf(access).submit_transaction("put", "k", "1")
    await settled_height(access)
    await define(access, SHELF, "shelf", init_required=True, endorsement_policy=ANYBODY)
    with pytest.raises(EndorseError) as refused:
        await shelf(access).submit_transaction("put", "k", "2")
    assert "has not been initialized for this version" in details(refused.value)
    await submit_init(access, "shelf", "init", "Ann")
    await shelf(access).submit_transaction("put", "k", "2")
    await settled_height(access)
    # the same version again: it stays initialised
    await define(access, SHELF, "shelf", init_required=True, endorsement_policy=ANYBODY)
    await shelf(access).submit_transaction("put", "k", "3")
    await settled_height(access)
    await define(
        access, SHELF, "shelf", version="2.0", init_required=True, endorsement_policy=ANYBODY
    )
    with pytest.raises(EndorseError):
        await shelf(access).submit_transaction("put", "k", "4")
    await submit_init(access, "shelf", "init", "Bob")
    assert await contract(access, "shelf").evaluate_transaction("get", "owner") == b"Bob"


async def test_collections_come_with_a_definition_and_stay(access):
    secrets = parse_collections(json.dumps([collection(blockToLive=9)]))
    await define(access, VAULT, "vault", endorsement_policy=ANYBODY)
    with pytest.raises(EndorseError) as refused:
        await shelf(access, name="vault").submit("put", ["secrets", "k"], transient={"value": b"v"})
    assert "collection first/vault/secrets could not be found" in details(refused.value)
    await define(access, VAULT, "vault", endorsement_policy=ANYBODY, collections=secrets)
    await shelf(access, name="vault").submit("put", ["secrets", "k"], transient={"value": b"v"})
    await settled_height(access)
    other_life = parse_collections(json.dumps([collection(blockToLive=8)]))
    for collections, reason in (
        (None, "the proposed collection config does not contain previously defined collections"),
        (other_life, "the BlockToLive in an existing collection [secrets] modified"),
    ):
        with pytest.raises(EndorsementError) as rejected:
            await define(
                access, VAULT, "vault", endorsement_policy=ANYBODY, collections=collections
            )
        assert reason in rejected.value.message
    found = await shelf(access, name="vault").evaluate_transaction("get", "secrets", "k")
    assert found == b"v"

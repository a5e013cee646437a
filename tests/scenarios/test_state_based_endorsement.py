"""Endorsement policies of single keys, among three organisations.

(Behaviour as fabric-gateway's scenario/features/sbe.feature describes it.)
"""

import pytest

from gridloom.client import CommitError
from gridloom.deploy.network import Network
from gridloom.deploy.topology import Topology
from harness.network import SHELF, contract, deploy, settled_height

DESCRIPTION = "organizations: [{name: Org1}, {name: Org2}, {name: Org3}]"
ANYBODY = "OR('Org1MSP.member','Org2MSP.member','Org3MSP.member')"


@pytest.fixture
async def access():
    async with Network.in_memory(Topology.parse(DESCRIPTION)) as network:
        await deploy(network.access, SHELF, "shelf", policy=ANYBODY)
        yield network.access


async def guard(access, *msp_ids, by=None):
    """Guard the lamp by these organisations."""
    listed = ",".join(f'"{msp_id}"' for msp_id in msp_ids)
    shelf = contract(access, "shelf")
    await shelf.submit("guard", ["lamp", f"[{listed}]"], endorsing_organizations=by or ())
    await settled_height(access)


async def move(access, *by):
    """Change the lamp, endorsed by these organisations, or by whom the gateway finds."""
    shelf = contract(access, "shelf")
    await shelf.submit("put", ["lamp", "moved"], endorsing_organizations=by)
    await settled_height(access)


async def lamp(access):
    return await contract(access, "shelf").evaluate_transaction("get", "lamp")


async def test_the_guards_endorsement_suffices_whatever_the_chaincodes_policy(access):
    await guard(access, "Org1MSP")
    await move(access, "Org1MSP")
    assert await lamp(access) == b"moved"


@pytest.mark.parametrize(
    ("guards", "endorsers"),
    [
        (["Org1MSP"], ["Org2MSP"]),
        (["Org1MSP", "Org3MSP"], ["Org1MSP", "Org2MSP"]),
        (["Org1MSP", "Org2MSP", "Org3MSP"], ["Org2MSP", "Org3MSP"]),
    ],
)
async def test_without_all_guards_a_change_is_invalid(access, guards, endorsers):
    await guard(access, *guards)
    with pytest.raises(CommitError) as refused:
        await move(access, *endorsers)
    assert refused.value.status_name == "ENDORSEMENT_POLICY_FAILURE"
    assert await lamp(access) == b"guarded"


@pytest.mark.parametrize("guards", [["Org1MSP", "Org3MSP"], ["Org2MSP", "Org3MSP"]])
async def test_the_gateway_finds_the_guards_its_own_organisation_or_not(access, guards):
    await guard(access, *guards)
    await move(access)
    assert await lamp(access) == b"moved"


async def test_a_change_of_the_guards_needs_the_guards_of_before(access):
    await guard(access, "Org2MSP", by=["Org1MSP"])
    with pytest.raises(CommitError) as refused:
        await guard(access, "Org1MSP", by=["Org1MSP"])
    assert refused.value.status_name == "ENDORSEMENT_POLICY_FAILURE"
    await guard(access, "Org1MSP", by=["Org2MSP"])
    await move(access, "Org1MSP")
    assert await lamp(access) == b"moved"


async def test_keys_without_guards_keep_the_chaincodes_policy(access):
    await guard(access, "Org2MSP")
    shelf = contract(access, "shelf")
    await shelf.submit("put", ["table", "oak"], endorsing_organizations=["Org3MSP"])
    await settled_height(access)
    assert await shelf.evaluate_transaction("get", "table") == b"oak"


async def test_the_guards_go_with_the_key(access):
    await guard(access, "Org2MSP")
    await contract(access, "shelf").submit("remove", ["lamp"], endorsing_organizations=["Org2MSP"])
    await settled_height(access)
    await move(access, "Org1MSP")
    assert await lamp(access) == b"moved"


async def test_a_key_may_not_be_changed_in_the_block_that_changes_its_guards(access):
    await guard(access, "Org1MSP")
    shelf = contract(access, "shelf")
    endorsed = [
        await shelf.new_proposal(
            function, ["lamp", argument], endorsing_organizations=["Org1MSP"]
        ).endorse()
        for function, argument in (("guard", '["Org1MSP"]'), ("put", "moved"))
    ]
    statuses = [await commit.get_status() for commit in [await each.submit() for each in endorsed]]
    if statuses[0].block_number == statuses[1].block_number:
        assert [status.name for status in statuses] == ["VALID", "ENDORSEMENT_POLICY_FAILURE"]
    else:
        assert [status.name for status in statuses] == ["VALID", "VALID"]

"""The tree of affiliations, and what ``force`` does to it."""

from __future__ import annotations

import pytest

from gridloom.ca.affiliations import path_to, tree_of
from harness.membership import Clock, authority, client_of

DENIED = (403, 71)


@pytest.fixture
def ca():
    return client_of(authority(clock=Clock()))


@pytest.fixture
async def admin(ca):
    return await ca.enroll("admin", "adminpw")


async def outcome(ca, method, path, body=None, *, by):
    reply = await ca.ask(method, f"/affiliations{path}", body, by=by)
    return reply.status, reply.code


def test_a_tree_holds_parents_that_were_not_named():
    tree = tree_of(["a.b.c", "a.d"])
    assert list(tree.children) == ["a"]
    assert list(tree.children["a"].children) == ["a.b", "a.d"]
    assert path_to("a.b.c") == ["a", "a.b", "a.b.c"]


async def test_only_who_has_the_attribute_manages_affiliations(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    false = await ca.newcomer(admin, "bob", attrs=[{"name": "hf.AffiliationMgr", "value": "false"}])
    for who in (alice, false):
        assert await outcome(ca, "GET", "", by=who) == DENIED
        assert await outcome(ca, "POST", "", {"name": "org3"}, by=who) == DENIED


async def manager(ca, admin, affiliation):
    attrs = [
        {"name": "hf.AffiliationMgr", "value": "true"},
        {"name": "hf.Registrar.Roles", "value": "*"},
    ]
    return await ca.newcomer(admin, "manager", affiliation=affiliation, attrs=attrs)


async def test_a_manager_stays_below_its_own(ca, admin):
    some = await manager(ca, admin, "org1")
    tree = (await ca.ask("GET", "/affiliations", by=some)).result
    assert tree["name"] == "org1"
    assert [each["name"] for each in tree["affiliations"]] == [
        "org1.department1",
        "org1.department2",
    ]
    assert await outcome(ca, "POST", "", {"name": "org1.x"}, by=some) == (201, None)
    for method, path, body in (
        ("GET", "/org2", None),
        ("POST", "", {"name": "org3"}),
        ("PUT", "/org1.x", {"name": "org2.x"}),
        ("DELETE", "/org2.department1", None),
        ("DELETE", "/org1", None),
    ):
        assert await outcome(ca, method, path, body, by=some) == DENIED


async def test_a_prefix_that_is_no_parent_is_something_else(ca, admin):
    for name in ("org1x", "ORG1", "org1x.y"):
        assert await outcome(ca, "POST", "", {"name": name}, by=admin) == (201, None)
    tree = (await ca.ask("GET", "/affiliations/org1", by=admin)).result
    assert len(tree["affiliations"]) == 2


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a." * 600 + "a"])
async def test_names_with_empty_parts_or_without_end_are_refused(ca, admin, name):
    assert await outcome(ca, "POST", "?force=true", {"name": name}, by=admin) == (400, 60)


async def test_renaming_moves_what_is_below(ca, admin):
    await ca.ask("POST", "/affiliations?force=true", {"name": "org1.department1.a.b"}, by=admin)
    moved = await ca.ask("PUT", "/affiliations/org1.department1", {"name": "org3"}, by=admin)
    assert moved.result == {
        "name": "org3",
        "affiliations": [{"name": "org3.a", "affiliations": [{"name": "org3.a.b"}]}],
        "caname": "ca-org1",
    }
    assert await outcome(ca, "GET", "/org1.department1", by=admin) == (404, 63)


async def test_renaming_takes_identities_along_by_force_only(ca, admin):
    await ca.register(admin, "alice", affiliation="org1.department1")
    change = {"name": "org1.sales"}
    assert await outcome(ca, "PUT", "/org1.department1", change, by=admin) == (400, 64)
    reply = await ca.ask("PUT", "/affiliations/org1.department1?force=true", change, by=admin)
    (alice,) = reply.result["identities"]
    assert alice["affiliation"] == "org1.sales"
    assert {"name": "hf.Affiliation", "value": "org1.sales", "ecert": True} in alice["attrs"]
    assert (await ca.ask("GET", "/identities/alice", by=admin)).result["affiliation"] == (
        "org1.sales"
    )


@pytest.mark.parametrize("new", ["org2", "org1", "org1.department2"])
async def test_renaming_onto_another_is_refused(ca, admin, new):
    assert await outcome(ca, "PUT", "/org1", {"name": new}, by=admin) == (409, 64)


async def test_removal_of_more_than_one_thing_needs_force(ca, admin):
    alice = await ca.newcomer(admin, "alice", affiliation="org2.department1")
    assert await outcome(ca, "DELETE", "/org2", by=admin) == DENIED
    assert await outcome(ca, "DELETE", "/org2.department1", by=admin) == DENIED
    reply = await ca.ask("DELETE", "/affiliations/org2?force=true", by=admin)
    (below,) = reply.result["affiliations"]
    assert [each["id"] for each in below["identities"]] == ["alice"]
    assert (await ca.ask("GET", "/identities/alice", by=admin)).code == 63
    assert (await ca.ask("GET", "/identities", by=alice)).code == 20
    assert await outcome(ca, "DELETE", "/org2", by=admin) == (404, 63)


async def test_removal_has_to_be_allowed():
    ca = client_of(authority(clock=Clock(), may_remove_affiliations=False))
    admin = await ca.enroll("admin", "adminpw")
    assert await outcome(ca, "DELETE", "/org2.department1", by=admin) == DENIED
    ca = client_of(authority(clock=Clock(), may_remove_identities=False))
    admin = await ca.enroll("admin", "adminpw")
    await ca.register(admin, "alice", affiliation="org2.department1")
    assert await outcome(ca, "DELETE", "/org2.department1?force=1", by=admin) == DENIED


async def test_a_ca_without_affiliations_says_so():
    ca = client_of(authority(clock=Clock(), affiliations=()))
    admin = await ca.enroll("admin", "adminpw")
    assert await outcome(ca, "GET", "", by=admin) == (404, 16)
    assert await outcome(ca, "POST", "", {"name": "a"}, by=admin) == (201, None)
    assert (await ca.ask("GET", "/affiliations", by=admin)).result == {
        "name": "a",
        "caname": "ca-org1",
    }

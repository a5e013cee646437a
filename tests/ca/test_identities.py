"""Identities seen, changed and removed by registrars."""

from __future__ import annotations

import json

import pytest

from harness.membership import Clock, authority, client_of

DENIED = (403, 71)


@pytest.fixture
def ca():
    return client_of(authority(clock=Clock()))


@pytest.fixture
async def admin(ca):
    return await ca.enroll("admin", "adminpw")


async def outcome(ca, method, path, body=None, *, by):
    reply = await ca.ask(method, path, body, by=by)
    return reply.status, reply.code


async def test_a_registrar_sees_its_own_types_and_affiliations(ca, admin):
    attrs = [{"name": "hf.Registrar.Roles", "value": "client"}]
    some = await ca.newcomer(admin, "registrar", affiliation="org1", attrs=attrs)
    await ca.register(admin, "alice", affiliation="org1.department1")
    await ca.register(admin, "peer0", affiliation="org1", type="peer")
    await ca.register(admin, "bob", affiliation="org2")
    listed = (await ca.ask("GET", "/identities", by=some)).result
    assert [each["id"] for each in listed["identities"]] == ["alice", "registrar"]
    assert await outcome(ca, "GET", "/identities/alice", by=some) == (200, None)
    for other in ("peer0", "bob", "admin"):
        assert await outcome(ca, "GET", f"/identities/{other}", by=some) == DENIED


async def test_long_lists_come_in_pieces_that_are_one_document():
    ca = client_of(authority(clock=Clock(), identities_per_chunk=3))
    admin = await ca.enroll("admin", "adminpw")
    names = [f"user{number:02}" for number in range(8)]
    for name in names:
        await ca.register(admin, name)
    listed = (await ca.ask("GET", "/identities", by=admin)).result["identities"]
    assert [each["id"] for each in listed] == ["admin", *names]


async def test_changes_touch_only_what_they_name(ca, admin):
    attrs = [{"name": "role", "value": "BU", "ecert": True}, {"name": "x", "value": "1"}]
    await ca.register(admin, "alice", affiliation="org1", attrs=attrs, max_enrollments=3)
    before = (await ca.ask("GET", "/identities/alice", by=admin)).result
    assert (await ca.ask("PUT", "/identities/alice", {}, by=admin)).result == before
    change = {"type": "peer", "attrs": [{"name": "x", "value": ""}], "max_enrollments": -2}
    after = (await ca.ask("PUT", "/identities/alice", change, by=admin)).result
    assert (after["type"], after["affiliation"]) == ("peer", "org1")
    assert "max_enrollments" not in after, "Go leaves a zero out"
    listed = (await ca.ask("GET", "/identities/alice", by=admin)).result
    assert listed["max_enrollments"] == 0
    values = {each["name"]: each["value"] for each in after["attrs"]}
    assert values == {
        "role": "BU",
        "hf.EnrollmentID": "alice",
        "hf.Type": "peer",
        "hf.Affiliation": "org1",
    }


async def test_the_root_affiliation_is_a_dot(ca, admin):
    await ca.register(admin, "alice", affiliation="org1")
    after = (await ca.ask("PUT", "/identities/alice", {"affiliation": "."}, by=admin)).result
    assert after["affiliation"] == ""
    assert "hf.Affiliation" not in {each["name"] for each in after["attrs"]}


async def test_a_registrar_cannot_lift_anybody_beyond_itself(ca, admin):
    attrs = [
        {"name": "hf.Registrar.Roles", "value": "client"},
        {"name": "hf.Registrar.Attributes", "value": "role"},
    ]
    some = await ca.newcomer(admin, "registrar", affiliation="org1", attrs=attrs)
    await ca.register(some, "alice")
    for change in (
        {"type": "peer"},
        {"affiliation": "org2"},
        {"affiliation": "."},
        {"attrs": [{"name": "hf.Revoker", "value": "true"}]},
        {"attrs": [{"name": "other", "value": "x"}]},
        {"attrs": [{"name": "hf.Registrar.Roles", "value": "client,peer"}]},
    ):
        for target in ("alice", "registrar"):
            answer = await outcome(ca, "PUT", f"/identities/{target}", change, by=some)
            assert answer == DENIED, change
    change = {"attrs": [{"name": "role", "value": "BU"}], "affiliation": "org1.department1"}
    assert await outcome(ca, "PUT", "/identities/alice", change, by=some) == (200, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"affiliation": "nosuch"}, 58),
        ({"max_enrollments": -3}, 82),
        ({"attrs": [{"name": 1}]}, 5),
    ],
    ids=str,
)
async def test_changes_that_make_no_sense_are_refused(ca, admin, change, code):
    await ca.register(admin, "alice")
    assert await outcome(ca, "PUT", "/identities/alice", change, by=admin) == (400, code)


async def test_removal_revokes_and_has_to_be_allowed(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    assert await outcome(ca, "DELETE", "/identities/alice", by=admin) == (200, None)
    assert await outcome(ca, "GET", "/identities/alice", by=admin) == (404, 63)
    revoked = (await ca.ask("GET", "/certificates?id=alice&notrevoked=true", by=admin)).result
    assert revoked["certs"] == []
    assert await outcome(ca, "GET", "/cainfo", by=alice) == (200, None)
    strict = client_of(authority(clock=Clock(), may_remove_identities=False))
    admin = await strict.enroll("admin", "adminpw")
    assert await outcome(strict, "DELETE", "/identities/admin", by=admin) == (403, 56)


async def test_oneself_is_removed_by_force_only(ca, admin):
    assert await outcome(ca, "DELETE", "/identities/admin", by=admin) == (403, 56)
    path = "/identities/admin?force=perhaps"
    assert await outcome(ca, "DELETE", path, by=admin) == (400, 61)
    assert await outcome(ca, "DELETE", "/identities/admin?force=True", by=admin) == (200, None)


async def test_an_identity_that_is_removed_may_come_again_but_its_certificates_do_not(ca, admin):
    attrs = [{"name": "hf.Registrar.Roles", "value": "client"}]
    old = await ca.newcomer(admin, "alice", attrs=attrs)
    await ca.ask("DELETE", "/identities/alice", by=admin)
    new = await ca.newcomer(admin, "alice", attrs=attrs)
    assert await outcome(ca, "GET", "/identities", by=new) == (200, None)
    assert await outcome(ca, "GET", "/identities", by=old) == (401, 20)


async def test_no_answer_tells_a_secrets_hash(ca, admin):
    await ca.register(admin, "alice")
    for path in ("/identities", "/identities/alice", "/affiliations"):
        text = json.dumps((await ca.ask("GET", path, by=admin)).body)
        assert "argon2" not in text
        assert "secret" not in text

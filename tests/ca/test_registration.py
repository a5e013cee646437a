"""Registrars register what their attributes, their type and their affiliation allow."""

from __future__ import annotations

import asyncio

import pytest

from harness.membership import Clock, authority, client_of

DENIED = (403, 71)


@pytest.fixture
def ca():
    return client_of(authority(clock=Clock()))


@pytest.fixture
async def admin(ca):
    return await ca.enroll("admin", "adminpw")


async def registrar(ca, admin, name="registrar", affiliation="org1", **attributes):
    attributes = {"hf.Registrar.Roles": "client,peer", **attributes}
    attrs = [{"name": name, "value": value} for name, value in attributes.items()]
    return await ca.newcomer(admin, name, affiliation=affiliation, attrs=attrs)


async def outcome(ca, by, **body):
    reply = await ca.ask("POST", "/register", body, by=by)
    return reply.status, reply.code


async def test_type_and_affiliation_default_to_the_registrars(ca, admin):
    some = await registrar(ca, admin, affiliation="org1.department1")
    await ca.register(some, "alice")
    identity = (await ca.ask("GET", "/identities/alice", by=admin)).result
    assert (identity["type"], identity["affiliation"]) == ("client", "org1.department1")


async def test_a_registrar_stays_within_its_affiliation(ca, admin):
    some = await registrar(ca, admin)
    assert await outcome(ca, some, id="a", affiliation="org1") == (201, None)
    assert await outcome(ca, some, id="b", affiliation="org1.department1") == (201, None)
    for affiliation in ("org2", ".", "org", "org1.nosuch", "ORG1"):
        assert await outcome(ca, some, id="c", affiliation=affiliation) == DENIED


async def test_a_registrar_stays_within_its_roles(ca, admin):
    some = await registrar(ca, admin)
    assert await outcome(ca, some, id="a", type="peer") == (201, None)
    assert await outcome(ca, some, id="b", type="PEER") == (201, None)
    assert await outcome(ca, some, id="c", type="orderer") == DENIED


async def test_a_registrar_gives_the_attributes_it_may(ca, admin):
    some = await registrar(ca, admin, **{"hf.Registrar.Attributes": "role,app.*"})
    for name, expected in (("role", (201, None)), ("app.x", (201, None)), ("other", DENIED)):
        attrs = [{"name": name, "value": "v"}]
        assert await outcome(ca, some, id=name, attrs=attrs) == expected


async def test_the_root_affiliation_is_a_dot(ca, admin):
    secret = await ca.register(admin, "top", affiliation=".", type="orderer")
    identity = (await ca.ask("GET", "/identities/top", by=admin)).result
    assert identity["affiliation"] == ""
    top = await ca.enroll("top", secret)
    assert top.certificate.organizational_units == ("orderer",)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 75),
        ({"id": ""}, 75),
        ({"id": "x" * 256}, 75),
        ({"id": "a\x00b"}, 5),
        ({"id": 7}, 5),
        ({"id": "a", "max_enrollments": "many"}, 5),
        ({"id": "a", "max_enrollments": 2**40}, 5),
        ({"id": "a", "max_enrollments": -2}, 82),
        ({"id": "a", "attrs": {"role": "x"}}, 5),
        ({"id": "a", "attrs": ["role"]}, 5),
        ([], 5),
        ("text", 5),
    ],
    ids=str,
)
async def test_what_is_no_registration_is_refused(ca, admin, body, code):
    reply = await ca.ask("POST", "/register", body, by=admin)
    assert (reply.status, reply.code) == (400, code)


async def test_fields_match_in_any_case_as_in_go(ca, admin):
    body = {"ID": "alice", "Secret": "alicepw", "CaName": "ca-org1", "Affiliation": "org1"}
    assert (await ca.ask("POST", "/register", body, by=admin)).result == {"secret": "alicepw"}


async def test_names_of_all_kinds_are_kept(ca, admin):
    for name in ("Zoë", "a b", "ä/b?c=d&e%", "\U0001f50b", "\ud800x"):
        reply = await ca.ask("POST", "/register", {"id": name}, by=admin)
        assert reply.status == 201
    listed = (await ca.ask("GET", "/identities", by=admin)).result["identities"]
    assert {"Zoë", "a b", "\U0001f50b", "\ufffdx"} <= {each["id"] for each in listed}


async def test_the_place_of_the_new_identity_is_told(ca, admin):
    reply = await ca.ask("POST", "/register", {"id": "a b/ö"}, by=admin)
    assert reply.headers["location"] == "/api/v1/identities/a%20b%2F%C3%B6"


async def test_of_many_registrations_of_one_name_one_succeeds(ca, admin):
    outcomes = await asyncio.gather(*(outcome(ca, admin, id="alice") for _ in range(5)))
    assert sorted(status for status, _ in outcomes) == [201, 409, 409, 409, 409]


async def test_an_empty_body_is_named_so(ca, admin):
    reply = await ca.ask("POST", "/register", by=admin)
    assert (reply.status, reply.code) == (400, 4)

"""Revoking certificates and identities, and the lists that tell networks of it."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography import x509

from harness.membership import Clock, authority, client_of

DENIED = (403, 71)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(clock):
    return client_of(authority(clock=clock))


@pytest.fixture
async def admin(ca):
    return await ca.enroll("admin", "adminpw")


def numbers(who):
    key_id = who.certificate.extension(x509.AuthorityKeyIdentifier).key_identifier
    return {"serial": f"{who.certificate.serial_number:x}", "aki": key_id.hex()}


async def outcome(ca, body, *, by, path="/revoke"):
    reply = await ca.ask("POST", path, body, by=by)
    return reply.status, reply.code


def listed(reply):
    crl = x509.load_pem_x509_crl(base64.b64decode(reply.result["CRL"]))
    return {entry.serial_number for entry in crl}


async def test_an_identity_is_revoked_with_all_it_holds(ca, admin):
    secret = await ca.register(admin, "alice")
    first, second = await ca.enroll("alice", secret), await ca.enroll("alice", secret)
    reply = await ca.ask("POST", "/revoke", {"id": "alice", "gencrl": True}, by=admin)
    assert [each["Serial"] for each in reply.result["RevokedCerts"]] == [
        numbers(first)["serial"],
        numbers(second)["serial"],
    ]
    assert listed(reply) == {first.certificate.serial_number, second.certificate.serial_number}
    again = await ca.ask("POST", "/revoke", {"id": "alice", "gencrl": True}, by=admin)
    assert again.result == {"RevokedCerts": None, "CRL": ""}
    body = {"certificate_request": "x"}
    assert (await ca.ask("POST", "/enroll", body, basic=f"alice:{secret}")).code == 20


async def test_numbers_may_be_written_in_any_way(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    wanted = {name: f"00:{value.upper()}" for name, value in numbers(alice).items()}
    reply = await ca.ask("POST", "/revoke", wanted, by=admin)
    assert reply.result["RevokedCerts"] == [
        {"Serial": numbers(alice)["serial"], "AKI": numbers(alice)["aki"].lstrip("0")}
    ]
    assert await outcome(ca, wanted, by=admin) == (404, 66)


async def test_everybody_revokes_what_is_their_own(ca, admin):
    alice, bob = await ca.newcomer(admin, "alice"), await ca.newcomer(admin, "bob")
    assert await outcome(ca, {"id": "bob"}, by=alice) == DENIED
    assert await outcome(ca, numbers(bob), by=alice) == DENIED
    assert await outcome(ca, numbers(alice), by=alice) == (200, None)
    assert await outcome(ca, {"id": "bob"}, by=bob) == (200, None)


async def test_a_revoker_stays_within_its_affiliation_and_types(ca, admin):
    attrs = [
        {"name": "hf.Revoker", "value": "true"},
        {"name": "hf.Registrar.Roles", "value": "client"},
    ]
    some = await ca.newcomer(admin, "revoker", affiliation="org1", attrs=attrs)
    near = await ca.newcomer(admin, "near", affiliation="org1.department1")
    far = await ca.newcomer(admin, "far", affiliation="org2")
    peer = await ca.newcomer(admin, "peer0", affiliation="org1", type="peer")
    assert await outcome(ca, numbers(near), by=some) == (200, None)
    for other in (far, peer):
        assert await outcome(ca, numbers(other), by=some) == DENIED
        assert await outcome(ca, {"id": other.id}, by=some) == DENIED


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, 15)),
        ({"serial": "1"}, (400, 15)),
        ({"aki": "1", "reason": "keycompromise"}, (400, 15)),
        ({"serial": "0", "aki": "0"}, (400, 15)),
        ({"serial": "1", "aki": "1"}, (404, 8)),
        ({"serial": "zz", "aki": "\udfff"}, (404, 8)),
        ({"id": "nosuch"}, (404, 10)),
        ({"id": ["x"]}, (400, 5)),
    ],
    ids=str,
)
async def test_what_cannot_be_revoked(ca, admin, body, expected):
    assert await outcome(ca, body, by=admin) == expected


async def test_a_certificate_of_somebody_else_than_named(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    body = {**numbers(alice), "id": "admin"}
    assert await outcome(ca, body, by=admin) == (400, 9)


async def test_lists_are_signed_for_those_who_may_ask(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    assert await outcome(ca, {}, by=alice, path="/gencrl") == DENIED
    reply = await ca.ask("POST", "/gencrl", {"caname": "ca-org1"}, by=admin)
    assert listed(reply) == set()


async def test_lists_by_time_of_revocation_and_expiry(ca, admin, clock):
    numbers_of = {}
    for name in ("one", "two", "three"):
        clock.advance(hours=1)
        who = await ca.newcomer(admin, name)
        await ca.ask("POST", "/revoke", {"id": name}, by=admin)
        numbers_of[name] = who.certificate.serial_number

    async def crl(**times):
        return listed(await ca.ask("POST", "/gencrl", times, by=admin))

    day = "2026-11-20T"
    assert await crl() == set(numbers_of.values())
    assert await crl(revokedafter=f"{day}11:00:00Z") == {numbers_of["two"], numbers_of["three"]}
    assert await crl(revokedbefore=f"{day}12:00:00+01:00") == {numbers_of["one"]}
    assert await crl(revokedafter="0001-01-01T00:00:00Z") == set(numbers_of.values())
    assert await crl(expireafter="2028-01-01T00:00:00Z") == set()
    assert await crl(expirebefore="2028-01-01T00:00:00Z") == set(numbers_of.values())


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"revokedafter": "2026-01-02T00:00:00Z", "revokedbefore": "2026-01-01T00:00:00Z"}, 36),
        ({"expireafter": "2026-01-02T00:00:00Z", "expirebefore": "2026-01-01T00:00:00Z"}, 37),
        ({"revokedafter": "yesterday"}, 5),
        ({"revokedafter": "2026-01-01"}, 5),
        ({"revokedafter": "0001-01-01T00:00:00+23:00"}, 5),
        ({"revokedafter": 7}, 5),
    ],
    ids=str,
)
async def test_times_that_make_no_sense(ca, admin, times, code):
    assert await outcome(ca, times, by=admin, path="/gencrl") == (400, code)


async def test_the_list_ends_when_the_settings_say(clock):
    ca = client_of(authority(clock=clock, crl_expiry=timedelta(hours=2)))
    admin = await ca.enroll("admin", "adminpw")
    reply = await ca.ask("POST", "/gencrl", {}, by=admin)
    crl = x509.load_pem_x509_crl(base64.b64decode(reply.result["CRL"]))
    assert crl.next_update_utc == clock() + timedelta(hours=2)

"""What the CA has issued, found by owner, number and time."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from gridloom.common.certificates import parse_pem
from harness.membership import Clock, authority, client_of

DENIED = (403, 71)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(clock):
    return client_of(authority(clock=clock, certificates_per_chunk=2))


@pytest.fixture
async def admin(ca):
    return await ca.enroll("admin", "adminpw")


async def found(ca, by, **filters):
    query = "&".join(f"{name}={quote(str(value))}" for name, value in filters.items())
    reply = await ca.ask("GET", f"/certificates?{query}", by=by)
    return [parse_pem(each["PEM"].encode()).common_name for each in reply.result["certs"]]


async def test_all_in_the_order_of_issue_whatever_the_size_of_a_piece(ca, admin):
    names = ["zoe", "alice", "max", "bob"]
    for name in names:
        await ca.newcomer(admin, name)
    assert await found(ca, admin) == ["admin", *names]


async def test_by_owner_and_number(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    serial = f"{alice.certificate.serial_number:x}"
    assert await found(ca, admin, id="alice") == ["alice"]
    assert await found(ca, admin, serial=f"00{serial.upper()}") == ["alice"]
    assert await found(ca, admin, serial=serial, id="admin") == []
    assert await found(ca, admin, id="a%b\x00") == []


async def test_by_times(ca, admin, clock):
    await ca.newcomer(admin, "alice")
    clock.advance(days=2)
    await ca.ask("POST", "/revoke", {"id": "alice"}, by=admin)
    assert await found(ca, admin, notrevoked="true") == ["admin"]
    assert await found(ca, admin, revoked_start="-1d") == ["alice"]
    assert await found(ca, admin, revoked_start="+1h") == []
    assert await found(ca, admin, revoked_end="-24h") == []
    assert await found(ca, admin, revoked_start="2026-11-22", revoked_end="+0s") == ["alice"]
    assert await found(ca, admin, expired_end="2027-11-20T09:42:00Z") == ["admin", "alice"]
    assert await found(ca, admin, expired_start="+400d") == []
    assert await found(ca, admin, notexpired="1") == ["admin", "alice"]


async def test_those_below_the_callers_affiliation(ca, admin):
    attrs = [{"name": "hf.Revoker", "value": "true"}]
    some = await ca.newcomer(admin, "revoker", affiliation="org1", attrs=attrs)
    await ca.newcomer(admin, "near", affiliation="org1.department1")
    await ca.newcomer(admin, "far", affiliation="org2")
    assert await found(ca, some) == ["revoker", "near"]


async def test_only_registrars_and_revokers_ask(ca, admin):
    alice = await ca.newcomer(admin, "alice")
    for method in ("GET", "DELETE"):
        reply = await ca.ask(method, "/certificates", by=alice)
        assert (reply.status, reply.code) == DENIED


async def test_removal_is_not_implemented_as_in_fabric_ca(ca, admin):
    reply = await ca.ask("DELETE", "/certificates", by=admin)
    assert (reply.status, reply.code, reply.message) == (500, 0, "DELETE Not Implemented")


@pytest.mark.parametrize(
    "query",
    [
        "notexpired=true&expired_start=-1d",
        "notrevoked=1&revoked_end=-1d",
        "revoked_start=yesterday",
        "revoked_start=-1y",
        "revoked_start=%2B99999999999d",
        "revoked_start=-",
        "expired_end=2026-13-01",
        "notexpired=perhaps",
    ],
)
async def test_filters_that_make_no_sense(ca, admin, query):
    reply = await ca.ask("GET", f"/certificates?{query}", by=admin)
    assert (reply.status, reply.code) == (400, 67)


async def test_the_name_of_the_ca_is_repeated_if_it_was_given(ca, admin):
    assert (await ca.ask("GET", "/certificates", by=admin)).result["caname"] == ""
    reply = await ca.ask("GET", "/certificates?ca=ca-org1", by=admin)
    assert reply.result["caname"] == "ca-org1"

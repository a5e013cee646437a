"""Who is let in by a token: certificates of this CA, valid now, of identities in good standing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridloom.ca.certificate_records import CertificateFilter
from gridloom.ca.subjects import Subject
from harness.membership import (
    Clock,
    Enrolled,
    authority,
    client_of,
    issuer,
    new_key,
    signing_request,
)

ALICES = CertificateFilter(id="alice")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(clock):
    return client_of(authority(clock=clock))


async def refusal(ca, who) -> tuple[int, int]:
    reply = await ca.ask("GET", "/identities", by=who)
    return reply.status, reply.code


async def test_a_certificate_opens_the_door_only_in_its_time(ca, clock):
    admin = await ca.enroll("admin", "adminpw")
    later = await ca.enroll("admin", "adminpw", NotBefore="2026-11-21T00:00:00Z")
    assert await refusal(ca, later) == (401, 20)
    clock.advance(days=1)
    assert await refusal(ca, later) == (200, None)
    assert await refusal(ca, admin) == (200, None)
    clock.advance(days=365)
    assert await refusal(ca, admin) == (401, 20)


async def test_an_expired_certificate_reenrolls_only_where_the_settings_say_so(clock):
    for ignored, status in ((False, 401), (True, 201)):
        start = Clock()
        ca = client_of(authority(clock=start, reenroll_ignores_expiry=ignored))
        admin = await ca.enroll("admin", "adminpw")
        start.advance(days=400)
        body = {"certificate_request": signing_request("admin", new_key())}
        assert (await ca.ask("POST", "/reenroll", body, by=admin)).status == status
        assert await refusal(ca, admin) == (401, 20)


async def test_a_certificate_of_another_ca_is_not_trusted(ca, clock):
    key = new_key()
    forged = issuer(clock).issue(key.public_key(), Subject("admin"))
    assert await refusal(ca, Enrolled("admin", key, forged)) == (401, 20)


async def test_a_certificate_the_ca_does_not_know_is_not_trusted(clock):
    """One that its key signed, but that is not in the database, such as of a lost backup."""
    one = authority(clock=clock)
    ca = client_of(one)
    key = new_key()
    unknown = one._issuer.issue(key.public_key(), Subject("admin"))
    assert await refusal(ca, Enrolled("admin", key, unknown)) == (401, 20)


async def test_who_is_revoked_is_out_at_once(ca):
    admin = await ca.enroll("admin", "adminpw")
    registrar = await ca.newcomer(
        admin, "registrar", attrs=[{"name": "hf.Registrar.Roles", "value": "client"}]
    )
    assert await refusal(ca, registrar) == (200, None)
    await ca.ask("POST", "/revoke", {"id": "registrar"}, by=admin)
    assert await refusal(ca, registrar) == (401, 20)


async def test_a_revoked_identity_is_out_even_with_a_certificate_that_is_not(clock):
    """As after a restored backup of an older state of the certificates."""
    one = authority(clock=clock)
    ca = client_of(one)
    admin = await ca.enroll("admin", "adminpw")
    with one.database.write() as store:
        store.identities.revoke("admin")
    assert await refusal(ca, admin) == (401, 20)
    with one.database.write() as store:
        store.identities.replace(replace(store.identities.get("admin"), state=0))
    assert await refusal(ca, admin) == (200, None)


async def test_who_is_removed_is_out(ca):
    admin = await ca.enroll("admin", "adminpw")
    reply = await ca.ask("DELETE", "/identities/admin?force=true", by=admin)
    assert reply.result["id"] == "admin"
    assert await refusal(ca, admin) == (401, 20)


@pytest.mark.parametrize("path", ["/enroll", "/reenroll"])
async def test_who_is_revoked_while_a_certificate_is_made_does_not_get_it(clock, path, monkeypatch):
    one = authority(clock=clock)
    ca = client_of(one)
    alice = await ca.newcomer(await ca.enroll("admin", "adminpw"), "alice", secret="pw")
    certify = one.certify

    def slowly(*arguments):
        with one.database.write() as store:
            store.identities.revoke("alice")
            store.certificates.revoke_of(["alice"], 0, clock())
        return certify(*arguments)

    monkeypatch.setattr(one, "certify", slowly)
    body = {"certificate_request": signing_request("alice", new_key())}
    how = {"by": alice} if path == "/reenroll" else {"basic": "alice:pw"}
    assert (await ca.ask("POST", path, body, **how)).code == 20
    with one.database.read() as store:
        assert all(each.is_revoked for each in store.certificates.page(1, 9, ALICES))


async def test_the_old_token_form_needs_the_setting(clock):
    for compatible, status in ((False, 401), (True, 201)):
        ca = client_of(authority(clock=clock), compatible_1_3=compatible)
        admin = await ca.enroll("admin", "adminpw")
        body = b'{"id": "alice"}'
        headers = {"Authorization": admin.token("", "", body, old=True)}
        answer = await ca.send("POST", "/register", body, headers)
        assert answer.status == status


async def test_idemix_tokens_are_refused(ca):
    refused = await ca.ask("GET", "/identities", headers={"Authorization": "idemix.1.a.b.c"})
    assert (refused.status, refused.code) == (401, 20)


async def test_idemix_credentials_are_not_issued_and_it_says_so(ca):
    assert (await ca.ask("POST", "/idemix/credential", {})).code == 2
    for path in ("/idemix/credential", "/api/v1/idemix/cri"):
        reply = await ca.ask("POST", path, {}, basic="admin:adminpw")
        assert reply.status == 501
        assert "not issued here" in reply.message


async def test_the_log_tells_what_the_caller_is_not_told_and_no_secret(ca, caplog):
    caplog.set_level("DEBUG")
    admin = await ca.enroll("admin", "adminpw")
    await ca.register(admin, "alice", secret="open sesame")
    await ca.ask("POST", "/enroll", {}, basic="alice:wrong secret")
    await ca.ask("POST", "/enroll", {}, basic="nobody\n200 OK:x")
    await ca.ask("POST", "/register", {"id": "alice", "secret": ["s3cret"]}, by=admin)
    assert "wrong secret for 'alice'" in caplog.text
    assert "there is no identity 'nobody\\\\n200 OK'" in caplog.text
    for secret in ("adminpw", "open sesame", "alice:wrong secret", "s3cret", "BEGIN"):
        assert secret not in caplog.text

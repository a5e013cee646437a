"""The interface over HTTP: several CAs, TLS, pages, odd requests, health."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest

from gridloom.ca.authority import AuthorityUnusable
from gridloom.ca.database import Database
from gridloom.ca.issuer import Profile
from gridloom.ca.server import CaServer
from gridloom.ca.service import Endpoint, Service
from gridloom.ca.subjects import Subject
from gridloom.ca.web import MAX_BODY, application
from gridloom.common.keystore import key_pem
from gridloom.common.operations import Operations
from gridloom.common.operations import application as operations
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.common.tls_context import client_context
from harness.membership import (
    SETTINGS,
    CaClient,
    Clock,
    authority,
    client_of,
    issuer,
    new_key,
    signing_request,
)
from harness.web import Direct, Web


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_several_cas_by_name(clock):
    one, two = (authority(clock=clock, name=name) for name in ("one", "two"))
    ca = client_of(one, two)
    for body, query, name in (
        (None, "", "one"),
        ({"caname": "two"}, "", "two"),
        ({"CAName": "two"}, "", "two"),
        ({"caname": "one"}, "?ca=two", "two"),
    ):
        reply = await ca.ask("POST", f"/cainfo{query}", body)
        assert reply.result["CAName"] == name
    admin = await ca.enroll("admin", "adminpw", caname="two")
    assert admin.certificate.is_issued_by(two.certificate)
    assert (await ca.ask("GET", "/identities?ca=two", by=admin)).result["caname"] == "two"
    assert (await ca.ask("GET", "/identities", by=admin)).code == 20
    assert (await ca.ask("GET", "/identities?ca=three", by=admin)).code == 19


def test_two_cas_of_one_name_are_refused(clock):
    with pytest.raises(AuthorityUnusable, match="another CA has this name"):
        Service([authority(clock=clock), authority(clock=clock)])


async def test_both_paths_lead_to_the_same(clock):
    ca = client_of(authority(clock=clock))
    admin = await ca.enroll("admin", "adminpw")
    for path in ("/identities/admin", "/api/v1/identities/admin"):
        assert (await ca.ask("GET", path, by=admin)).result["id"] == "admin"
    assert (await ca.ask("GET", "/api/v2/cainfo")).status == 404
    assert (await ca.ask("GET", "/identities/", by=admin)).status == 404


@pytest.mark.parametrize("endpoint", list(Endpoint), ids=lambda each: each.value)
async def test_other_methods_are_refused_in_fabric_cas_words(clock, endpoint):
    ca = client_of(authority(clock=clock))
    for base in ("/", "/api/v1/"):
        reply = await ca.ask("PATCH", base + endpoint.value)
        assert (reply.status, reply.code) == (405, 1)
        assert reply.message == "Method PATCH is not allowed"


async def test_head_of_the_info_is_empty(clock):
    answer = await client_of(authority(clock=clock)).send("HEAD", "/cainfo", None, None)
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, 5),
        (b"[1]", 400, 5),
        (b"\xff\xfe", 400, 5),
        (b"[" * 100_000, 400, 5),
        (b'{"caname": 7}', 400, 5),
        (b'{"caname": "a\\u0000"}', 400, 5),
        (b"x" * (MAX_BODY + 1), 413, 3),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_bodies_that_are_no_json(clock, body, status, code):
    answer = await client_of(authority(clock=clock)).send("POST", "/cainfo", body, None)
    assert answer.status == status
    assert json.loads(answer.body)["errors"][0]["code"] == code


async def test_a_secret_in_a_bad_body_is_not_repeated(clock):
    ca = client_of(authority(clock=clock))
    admin = await ca.enroll("admin", "adminpw")
    reply = await ca.ask("POST", "/register", {"id": 1, "secret": "s3cret"}, by=admin)
    assert reply.status == 400
    assert "s3cret" not in json.dumps(reply.body)


async def test_a_query_is_signed_too_and_a_lone_question_mark_does_no_harm(clock):
    ca = client_of(authority(clock=clock))
    admin = await ca.enroll("admin", "adminpw")
    for path in ("/certificates?", "/certificates?id=a%20b&x=%C3%A4", "/identities/a%2Fb"):
        assert (await ca.ask("GET", path, by=admin)).status in {200, 404}
    headers = {"Authorization": admin.token("GET", "/certificates?id=other")}
    assert (await ca.ask("GET", "/certificates?id=admin", headers=headers)).code == 20


async def test_pages_of_other_origins_may_ask_where_the_settings_say_so(clock):
    service = Service([authority(clock=clock)])
    headers = {"Origin": "https://console.example.com"}
    for origins, allowed in (((), None), (["https://console.example.com"], headers["Origin"])):
        send = Direct(application(service, origins=origins))
        answer = await send("GET", "/cainfo", None, headers)
        assert answer.headers.get("access-control-allow-origin") == allowed


async def test_over_tls_with_chunks(clock):
    root = issuer(Clock(datetime.now(UTC)))  # TLS knows no other time
    key = new_key()
    hosts = ["localhost", "127.0.0.1"]
    shown = root.issue(key.public_key(), Subject("localhost"), hosts=hosts, profile=Profile.TLS)
    tls = ServerTls(shown.pem(), key_pem(key))
    service = Service([authority(clock=clock, identities_per_chunk=2)])
    server = CaServer(service, "127.0.0.1:0", tls)
    port = await server.start()
    try:
        context = client_context(ClientTls(root.certificate.pem()))
        ca = CaClient(Web(port, context))
        admin = await ca.enroll("admin", "adminpw")
        for number in range(3):
            await ca.register(admin, f"user{number}")
        reply = await ca.ask("GET", "/identities", by=admin)
        assert reply.headers["transfer-encoding"] == "chunked"
        assert len(reply.result["identities"]) == 4
        assert (await ca.ask("POST", "/enroll", {}, basic="admin:x")).status == 401
    finally:
        await server.stop()


async def test_a_hundred_enrollments_at_once_lose_none(clock, tmp_path):
    one = authority(SETTINGS, clock, Database.sqlite(tmp_path / "ca.db"))
    ca = client_of(one)
    admin = await ca.enroll("admin", "adminpw")
    names = [f"user{number}" for number in range(100)]

    async def newcomer(name):
        who = await ca.newcomer(admin, name, secret="pw")
        return name, who.certificate

    issued = dict(await asyncio.gather(*(newcomer(name) for name in names)))
    assert {certificate.common_name for certificate in issued.values()} == set(names)
    assert len({certificate.serial_number for certificate in issued.values()}) == 100
    listed = (await ca.ask("GET", "/certificates", by=admin)).result["certs"]
    assert {each["PEM"].encode() for each in listed} == {
        admin.certificate.pem(),
        *(certificate.pem() for certificate in issued.values()),
    }
    one.close()


async def test_a_serial_number_that_is_taken_is_drawn_again(clock):
    drawn = [b"\x00" * 20, b"\x00" * 20, b"\x01" * 20]
    one = authority(clock=clock)
    one._issuer._random_bytes = lambda size: drawn.pop(0)
    ca = client_of(one)
    first, second = [await ca.enroll("admin", "adminpw") for _ in range(2)]
    assert first.certificate.serial_number != second.certificate.serial_number
    drawn += [b"\x01" * 20] * 5
    body = {"certificate_request": signing_request("admin", new_key())}
    reply = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
    assert (reply.status, reply.message) == (500, "Certificate signing failure")
    with one.database.read() as store:
        assert store.identities.get("admin").state == 2, "not counted"


async def test_health_asks_the_database(clock):
    one = authority(clock=clock)
    service = Service([one])
    send = Direct(operations(Operations({"database": service.ailment}, {}, service.figures)))
    answer = await send("GET", "/healthz")
    assert (answer.status, json.loads(answer.body)["status"]) == (200, "OK")
    with one.database.write() as store:
        store.identities._connection.exec_driver_sql("DROP TABLE users")
    answer = await send("GET", "/healthz")
    assert answer.status == 503
    (failed,) = json.loads(answer.body)["failed_checks"]
    assert failed["component"] == "database"


async def test_requests_are_counted_and_nothing_secret_is(clock):
    service = Service([authority(clock=clock)])
    ca = CaClient(Direct(application(service)))
    await ca.enroll("admin", "adminpw")
    for _ in range(2):
        await ca.ask("POST", "/enroll", {}, basic="admin:wr0ng")
    send = Direct(operations(Operations({}, {}, service.figures)))
    text = (await send("GET", "/metrics")).body.decode()
    name = 'api_request_count{ca_name="ca-org1",api_name="enroll"'
    assert text.splitlines() == [
        name + ',status_code="201"} 1',
        name + ',status_code="401"} 2',
    ]

"""Enrolling: who gets a certificate, and what stands in it."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gridloom.ca.profiles import DEFAULT_PROFILES, SigningProfile
from gridloom.common.certificates import attributes, parse_pem
from harness.membership import (
    MORNING,
    Clock,
    authority,
    client_of,
    enrolled,
    new_key,
    signing_request,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(clock):
    return client_of(authority(clock=clock))


def csr(identity="admin", **parts):
    return {"certificate_request": signing_request(identity, new_key(), **parts)}


async def certified(ca, body, basic="admin:adminpw"):
    reply = await ca.ask("POST", "/enroll", body, basic=basic)
    return parse_pem(base64.b64decode(reply.result["Cert"]))


async def test_units_come_from_type_and_affiliation_and_not_from_the_request(ca):
    admin = await ca.enroll("admin", "adminpw")
    secret = await ca.register(admin, "p", type="peer", affiliation="org1.department1")
    names = [
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "admin"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Org1"),
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
    ]
    certificate = await certified(ca, csr("p", names=names), f"p:{secret}")
    assert set(certificate.organizational_units) == {"peer", "org1", "department1"}
    subject = certificate.certificate.subject
    assert [rdn.rfc4514_string() for rdn in subject.rdns if len(rdn) == 1] == [
        "C=DE",
        "O=Org1",
        "CN=p",
    ]


async def test_the_subject_beside_the_request_may_name_more(ca):
    body = {**csr(), "subject": {"CN": "admin", "names": [{"O": "Org1", "OU": "x", "L": "Here"}]}}
    subject = (await certified(ca, body)).certificate.subject
    assert subject.rfc4514_string() == "CN=admin,L=Here,OU=client,O=Org1"


async def test_hosts_beside_the_request_come_before_those_in_it(ca):
    body = csr(hosts=["inside.example.com", "10.0.0.1"])
    found = (await certified(ca, body)).extension(x509.SubjectAlternativeName)
    assert found.get_values_for_type(x509.DNSName) == ["inside.example.com"]
    hosts = ["peer0", "10.1.1.1", "me@example.com", "spiffe://here/there"]
    found = (await certified(ca, {**body, "hosts": hosts})).extension(x509.SubjectAlternativeName)
    assert found.get_values_for_type(x509.DNSName) == ["peer0"]
    assert [str(each) for each in found.get_values_for_type(x509.IPAddress)] == ["10.1.1.1"]
    assert found.get_values_for_type(x509.RFC822Name) == ["me@example.com"]
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://here/there"]
    assert (await certified(ca, {**body, "hosts": []})).extension(
        x509.SubjectAlternativeName
    ) is None


async def test_the_profile_for_tls(ca):
    certificate = await certified(ca, {**csr(), "profile": "tls"})
    assert certificate.key_usage.key_agreement
    assert len(certificate.extended_key_usages) == 2


async def test_a_ca_is_made_by_profile_and_attribute(ca):
    admin = await ca.enroll("admin", "adminpw")
    ca_request = csr(extensions=[x509.BasicConstraints(True, 0)])
    certificate = await certified(ca, {**ca_request, "profile": "ca"})
    assert certificate.is_ca
    assert certificate.path_length == 0
    assert certificate.key_usage.key_cert_sign
    refused = await ca.ask("POST", "/enroll", ca_request, basic="admin:adminpw")
    assert (refused.status, refused.code) == (400, 31)
    secret = await ca.register(admin, "alice")
    for body in (
        {**csr("alice"), "profile": "ca"},
        csr("alice", extensions=[x509.BasicConstraints(True, 0)]),
    ):
        refused = await ca.ask("POST", "/enroll", body, basic=f"alice:{secret}")
        assert (refused.status, refused.code) == (403, 71)


async def test_a_profile_nobody_knows_is_refused(ca):
    refused = await ca.ask("POST", "/enroll", {**csr(), "profile": "x"}, basic="admin:adminpw")
    assert (refused.status, refused.message) == (400, "Invalid profile: 'x'")
    assert await certified(ca, {**csr(), "profile": "default"})


async def test_a_certificate_never_outlives_its_ca(clock):
    long = SigningProfile(("digital signature",), timedelta(days=10000))
    ca = client_of(authority(clock=clock, profiles={**DEFAULT_PROFILES, "": long}))
    end = (await ca.enroll("admin", "adminpw")).certificate.not_after
    info = (await ca.ask("GET", "/cainfo")).result
    assert end == parse_pem(base64.b64decode(info["CAChain"])).not_after


async def test_the_beginning_may_be_chosen_within_the_cas_time(ca):
    for wish, begin in (
        ("2026-11-20T11:00:00Z", MORNING.replace(hour=11, minute=0, second=0)),
        ("2020-01-01T00:00:00Z", MORNING.replace(minute=19, second=0)),
        ("0001-01-01T00:00:00Z", MORNING.replace(minute=19, second=0)),
    ):
        certificate = await certified(ca, {**csr(), "NotBefore": wish})
        assert certificate.not_before == begin
    refused = await ca.ask(
        "POST", "/enroll", {**csr(), "NotBefore": "2030-01-01T00:00:00Z"}, basic="admin:adminpw"
    )
    assert (refused.status, refused.code) == (400, 31)


async def test_the_name_must_be_the_id(ca):
    refused = await ca.ask("POST", "/enroll", csr("other"), basic="admin:adminpw")
    assert (refused.status, refused.code) == (403, 77)
    body = {**csr(), "subject": {"CN": "other"}}
    assert (await ca.ask("POST", "/enroll", body, basic="admin:adminpw")).code == 77


@pytest.mark.parametrize("requests", [1, 3])
async def test_a_secret_serves_as_often_as_it_was_registered_for(ca, requests):
    admin = await ca.enroll("admin", "adminpw")
    secret = await ca.register(admin, "alice", max_enrollments=requests)
    for _ in range(requests):
        await ca.enroll("alice", secret)
    refused = await ca.ask("POST", "/enroll", csr("alice"), basic=f"alice:{secret}")
    assert (refused.status, refused.code) == (401, 20)
    alice = await ca.newcomer(admin, "bob", max_enrollments=1)
    body = csr("bob")
    assert (await ca.ask("POST", "/reenroll", body, by=alice)).status == 201


async def test_a_bad_request_does_not_use_a_secret_up(ca):
    admin = await ca.enroll("admin", "adminpw")
    secret = await ca.register(admin, "alice", max_enrollments=1)
    await ca.ask("POST", "/enroll", csr("other"), basic=f"alice:{secret}")
    assert await ca.enroll("alice", secret)


async def test_enrollments_at_the_same_time_use_a_secret_once(ca):
    admin = await ca.enroll("admin", "adminpw")
    secret = await ca.register(admin, "alice", max_enrollments=2)
    replies = await asyncio.gather(
        *(ca.ask("POST", "/enroll", csr("alice"), basic=f"alice:{secret}") for _ in range(6))
    )
    assert sorted(reply.status for reply in replies) == [201, 201, 401, 401, 401, 401]


async def test_the_ca_limits_everybody(clock):
    ca = client_of(authority(clock=clock, max_enrollments=1))
    admin = await ca.enroll("admin", "adminpw")
    for asked, status in ((-1, 400), (2, 400), (0, 201), (1, 201)):
        body = {"id": f"user{asked}", "max_enrollments": asked}
        reply = await ca.ask("POST", "/register", body, by=admin)
        assert reply.status == status
        assert reply.code == (None if status == 201 else 82)


async def test_a_ca_may_let_nobody_enroll():
    settings = authority().settings
    ca = client_of(authority(settings, identities=(), max_enrollments=0))
    refused = await ca.ask("POST", "/enroll", csr(), basic="admin:adminpw")
    assert (refused.status, refused.code) == (401, 20)


async def test_wrong_secrets_lock_an_identity(clock):
    ca = client_of(authority(clock=clock, password_attempts=3))
    admin = await ca.enroll("admin", "adminpw")
    secret = await ca.register(admin, "alice")
    for _ in range(2):
        assert (await ca.ask("POST", "/enroll", csr("alice"), basic="alice:x")).code == 20
    await ca.enroll("alice", secret)
    for _ in range(3):
        assert (await ca.ask("POST", "/enroll", csr("alice"), basic="alice:x")).code == 20
    locked = await ca.ask("POST", "/enroll", csr("alice"), basic=f"alice:{secret}")
    assert (locked.status, locked.code) == (401, 73)
    assert "3 times" in locked.message
    reply = await ca.ask("PUT", "/identities/alice", {"secret": "new"}, by=admin)
    assert reply.result["secret"] == "new"
    assert await ca.enroll("alice", "new")


async def test_attributes_asked_for_and_those_that_come_by_themselves(ca):
    admin = await ca.enroll("admin", "adminpw")
    attrs = [
        {"name": "role", "value": "BU", "ecert": True},
        {"name": "capacity", "value": "5 & <more>"},
    ]
    secret = await ca.register(admin, "alice", attrs=attrs, affiliation="org1")

    async def found(**wish):
        alice = await ca.enroll("alice", secret, **wish)
        return attributes(alice.certificate.certificate)

    own = {"hf.EnrollmentID": "alice", "hf.Type": "client", "hf.Affiliation": "org1"}
    assert await found() == {**own, "role": "BU"}
    assert await found(attr_reqs=None) == {**own, "role": "BU"}
    assert await found(attr_reqs=[{"name": "capacity"}]) == {"capacity": "5 & <more>"}
    optional = {"name": "nosuch", "optional": True}
    assert await found(attr_reqs=[{"name": "role"}, optional]) == {"role": "BU"}
    assert await found(attr_reqs=[]) == {}


async def test_an_extension_cannot_be_smuggled_in(ca):
    body = {**csr(), "extensions": [{"id": "1.2.3.4.5.6.7.8.1", "value": "00"}]}
    refused = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
    assert (refused.status, refused.code) == (400, 31)
    own = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1"), b'{"attrs":{"role":"admin"}}'
    )
    certificate = await certified(ca, csr(extensions=[own]))
    assert attributes(certificate.certificate) == {}


def rsa_request() -> str:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "admin")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


async def test_other_kinds_of_keys_are_certified_too(ca):
    for curve in (ec.SECP384R1(), ec.SECP521R1()):
        key = ec.generate_private_key(curve)
        body = {"certificate_request": signing_request("admin", key)}
        reply = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
        admin = enrolled("admin", key, reply)
        assert (await ca.ask("GET", "/identities", by=admin)).status == 200
    assert await certified(ca, {"certificate_request": rsa_request()})


@pytest.mark.parametrize(
    "request_text",
    [
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
        signing_request("admin", new_key()).replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        signing_request("admin", ec.generate_private_key(ec.SECP256K1())),
    ],
    ids=["empty", "garbage", "certificate", "another curve"],
)
async def test_what_is_no_usable_request_is_refused(ca, request_text):
    body = {"certificate_request": request_text}
    refused = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
    assert (refused.status, refused.code) == (400, 31)


async def test_a_request_signed_by_another_key_is_refused(ca):
    request = x509.load_pem_x509_csr(csr()["certificate_request"].encode())
    der = bytearray(request.public_bytes(Encoding.DER))
    der[-1] ^= 1
    text = base64.encodebytes(bytes(der)).decode()
    body = {
        "certificate_request": "-----BEGIN CERTIFICATE REQUEST-----\n"
        f"{text}-----END CERTIFICATE REQUEST-----\n"
    }
    refused = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
    assert (refused.status, refused.code) == (400, 31)


async def test_names_that_are_too_long_are_refused(ca):
    names = [x509.NameAttribute(NameOID.LOCALITY_NAME, "x" * 129, _validate=False)]
    body = csr(names=names)
    refused = await ca.ask("POST", "/enroll", body, basic="admin:adminpw")
    assert (refused.status, refused.code) == (400, 80)


@pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YWJj", "Bearer x", "basic "])
async def test_headers_that_hold_no_secret_are_refused(ca, header):
    refused = await ca.ask("POST", "/enroll", csr(), headers={"Authorization": header})
    assert (refused.status, refused.code) == (401, 20)

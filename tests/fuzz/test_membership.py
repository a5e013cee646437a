"""What clients send to a membership CA: answered or refused with fabric-ca's body, never a failure.

Refusals of 500 and above count as failures, but for those that fabric-ca itself answers so.
"""

from __future__ import annotations

import base64
import json
import logging

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gridloom.ca import secret_hash
from gridloom.ca.messages import Request, refused
from gridloom.ca.refusals import Refusal
from gridloom.ca.service import Endpoint, Service
from gridloom.ca.settings import CONFIG_FILE, load_settings
from gridloom.ca.signing_request import parse_signing_request
from gridloom.ca.tokens import verify_token
from gridloom.common import crypto, der, pem
from gridloom.common.certificates import parse_pem
from harness.fuzz import ByteMutator, fuzz, fuzz_json, fuzz_text
from harness.membership import Clock, Enrolled, authority, new_key, signing_request
from harness.shared import shared

# The parser warns of names it takes all the same.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

BASIC = f"Basic {base64.b64encode(b'admin:adminpw').decode()}"
REQUEST = "CERTIFICATE REQUEST"
MISSING_ATTRIBUTES = "Failed to find requested attributes"
WORDS = ("caname", "ca-org1", "admin", "alice", "org1", ".", "hf.Registrar.Roles", "*", "tls")


@pytest.fixture(autouse=True)
def quiet(caplog, monkeypatch):
    caplog.set_level(logging.CRITICAL, logger="gridloom")
    monkeypatch.setattr(secret_hash, "MEMORY", 64)
    monkeypatch.setattr(secret_hash, "PASSES", 1)


@pytest.fixture
def service() -> Service:
    return Service([authority(clock=Clock())])


@pytest.fixture
def admin(service) -> Enrolled:
    key = new_key()
    body = {"certificate_request": signing_request("admin", key)}
    request = Request("POST", "/enroll", BASIC, json.dumps(body).encode())
    result = service.handle(Endpoint.ENROLL, request).result
    return Enrolled("admin", key, parse_pem(base64.b64decode(result["Cert"])))


def answered(service: Service, endpoint: Endpoint, request: Request) -> None:
    """Ask; the answer or the refusal can be written down, and is no failure of the server."""
    try:
        text = "".join(service.handle(endpoint, request).chunks())
    except Refusal as refusal:
        if refusal.status >= 500 and not refusal.message.startswith(MISSING_ATTRIBUTES):
            raise AssertionError(f"{refusal.status} {refusal.reason}") from refusal
        text = refused(refusal)
    json.loads(text.encode())


def hosts_request() -> bytes:
    """A signing request with all there may be in one, as DER."""
    names = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Größe"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "admin"),
    ]
    extensions = [x509.BasicConstraints(True, 0)]
    hosts = ["peer0.org1.example.com", "10.0.0.1", "a@b.c", "spiffe://x/y"]
    return pem.decode(
        signing_request("admin", new_key(), hosts, names, extensions).encode()
    ).contents


def recorded_requests() -> list[bytes]:
    found = []
    for name in ("04-enroll-admin", "20-enroll-peer-tls-profile"):
        document = json.loads(shared("golden", "ca", f"{name}.json").read_text())
        text = document["request"]["body"]["certificate_request"]
        found.append(pem.decode(text.encode()).contents)
    return found


def test_signing_requests():
    fuzz(
        lambda data: parse_signing_request(pem.encode(REQUEST, data).decode()),
        [*recorded_requests(), hosts_request()],
        inputs=10_000,
    )


def test_signing_requests_as_text():
    texts = [pem.encode(REQUEST, data).decode() for data in recorded_requests()]
    fuzz_text(parse_signing_request, texts, inputs=2_000)


def resigned(info: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    """A signing request around a part to be signed, whatever that holds."""
    algorithm = der.encode(der.SEQUENCE, bytes.fromhex("06082a8648ce3d040302"))
    signature = der.encode(der.BIT_STRING, b"\x00" + crypto.sign(key, info))
    return der.encode(der.SEQUENCE, info + algorithm + signature)


def test_requests_that_are_signed_well_whatever_they_hold(service):
    """So that the mutations come as far as the subject, the extensions and the certificate."""
    key = new_key()
    seeds = []
    for hosts in ((), ("peer0", "10.0.0.1", "a@b.c")):
        text = signing_request("admin", key, hosts).encode()
        info, _ = der.element(der.contents(pem.decode(text).contents, der.SEQUENCE))
        seeds.append(info)
    assert parse_signing_request(pem.encode(REQUEST, resigned(seeds[0], key)).decode())
    for info in ByteMutator(seeds).mutations(1_000):
        text = pem.encode(REQUEST, resigned(info, key)).decode()
        body = json.dumps({"certificate_request": text}).encode()
        answered(service, Endpoint.ENROLL, Request("POST", "/enroll", BASIC, body))


def test_enrollment_bodies(service):
    text = signing_request("admin", new_key())
    documents = [
        {"certificate_request": text, "profile": "tls", "hosts": ["peer0"], "caname": "ca-org1"},
        {
            "certificate_request": text,
            "attr_reqs": [{"name": "hf.Type", "optional": True}],
            "subject": {"CN": "admin", "names": [{"O": "Org1", "C": "DE"}]},
            "NotBefore": "2026-11-20T11:00:00Z",
        },
    ]

    def enroll(text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        answered(service, Endpoint.ENROLL, Request("POST", "/enroll", BASIC, body))

    fuzz_json(enroll, documents, words=WORDS, inputs=800)


ATTRIBUTES = [{"name": "role", "value": "BU", "ecert": True}, {"name": "hf.Revoker", "value": "1"}]
SIGNED = {
    Endpoint.REGISTER: ("POST", {"id": "alice", "affiliation": "org1", "attrs": ATTRIBUTES}),
    Endpoint.IDENTITIES: ("POST", {"id": "alice", "type": "peer", "max_enrollments": 3}),
    Endpoint.IDENTITY: ("PUT", {"affiliation": "org1", "attrs": ATTRIBUTES, "secret": "x"}),
    Endpoint.AFFILIATIONS: ("POST", {"name": "org1.x", "caname": "ca-org1"}),
    Endpoint.AFFILIATION: ("PUT", {"name": "org2.y"}),
    Endpoint.REVOKE: ("POST", {"id": "bob", "serial": "0a", "aki": "0b", "gencrl": True}),
    Endpoint.GENCRL: ("POST", {"revokedafter": "2026-11-20T11:00:00+01:00"}),
}


@pytest.mark.parametrize("endpoint", SIGNED, ids=lambda each: each.value)
def test_bodies_that_the_registrar_signs(service, admin, endpoint):
    method, document = SIGNED[endpoint]

    def ask(text: str) -> None:
        body = text.encode("utf-8", "surrogatepass")
        token = admin.token(method, "/x", body)
        answered(service, endpoint, Request(method, "/x", token, body, name="bob"))

    fuzz_json(ask, [document], words=WORDS, inputs=300)


def test_filters_of_certificates(service, admin):
    token = admin.token("GET", "/certificates")
    names = ("revoked_start", "revoked_end", "expired_start", "expired_end", "notexpired", "id")

    def ask(text: str) -> None:
        query = dict.fromkeys((names[len(text) % len(names)], "serial"), text)
        request = Request("GET", "/certificates", token, query=query)
        answered(service, Endpoint.CERTIFICATES, request)

    moments = ["2026-11-20T11:00:00Z", "-30d", "+1h30m", "2026-11-20", "true"]
    fuzz_text(ask, moments, words=("d", "h", "Z", "+", "T24"), inputs=1_000)


def test_tokens(admin):
    token = admin.token("GET", "/identities")
    assert verify_token(token, "GET", ["/identities"], b"")

    def verify(text: str) -> None:
        verify_token(text, "GET", ["/identities"], b"", compatible_1_3=True)

    fuzz_text(verify, [token], words=(".", "=", "LS0t"), inputs=2_000)


def test_certificates_and_signatures_within_tokens(admin):
    certificate, _, signature = admin.token("GET", "/identities").partition(".")

    def verify(token: str) -> None:
        verify_token(token, "GET", ["/identities"], b"", compatible_1_3=True)

    fuzz(
        lambda data: verify(f"{certificate}.{base64.b64encode(data).decode()}"),
        [base64.b64decode(signature)],
        inputs=3_000,
    )

    def with_certificate(data: bytes) -> None:
        text = base64.b64encode(pem.encode(pem.CERTIFICATE, data)).decode()
        verify(f"{text}.{signature}")

    fuzz(with_certificate, [admin.certificate.raw], inputs=3_000)


def test_authorization_headers(service):
    def enroll(text: str) -> None:
        header = text.encode("latin-1", "replace").decode("latin-1")
        answered(service, Endpoint.ENROLL, Request("POST", "/enroll", header, b"{}"))

    fuzz_text(enroll, [BASIC], words=("Basic", "=", "YTpi"), inputs=1_000)


def test_settings(tmp_path):
    document = {
        "ca": {"name": "ca-org1", "reenrollIgnoreCertExpiry": False},
        "registry": {"identities": [{"name": "a", "pass": "b", "attrs": {"x": "y:ecert"}}]},
        "affiliations": {"org1": ["department1"]},
        "signing": {"profiles": {"ca": {"usage": ["cert sign"], "caconstraint": {"isca": True}}}},
        "csr": {"names": [{"C": "US"}], "hosts": ["a"], "ca": {"expiry": "1h", "pathlength": 0}},
        "tls": {"enabled": True, "clientauth": {"certfiles": ["x"]}},
        "cacount": 1,
    }

    def load(text: str) -> None:
        (tmp_path / CONFIG_FILE).write_text(text, "utf-8", "surrogatepass")
        load_settings(tmp_path, {})

    fuzz_json(load, [document], words=("cafiles", "db", "postgres", "8760h"), inputs=200)

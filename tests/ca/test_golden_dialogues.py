"""The 45 recorded dialogues of a real fabric-ca server, held again with ours.

Keys differ, so requests are signed anew by whoever signed them, with signing requests of ours.
What must be equal: status, error codes and messages, every value that is not random, and what
the certificates say.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from cryptography import x509

from gridloom.common.certificates import attributes, parse_pem
from harness.membership import (
    JSON,
    CaClient,
    Enrolled,
    Reply,
    authority,
    client_of,
    enrolled,
    new_key,
    signing_request,
)
from harness.shared import shared

DIALOGUES = sorted(path.stem for path in shared("golden", "ca").glob("*.json"))
RANDOM = {
    "CAChain",
    "CRL",
    "Cert",
    "IssuerPublicKey",
    "IssuerRevocationPublicKey",
    "PEM",
    "Serial",
    "AKI",
    "Version",
}
GENERATED = "12-register-generated-secret"


def recorded(name: str) -> dict[str, Any]:
    return json.loads(shared("golden", "ca", f"{name}.json").read_text())


def test_there_are_all_of_them():
    assert len(DIALOGUES) == 45


class Replay:
    """Holds the dialogues one after the other."""

    def __init__(self, client: CaClient) -> None:
        self.client = client
        self.people: dict[str, Enrolled] = {}
        """By serial number of the recorded certificate."""

    async def hold(self, name: str) -> Reply:
        request = recorded(name)["request"]
        body, key = request["body"], new_key()
        asked = (body or {}).get("certificate_request", "")
        if asked.startswith("-----BEGIN"):
            csr = x509.load_pem_x509_csr(asked.encode())
            body = {**body, "certificate_request": signing_request(*self._wishes(csr, key))}
        if "serial" in (body or {}):
            revoked = self.people[body["serial"]].certificate
            authority_key = revoked.extension(x509.AuthorityKeyIdentifier).key_identifier
            body = {**body, "serial": f"{revoked.serial_number:X}", "aki": authority_key.hex()}
        reply = await self._send(request, None if body is None else json.dumps(body).encode())
        self._remember(name, key, reply)
        return reply

    def _wishes(self, csr: x509.CertificateSigningRequest, key: Any) -> tuple[str, Any, list[str]]:
        (name,) = csr.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        try:
            names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            return name.value, key, names.get_values_for_type(x509.DNSName)
        except x509.ExtensionNotFound:
            return name.value, key, []

    async def _send(self, request: dict[str, Any], data: bytes | None) -> Reply:
        method, path, headers = request["method"], request["path"], dict(JSON)
        given = request["headers"].get("Authorization", "")
        headers["Authorization"] = given
        if not given:
            del headers["Authorization"]
        elif request["token_form"]:
            signer = self.people[serial(base64.b64decode(given.partition(".")[0]))]
            old = request["token_form"].startswith("old")
            headers["Authorization"] = signer.token(method, path, data or b"", old=old)
        answer = await self.client.send(method, path, data, headers)
        text = answer.body.decode()
        is_json = answer.headers["content-type"] == "application/json"
        return Reply(answer.status, answer.headers, json.loads(text) if is_json else text)

    def _remember(self, name: str, key: Any, reply: Reply) -> None:
        result = (recorded(name)["response"]["body"] or {}).get("result")
        if isinstance(result, dict) and "Cert" in result:
            pem = base64.b64decode(result["Cert"])
            self.people[serial(pem)] = enrolled(parse_pem(pem).common_name, key, reply)


def serial(pem: bytes) -> str:
    return f"{parse_pem(pem).serial_number:x}"


@pytest.fixture(scope="module")
def replies() -> dict[str, Reply]:
    async def all_of_them() -> dict[str, Reply]:
        replay = Replay(client_of(authority()))
        return {name: await replay.hold(name) for name in DIALOGUES}

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_answer_is_the_recorded_one(replies, name):
    reply, expected = replies[name], recorded(name)["response"]
    assert reply.status == expected["status"]
    for header in ("Content-Type", "Location", "X-Content-Type-Options"):
        assert reply.headers.get(header.lower()) == expected["headers"].get(header)
    if expected["body"] is None:
        assert reply.body == expected["body_text"]
        return
    if name == GENERATED:
        assert len(reply.result["secret"]) == len(expected["body"]["result"]["secret"])
        assert reply.result["secret"].isalpha()
        reply.result["secret"] = expected["body"]["result"]["secret"]
    assert comparable(reply.body) == comparable(expected["body"])


def comparable(value: Any, key: str = "") -> Any:
    """A body; lists that Go fills from maps have no order, random values only a type."""
    if key in RANDOM:
        return type(value).__name__
    if isinstance(value, dict):
        return {name: comparable(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((comparable(each) for each in value), key=repr)
    return value


ENROLLMENTS = [
    name for name in DIALOGUES if "enroll" in name and recorded(name)["response"]["status"] == 201
]


@pytest.mark.parametrize("name", ENROLLMENTS)
def test_the_certificate_says_what_the_recorded_one_says(replies, name):
    ours, theirs = (
        parse_pem(base64.b64decode(body["result"]["Cert"]))
        for body in (replies[name].body, recorded(name)["response"]["body"])
    )
    assert {(part.oid, part.value) for part in ours.certificate.subject} == {
        (part.oid, part.value) for part in theirs.certificate.subject
    }
    assert len(ours.certificate.subject.rdns) == len(theirs.certificate.subject.rdns)
    assert ours.not_after == theirs.not_after
    assert attributes(ours.certificate) == attributes(theirs.certificate)
    assert said(ours.certificate) == said(theirs.certificate)


def said(certificate: x509.Certificate) -> list[tuple[str, bool, object]]:
    """Extensions in their order; those that name keys without their values."""
    keys = x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier, x509.UnrecognizedExtension
    return [
        (
            each.oid.dotted_string,
            each.critical,
            None if isinstance(each.value, keys) else each.value,
        )
        for each in certificate.extensions
    ]


def test_the_list_has_the_revoked_certificate(replies):
    for name in ("40-revoke-cert", "44-gencrl"):
        crl = x509.load_pem_x509_crl(base64.b64decode(replies[name].result["CRL"]))
        real = x509.load_pem_x509_crl(
            base64.b64decode(recorded(name)["response"]["body"]["result"]["CRL"])
        )
        assert len(list(crl)) == len(list(real)) == 1
        assert [each.oid for each in crl.extensions] == [each.oid for each in real.extensions]
        assert crl.next_update_utc - crl.last_update_utc == (
            real.next_update_utc - real.last_update_utc
        )

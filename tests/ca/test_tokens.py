"""Tokens: those that fabric-ca's recorded clients made, and those that must be refused."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gridloom.ca.subjects import Subject
from gridloom.ca.tokens import InvalidToken, verify_token
from gridloom.common.crypto import CURVE_ORDERS
from harness.membership import Clock, Enrolled, issuer, new_key
from harness.shared import shared

BODY = b'{"id": "alice"}'
SIGNED = [
    path.stem
    for path in sorted(shared("golden", "ca").glob("*.json"))
    if json.loads(path.read_text())["request"]["token_form"]
]


@pytest.fixture(scope="module")
def alice() -> Enrolled:
    key = new_key()
    return Enrolled("alice", key, issuer(Clock()).issue(key.public_key(), Subject("alice")))


@pytest.mark.parametrize("name", SIGNED)
def test_recorded_tokens_are_verified(name):
    request = json.loads(shared("golden", "ca", f"{name}.json").read_text())["request"]
    old = request["token_form"].startswith("old")
    certificate = verify_token(
        request["headers"]["Authorization"],
        request["method"],
        [request["path"]],
        request["body_text"].encode(),
        compatible_1_3=old,
    )
    assert certificate.common_name in {"admin", "alice", "peer9", "bob"}


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"uris": ["/identities?ca=other", "/identities/"]},
        {"uris": ["/api/v1/identities"]},
        {"body": BODY + b" "},
    ],
    ids=str,
)
def test_the_whole_request_is_signed(alice, changed):
    request = {"method": "POST", "uris": ["/identities"], "body": BODY}
    token = alice.token("POST", "/identities", BODY)
    assert verify_token(token, **request) == alice.certificate
    with pytest.raises(InvalidToken, match="invalid"):
        verify_token(token, **{**request, **changed})


def test_the_old_form_is_taken_only_where_the_settings_say_so(alice):
    token = alice.token("POST", "/register", BODY, old=True)
    with pytest.raises(InvalidToken):
        verify_token(token, "POST", ["/register"], BODY)
    assert verify_token(token, "POST", ["/register"], BODY, compatible_1_3=True)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "2 parts"),
        ("abc", "2 parts"),
        ("abc.", "2 parts"),
        ("a.b.c", "2 parts"),
        ("abc.def", "base64"),
        ("YWJj.YWJj", "no certificate"),
        ("ä.YWJj", "base64"),
    ],
)
def test_what_is_no_token_is_refused(token, reason):
    with pytest.raises(InvalidToken, match=reason):
        verify_token(token, "GET", ["/identities"], b"")


def test_a_signature_of_somebody_else_is_refused(alice):
    other = Enrolled("alice", new_key(), alice.certificate)
    with pytest.raises(InvalidToken):
        verify_token(other.token("GET", "/identities"), "GET", ["/identities"], b"")


def test_a_signature_with_high_s_is_refused(alice):
    certificate, _, signature = alice.token("GET", "/identities").partition(".")
    r, s = decode_dss_signature(base64.b64decode(signature))
    high = encode_dss_signature(r, CURVE_ORDERS["secp256r1"] - s)
    with pytest.raises(InvalidToken, match="Invalid S"):
        verify_token(
            f"{certificate}.{base64.b64encode(high).decode()}", "GET", ["/identities"], b""
        )

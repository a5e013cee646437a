"""Certificates: what the rules read from them, and the repair of high-S signatures."""

import random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common import certificates, crypto
from gridloom.common.identities import InvalidIdentity
from harness.authorities import member, root_ca, with_high_s
from harness.shared import shared

GOLDEN_CAS = sorted(shared("golden", "msp", "crypto").glob("*/*/*ca/*-cert.pem"))
ALICE = shared("golden", "ca", "alice-cert.pem").read_bytes()


@pytest.mark.parametrize("path", GOLDEN_CAS, ids=lambda path: path.stem)
def test_cryptogens_roots_are_read_and_repaired(path):
    root = certificates.parse_pem(path.read_bytes())
    assert root.is_ca
    assert root.is_issued_by(root)
    assert root.pem() == path.read_bytes()
    repaired = certificates.sanitize(root, root)
    assert repaired.is_issued_by(root)
    assert decode_dss_signature(repaired.certificate.signature)[1] <= (
        crypto.CURVE_ORDERS["secp256r1"] >> 1
    )
    assert repaired.certificate.tbs_certificate_bytes == root.certificate.tbs_certificate_bytes


def test_some_of_cryptogens_roots_need_the_repair_and_some_do_not():
    roots = [certificates.parse_pem(path.read_bytes()) for path in GOLDEN_CAS]
    changed = {certificates.sanitize(root, root) is root for root in roots}
    assert changed == {True, False}


def test_repairing_gives_back_exactly_the_low_s_certificate():
    ca = root_ca()
    issued = member(ca).details
    assert certificates.sanitize(issued, ca.certificate) is issued
    high = with_high_s(issued)
    assert high.raw != issued.raw
    assert certificates.sanitize(high, ca.certificate).raw == issued.raw


def test_every_unit_of_a_multi_valued_name_counts():
    assert set(certificates.parse_pem(ALICE).organizational_units) == {
        "org1",
        "client",
        "department1",
    }


def test_a_country_of_any_length_is_taken_as_go_takes_it():
    root = certificates.parse_pem(GOLDEN_CAS[0].read_bytes())
    locality, country = b"\x06\x03\x55\x04\x07", b"\x06\x03\x55\x04\x06"
    assert locality in root.subject
    strange = certificates.parse(root.raw.replace(locality, country))
    assert strange.subject == root.subject.replace(locality, country)
    assert strange.common_name == root.common_name


def test_the_attributes_fabric_ca_writes_are_read():
    assert certificates.attributes(certificates.parse_pem(ALICE).certificate) == {
        "hf.Affiliation": "org1.department1",
        "hf.EnrollmentID": "alice",
        "hf.Type": "client",
        "role": "auditor",
    }
    assert certificates.attributes(root_ca().certificate.certificate) == {}


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"attrs":[1]}', b"\xff"])
def test_malformed_attributes_are_an_invalid_identity(value, monkeypatch):
    extension = x509.UnrecognizedExtension(certificates.ATTRIBUTES_OID, value)
    monkeypatch.setattr("gridloom.ca.issuer.attribute_extension", lambda _: extension)
    certificate = member(root_ca(), attributes={}).certificate
    with pytest.raises(InvalidIdentity, match="attribute"):
        certificates.attributes(certificate)


def test_a_parent_must_be_allowed_to_sign_certificates():
    ca = root_ca()
    leaf = member(ca)
    assert leaf.details.is_issued_by(ca.certificate)
    assert not leaf.details.is_issued_by(leaf.details)
    assert not leaf.details.is_issued_by(root_ca(seed=2).certificate)  # same name, other key
    assert not ca.certificate.is_issued_by(leaf.details)


@given(st.data())
def test_a_damaged_certificate_is_an_invalid_identity_or_another_certificate(data):
    raw = bytearray(member(root_ca(), hosts=("localhost",), attributes={"a": "b"}).details.raw)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        certificate = certificates.parse(bytes(raw))
    except InvalidIdentity:
        return
    assert certificate.raw == bytes(raw)
    assert isinstance(certificate.common_name, str)
    assert certificate.is_issued_by(root_ca().certificate) in (True, False)


@given(st.binary(max_size=100))
def test_garbage_is_an_invalid_identity(data):
    with pytest.raises(InvalidIdentity):
        certificates.parse_pem(data)
    with pytest.raises(InvalidIdentity):
        certificates.parse(data)


def test_bytes_behind_the_certificate_are_refused():
    raw = member(root_ca()).details.raw
    with pytest.raises(InvalidIdentity):
        certificates.parse(raw + b"\x00")


def test_keys_of_any_kind_have_an_identifier():
    key = crypto.generate_key(random.Random(3).randbytes)
    assert len(crypto.subject_key_id(key.public_key())) == 32

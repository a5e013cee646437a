"""The CA: what it puts into certificates, and how it keeps itself."""

import json
import random
import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gridloom.ca.issuer import Issuer, Profile, RefusedRequest
from gridloom.ca.subjects import Subject, alternative_names, attribute_extension
from gridloom.common import certificates, crypto
from gridloom.common.keystore import KeyNotFound
from harness.authorities import NOW, Clock, member, root_ca
from harness.shared import shared

HALF = crypto.CURVE_ORDERS["secp256r1"] >> 1
KEY = crypto.generate_key(random.Random(11).randbytes)
CRYPTO = shared("golden", "msp", "crypto", "peerOrganizations", "org1.example.com")


def golden(*parts) -> x509.Certificate:
    return certificates.parse_pem(CRYPTO.joinpath(*parts).read_bytes()).certificate


def outline(certificate: x509.Certificate, leave_out=()) -> dict[str, object]:
    """What a certificate says, but for keys, numbers and times."""
    parts: dict[str, object] = {
        "subject": [(a.oid.dotted_string, a.value) for a in certificate.subject],
        "issuer": [(a.oid.dotted_string, a.value) for a in certificate.issuer],
        "lifetime": certificate.not_valid_after_utc - certificate.not_valid_before_utc,
        "algorithm": certificate.signature_algorithm_oid,
    }
    for extension in certificate.extensions:
        name = extension.oid._name
        value: object = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
            value = "an identifier"
        if isinstance(value, x509.ExtendedKeyUsage):
            value = {oid.dotted_string for oid in value}
        if name not in leave_out:
            parts[name] = (extension.critical, value)
    return parts


def test_a_root_says_what_cryptogens_roots_say():
    ca = root_ca().certificate.certificate
    root = Issuer.create(
        Subject("ca.org1.example.com", organization="org1.example.com"),
        Clock(),
        random.Random(1).randbytes,
    )
    theirs = outline(golden("ca", "ca.org1.example.com-cert.pem"))
    assert outline(root.certificate.certificate) == theirs
    assert ca.public_key() != root.certificate.certificate.public_key()


def test_members_and_tls_certificates_say_what_cryptogens_say():
    ca = Issuer.create(
        Subject("ca.org1.example.com", organization="org1.example.com"),
        Clock(),
        random.Random(1).randbytes,
    )
    peer = ca.issue(KEY.public_key(), Subject("User1@org1.example.com", ("client",)))
    assert outline(peer.certificate, ("subjectKeyIdentifier",)) == outline(
        golden("users/User1@org1.example.com/msp/signcerts/User1@org1.example.com-cert.pem")
    )
    hosts = ("peer0.org1.example.com", "peer0", "localhost", "127.0.0.1")
    tls = ca.issue(
        KEY.public_key(), Subject("peer0.org1.example.com"), hosts=hosts, profile=Profile.TLS
    )
    ours = outline(tls.certificate, ("subjectKeyIdentifier",))
    theirs = outline(golden("peers/peer0.org1.example.com/tls/server.crt"))
    ours.pop("issuer"), theirs.pop("issuer")
    assert ours == theirs


def test_every_signature_is_low_s():
    ca = root_ca()
    for number in range(40):
        certificate = member(ca, f"user{number}").certificate
        assert decode_dss_signature(certificate.signature)[1] <= HALF
        root = root_ca(seed=number).certificate.certificate
        assert decode_dss_signature(root.signature)[1] <= HALF


def test_key_identifiers_link_members_to_their_ca():
    ca = root_ca()
    certificate = ca.issue(KEY.public_key(), Subject("x"))
    assert certificate.subject_key_id == crypto.subject_key_id(KEY.public_key())
    authority = certificate.extension(x509.AuthorityKeyIdentifier)
    assert authority is not None
    assert authority.key_identifier == ca.certificate.subject_key_id


def test_attributes_are_bare_json_with_sorted_names_and_stay_uncritical():
    attributes = {"role": "auditor", "hf.Type": "client", "größe": "ä"}
    certificate = root_ca().issue(KEY.public_key(), Subject("x"), attributes=attributes).certificate
    extension = certificate.extensions.get_extension_for_oid(certificates.ATTRIBUTES_OID)
    assert not extension.critical
    assert isinstance(extension.value, x509.UnrecognizedExtension)
    assert extension.value.value.startswith(b'{"attrs":{"gr')
    assert list(json.loads(extension.value.value)["attrs"]) == sorted(attributes)
    assert certificates.attributes(certificate) == attributes


def test_the_attribute_bytes_are_those_fabric_ca_writes():
    alice = certificates.parse_pem(shared("golden", "ca", "alice-cert.pem").read_bytes())
    theirs = alice.certificate.extensions.get_extension_for_oid(certificates.ATTRIBUTES_OID).value
    assert attribute_extension(certificates.attributes(alice.certificate)) == theirs


def test_several_units_share_one_part_of_the_name_as_go_writes_them():
    name = Subject("x", ("client", "org1", "department1")).name()
    units = [rdn for rdn in name.rdns if len(rdn) == 3]
    assert len(units) == 1
    assert {attribute.value for attribute in units[0]} == {"client", "org1", "department1"}
    assert {attribute.oid for attribute in units[0]} == {NameOID.ORGANIZATIONAL_UNIT_NAME}


def test_hosts_are_names_or_addresses_each_once():
    names = alternative_names(["peer0", "127.0.0.1", "::1", "[::1]", "peer0", "10.0.0.1"])
    assert names.get_values_for_type(x509.DNSName) == ["peer0"]
    addresses = names.get_values_for_type(x509.IPAddress)
    assert [str(address) for address in addresses][:2] == ["127.0.0.1", "::1"]


def test_a_seed_repeats_a_ca_and_its_serial_numbers_are_random():
    assert root_ca(seed=3).certificate.raw == root_ca(seed=3).certificate.raw
    first, second = root_ca(seed=3), root_ca(seed=3)
    assert member(first).serialized == member(second).serialized
    serials = {member(first).details.serial_number for _ in range(20)}
    assert len(serials) == 20
    assert all(0 < serial < 1 << 128 for serial in serials)


def test_certificates_start_a_little_in_the_past_and_end_as_asked():
    certificate = root_ca().issue(KEY.public_key(), Subject("x"), lifetime=timedelta(hours=1))
    assert certificate.not_before == NOW - timedelta(minutes=5)
    assert certificate.not_after == certificate.not_before + timedelta(hours=1)


def request(key, name="ignored") -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(Subject(name).name())
    return builder.sign(key, hashes.SHA256())


def test_a_request_gets_the_subject_the_ca_decides():
    certificate = root_ca().issue(request(KEY), Subject("alice"))
    assert certificate.common_name == "alice"
    assert certificate.certificate.public_key() == KEY.public_key()


def test_requests_with_other_keys_or_wrong_signatures_are_refused():
    with pytest.raises(RefusedRequest, match="not supported"):
        root_ca().issue(request(rsa.generate_private_key(65537, 2048)), Subject("x"))
    good = request(KEY).public_bytes(crypto.Encoding.DER)
    forged = x509.load_der_x509_csr(good.replace(b"ignored", b"another"))
    with pytest.raises(RefusedRequest, match="not signed by the key"):
        root_ca().issue(forged, Subject("x"))


def test_an_intermediate_may_issue_and_is_linked_to_its_root():
    root = root_ca()
    intermediate = root.subordinate(Subject("inter"))
    assert intermediate.certificate.is_issued_by(root.certificate)
    assert member(intermediate).details.is_issued_by(intermediate.certificate)
    usages = intermediate.certificate.extended_key_usages
    assert ExtendedKeyUsageOID.SERVER_AUTH.dotted_string in usages


def test_a_revocation_list_names_the_numbers_and_is_signed():
    ca = root_ca()
    crl = x509.load_pem_x509_crl(ca.revocation_list({5: NOW, 7: NOW}))
    key = ca.certificate.key.key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert crl.is_signature_valid(key)
    assert [entry.serial_number for entry in crl] == [5, 7]
    authority = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority.key_identifier == ca.certificate.subject_key_id


def test_a_ca_continues_from_its_folder(tmp_path):
    ca = root_ca()
    ca.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ca.org1.example.com-cert.pem", "priv_sk"}
    assert stat.S_IMODE((tmp_path / "priv_sk").stat().st_mode) == 0o600
    again = Issuer.load(tmp_path, Clock(), random.Random(5).randbytes)
    assert again.name == ca.name
    assert member(again).details.is_issued_by(ca.certificate)


def test_a_folder_without_certificate_or_key_is_no_ca(tmp_path):
    with pytest.raises(RefusedRequest, match="no CA certificate"):
        Issuer.load(tmp_path, Clock(), random.Random(5).randbytes)
    root_ca().save(tmp_path)
    (tmp_path / "priv_sk").unlink()
    with pytest.raises(KeyNotFound):
        Issuer.load(tmp_path, Clock(), random.Random(5).randbytes)


def test_a_ca_does_not_show_its_key():
    ca = root_ca()
    assert f"{ca._key.private_numbers().private_value:x}" not in repr(ca) + repr(vars(ca))

"""Identities and signers: whoever signs, the network finds it good."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gridloom.client import DigestSigner, Identity, OfflineError
from gridloom.client.identity import OfflineSigner, load_signer, new_signer
from gridloom.common.errors import GridloomError, MalformedMessage
from harness.consortium import consortium

USER = consortium().material.user("Org1MSP", "User1")


def pem_of(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_an_identity_is_what_stands_in_headers():
    identity = Identity("Org1MSP", USER.certificate_pem)
    assert identity.serialized == USER.signing_identity.serialized


def test_a_digest_signer_gets_the_digest_of_what_is_signed():
    identity = Identity("Org1MSP", USER.certificate_pem)
    signer = DigestSigner(identity, lambda digest: b"signed " + digest)
    assert signer.sign(b"message") == b"signed " + hashlib.sha256(b"message").digest()
    assert (signer.msp_id, signer.serialized) == ("Org1MSP", identity.serialized)
    whole = DigestSigner(identity, lambda digest: digest, digest=lambda message: message)
    assert whole.sign(b"message") == b"message"


def test_an_offline_signer_never_signs():
    with pytest.raises(OfflineError):
        OfflineSigner(Identity("Org1MSP", USER.certificate_pem)).sign(b"message")


def test_two_files_make_a_signer(tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key_sk"
    certificate.write_bytes(USER.certificate_pem)
    key.write_bytes(USER.private_key_pem)
    signer = load_signer("Org1MSP", certificate, key)
    judge = consortium().bundle().msp_manager.deserialize(signer.serialized)
    judge.verify(b"message", signer.sign(b"message"))
    with pytest.raises(FileNotFoundError):
        load_signer("Org1MSP", certificate, tmp_path / "nosuch")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (b"no key", "not an unencrypted key in PEM"),
        (pem_of(rsa.generate_private_key(65537, 2048)), "only ECDSA and Ed25519"),
        (pem_of(ed25519.Ed25519PrivateKey.generate()), "not the one of the certificate"),
    ],
    ids=["text", "rsa", "another"],
)
def test_a_key_that_cannot_sign_for_it_is_refused(key, reason):
    with pytest.raises(MalformedMessage, match=reason):
        new_signer("Org1MSP", USER.certificate_pem, key)


def test_what_is_no_certificate_is_refused():
    with pytest.raises(GridloomError):
        new_signer("Org1MSP", b"no certificate", USER.private_key_pem)

"""Wallets: the files of the official SDKs, and what is said of broken ones."""

import json
import stat

import pytest

from gridloom.client.wallet import Wallet, WalletError, WalletIdentity
from gridloom.common.errors import GridloomError
from harness.consortium import consortium


@pytest.fixture
def wallet(tmp_path):
    return Wallet(tmp_path / "wallet")


@pytest.fixture
def identity():
    user = consortium().material.user("Org1MSP", "User1")
    return WalletIdentity("Org1MSP", user.certificate_pem, user.private_key_pem)


def test_an_identity_is_kept_in_the_official_form(wallet, identity):
    wallet.put("User1@org1", identity)
    file = wallet.folder / "User1@org1.id"
    assert json.loads(file.read_text()) == {
        "credentials": {
            "certificate": identity.certificate.decode(),
            "privateKey": identity.private_key.decode(),
        },
        "mspId": "Org1MSP",
        "type": "X.509",
        "version": 1,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(wallet.folder.iterdir()) == [file]


def test_what_was_put_is_found_and_removed(wallet, identity):
    assert wallet.labels() == []
    for label in ("b", "a"):
        wallet.put(label, identity)
    assert wallet.labels() == ["a", "b"]
    assert "a" in wallet
    assert wallet.get("a") == identity
    wallet.remove("a")
    wallet.remove("a")
    assert "a" not in wallet


def test_an_identity_signs(identity):
    signer = identity.signer()
    user = consortium().user()
    assert (signer.msp_id, signer.serialized) == ("Org1MSP", user.serialized)
    judge = consortium().bundle().msp_manager.deserialize(signer.serialized)
    judge.verify(b"message", signer.sign(b"message"))


def test_the_key_is_never_shown(identity):
    assert "PRIVATE" not in repr(identity)


@pytest.mark.parametrize("label", ["", "a/b", "../a", "."])
def test_a_label_is_the_name_of_a_file(wallet, identity, label):
    with pytest.raises(WalletError):
        wallet.put(label, identity)


def test_an_unknown_label_is_told_with_those_there_are(wallet, identity):
    wallet.put("a", identity)
    with pytest.raises(WalletError, match=r"there is: a$"):
        wallet.get("b")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "HSM-X.509"}, "identities of type 'HSM-X.509' are not supported"),
        ({"version": 2}, "version 2 is not supported"),
        ({"credentials": {"certificate": "x"}}, "privateKey is missing"),
        ({"credentials": []}, "not a wallet file"),
    ],
)
def test_a_file_of_another_form_is_refused_without_showing_it(wallet, identity, change, reason):
    wallet.put("a", identity)
    file = wallet.folder / "a.id"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(WalletError, match=reason) as caught:
        wallet.get("a")
    assert "PRIVATE" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no json", "[]", "7", "null"])
def test_a_file_that_is_no_json_object_is_refused(wallet, text):
    wallet.folder.mkdir()
    (wallet.folder / "a.id").write_text(text)
    with pytest.raises(WalletError, match="not a wallet file"):
        wallet.get("a")


def test_a_key_that_does_not_belong_to_the_certificate_is_refused(identity):
    other = consortium().material.user("Org2MSP", "User1").private_key_pem
    with pytest.raises(GridloomError, match="not the one of the certificate"):
        WalletIdentity("Org1MSP", identity.certificate, other).signer()


@pytest.mark.parametrize("key", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_key_is_refused(identity, key):
    with pytest.raises(GridloomError, match="private key"):
        WalletIdentity("Org1MSP", identity.certificate, key).signer()

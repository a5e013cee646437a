"""Folders like those of fabric-ca-client: which file is where, and what is read back."""

import random
from pathlib import Path

import pytest

from gridloom.ca.subjects import Subject
from gridloom.client.enrollment import CaIdentity, CaInfo, CertificateAuthority
from gridloom.client.enrollment.msp_folder import FileNames, MspFolder, NotEnrolled
from gridloom.common import crypto
from gridloom.common.identities import InvalidIdentity
from gridloom.common.msp_directory import load_signing_identity
from gridloom.common.msp_files import node_ou_config
from harness.authorities import NOW, root_ca

AUTHORITY = CertificateAuthority("https://localhost:7054", "ca-org1")
PLACE = ("localhost:7054", "ca-org1")


@pytest.fixture(scope="module")
def root():
    return root_ca()


@pytest.fixture(scope="module")
def issuer(root):
    return root.subordinate(Subject("ica.org1.example.com"))


def enrolled(issuer, chain, name="alice"):
    key = crypto.generate_key(random.Random(name).randbytes)
    certificate = issuer.issue(key.public_key(), Subject(name, ("client",))).pem()
    return CaIdentity(AUTHORITY, name, certificate, key, CaInfo("ca-org1", chain, "1.5"))


def with_node_ous(folder, root):
    """Add the file that nobody but the folder's owner can write."""
    (folder / "config.yaml").write_bytes(node_ou_config(f"cacerts/{root}"))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_folder_of_an_enrolment_is_an_msp(tmp_path, root):
    alice = enrolled(root, root.certificate.pem())
    written = MspFolder(tmp_path, PLACE).store(alice)
    ski = crypto.subject_key_id(alice.private_key.public_key()).hex()
    assert files(tmp_path) == [
        "cacerts/localhost-7054-ca-org1.pem",
        f"keystore/{ski}_sk",
        "signcerts/cert.pem",
    ]
    assert set(written.values()) == {tmp_path / file for file in files(tmp_path)}
    assert (tmp_path / f"keystore/{ski}_sk").stat().st_mode & 0o777 == 0o600
    with_node_ous(tmp_path, "localhost-7054-ca-org1.pem")
    signer = load_signing_identity(tmp_path, "Org1MSP", lambda: NOW)
    assert signer.certificate_pem == alice.certificate_pem


def test_intermediates_have_a_folder_of_their_own(tmp_path, root, issuer):
    chain = root.certificate.pem() + issuer.certificate.pem()
    MspFolder(tmp_path, ("ca.org1.example.com:7054", "")).store(enrolled(issuer, chain))
    name = "ca-org1-example-com-7054.pem"
    assert (tmp_path / "cacerts" / name).read_bytes() == root.certificate.pem()
    assert (tmp_path / "intermediatecerts" / name).read_bytes() == issuer.certificate.pem()
    with_node_ous(tmp_path, name)
    assert load_signing_identity(tmp_path, "Org1MSP", lambda: NOW)


def test_roots_for_tls_are_kept_apart(tmp_path, root, issuer):
    chain = root.certificate.pem() + issuer.certificate.pem()
    MspFolder(tmp_path, PLACE).store(enrolled(issuer, chain), "tls")
    assert (tmp_path / "tlscacerts" / "tls-localhost-7054-ca-org1.pem").exists()
    assert (tmp_path / "tlsintermediatecerts" / "tls-localhost-7054-ca-org1.pem").exists()
    assert not files(tmp_path / "cacerts")


def test_idemix_keys_are_kept_when_there_are_any(tmp_path, root):
    info = CaInfo("ca-org1", root.certificate.pem(), "1.5", b"key", b"revocation key")
    MspFolder(tmp_path, PLACE).trust(info)
    assert (tmp_path / "IssuerPublicKey").read_bytes() == b"key"
    assert (tmp_path / "IssuerRevocationPublicKey").read_bytes() == b"revocation key"


@pytest.mark.parametrize(
    "names", [FileNames(), FileNames(Path("my/key.pem"), Path("my/cert.pem"), Path("my/ca.pem"))]
)
def test_who_was_stored_is_loaded(tmp_path, root, names):
    alice = enrolled(root, root.certificate.pem())
    folder = MspFolder(tmp_path, PLACE, names)
    folder.store(alice)
    loaded = folder.load(AUTHORITY)
    assert loaded.name == "alice"
    assert loaded.certificate_pem == alice.certificate_pem
    assert loaded.private_key_pem == alice.private_key_pem


def test_a_second_enrolment_leaves_the_old_key(tmp_path, root):
    folder = MspFolder(tmp_path, PLACE)
    folder.store(enrolled(root, root.certificate.pem(), "one"))
    folder.store(enrolled(root, root.certificate.pem(), "two"))
    assert len(list((tmp_path / "keystore").iterdir())) == 2
    assert folder.load(AUTHORITY).name == "two"


def test_nobody_is_in_an_empty_folder(tmp_path, root):
    folder = MspFolder(tmp_path, PLACE)
    with pytest.raises(NotEnrolled, match=r"cert\.pem"):
        folder.load(AUTHORITY)
    folder.store(enrolled(root, root.certificate.pem()))
    for key in (tmp_path / "keystore").iterdir():
        key.unlink()
    with pytest.raises(NotEnrolled, match="no private key"):
        folder.load(AUTHORITY)


def test_a_wrong_key_is_found_out(tmp_path, root):
    names = FileNames(key=Path("key.pem"))
    folder = MspFolder(tmp_path, PLACE, names)
    folder.store(enrolled(root, root.certificate.pem()))
    (tmp_path / "key.pem").write_bytes(enrolled(root, b"", "bob").private_key_pem)
    with pytest.raises(NotEnrolled, match="not the key"):
        folder.load(AUTHORITY)


def test_what_is_no_ca_is_not_trusted(tmp_path, root):
    leaf = enrolled(root, b"").certificate_pem
    with pytest.raises(InvalidIdentity, match="alice in the authority's chain is no CA"):
        MspFolder(tmp_path, PLACE).trust(CaInfo("ca", leaf, "1.5"))

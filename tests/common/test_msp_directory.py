"""MSP folders: read as Fabric reads them, written so that Fabric can read them."""

import logging
import random
import stat
from datetime import timedelta

import pytest
import yaml

from gridloom.common import crypto
from gridloom.common.identities import InvalidMspConfig
from gridloom.common.keystore import KeyNotFound, find_key, key_pem, read_key
from gridloom.common.msp_directory import (
    MspDirectoryError,
    MspFiles,
    load_msp,
    load_signing_identity,
    write_msp,
)
from gridloom.common.msp_files import node_ou_config
from gridloom.protos.msp.msp_config_pb2 import FabricMSPConfig
from harness.authorities import MSP_ID, NOW, Clock, member, root_ca
from harness.shared import shared

CA = root_ca()
SIGNER = member(CA)
KEY = crypto.generate_key(random.Random("User1").randbytes)
FILES = MspFiles(
    cacerts={"ca-cert.pem": CA.certificate.pem()},
    tlscacerts={"tls-cert.pem": root_ca("tlsca").certificate.pem()},
    signcerts={"cert.pem": SIGNER.certificate_pem},
    keystore={"priv_sk": key_pem(KEY)},
    node_ou_certificate="cacerts/ca-cert.pem",
)


@pytest.fixture
def folder(tmp_path):
    """A member's MSP folder."""
    write_msp(tmp_path / "msp", FILES)
    return tmp_path / "msp"


def read(folder) -> FabricMSPConfig:
    return FabricMSPConfig.FromString(load_msp(folder, MSP_ID).config)


def test_a_folder_gives_the_config_its_files_promise(folder):
    assert load_msp(folder, MSP_ID) == FILES.config(MSP_ID)
    config = read(folder)
    assert config.name == MSP_ID
    assert not config.HasField("signing_identity")
    assert config.fabric_node_ous.orderer_ou_identifier.certificate == CA.certificate.pem()


def test_every_kind_of_file_lands_in_its_field(tmp_path):
    pem = CA.certificate.pem()
    files = MspFiles(
        cacerts={"b": pem, "a": root_ca("other").certificate.pem()},
        intermediatecerts={"i": pem},
        admincerts={"x": SIGNER.certificate_pem},
        crls={"c": CA.revocation_list({})},
        tlscacerts={"t": pem},
        tlsintermediatecerts={"ti": pem},
    )
    write_msp(tmp_path, files)
    config = read(tmp_path)
    assert config == FabricMSPConfig.FromString(files.config(MSP_ID).config)
    assert config.root_certs[1] == pem  # file names decide the order
    assert list(config.revocation_list) == [CA.revocation_list({})]
    assert not config.HasField("fabric_node_ous")
    for field in ("intermediate_certs", "admins", "tls_root_certs", "tls_intermediate_certs"):
        assert len(getattr(config, field)) == 1


def test_a_written_config_file_says_what_cryptogens_says():
    golden = shared("golden", "msp", "crypto", "peerOrganizations", "org1.example.com", "msp")
    ours = yaml.safe_load(node_ou_config("cacerts/ca.org1.example.com-cert.pem"))
    assert ours == yaml.safe_load((golden / "config.yaml").read_bytes())


def test_keys_are_readable_by_their_owner_only(folder):
    key = folder / "keystore" / "priv_sk"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    write_msp(folder, FILES)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_signing_identity_signs_as_the_folders_certificate(folder):
    signer = load_signing_identity(folder, MSP_ID, Clock())
    assert signer.serialized == SIGNER.serialized
    crypto.verify(KEY.public_key(), b"message", signer.sign(b"message"))


def test_an_expired_or_foreign_signing_identity_is_refused(folder):
    with pytest.raises(MspDirectoryError, match="expired"):
        load_signing_identity(folder, MSP_ID, Clock(NOW + timedelta(days=4000)))
    (folder / "keystore" / "priv_sk").write_bytes(
        key_pem(crypto.generate_key(random.Random(99).randbytes))
    )
    with pytest.raises(KeyNotFound, match="no private key with SKI"):
        load_signing_identity(folder, MSP_ID, Clock())
    (folder / "signcerts" / "cert.pem").write_bytes(b"")
    with pytest.raises(MspDirectoryError, match="no signing certificate"):
        load_signing_identity(folder, MSP_ID, Clock())


def test_a_folder_that_is_no_good_msp_has_no_signing_identity(folder):
    (folder / "cacerts" / "ca-cert.pem").write_bytes(SIGNER.certificate_pem)
    with pytest.raises(InvalidMspConfig):
        load_signing_identity(folder, MSP_ID, Clock())


def test_a_key_is_found_by_its_identifier_whatever_its_file_is_called(tmp_path):
    ski = crypto.subject_key_id(KEY.public_key()).hex()
    (tmp_path / "a.txt").write_bytes(b"no key")
    (tmp_path / "big").write_bytes(key_pem(KEY) + b"\n" * (1 << 16))
    with pytest.raises(KeyNotFound):
        find_key(tmp_path, SIGNER.details)
    (tmp_path / "z.pem").write_bytes(key_pem(KEY))
    assert find_key(tmp_path, SIGNER.details).private_numbers() == KEY.private_numbers()
    (tmp_path / "z.pem").rename(tmp_path / f"{ski}_sk")
    assert find_key(tmp_path, SIGNER.details).private_numbers() == KEY.private_numbers()
    with pytest.raises(KeyNotFound):
        find_key(tmp_path / "absent", SIGNER.details)


def test_other_things_are_not_read_as_keys():
    for data in (b"", b"junk", SIGNER.certificate_pem):
        assert read_key(data) is None


def test_without_ca_certificates_it_is_no_msp(folder, tmp_path):
    with pytest.raises(MspDirectoryError, match="no ca certificate"):
        load_msp(tmp_path / "absent", MSP_ID)
    (folder / "cacerts" / "ca-cert.pem").write_bytes(b"not pem")
    with pytest.raises(MspDirectoryError, match="no ca certificate"):
        load_msp(folder, MSP_ID)


def test_files_that_are_not_pem_and_folders_are_passed_over(folder, caplog):
    (folder / "cacerts" / "README").write_bytes(b"hello")
    (folder / "cacerts" / "old").mkdir()
    with caplog.at_level(logging.WARNING):
        assert load_msp(folder, MSP_ID) == FILES.config(MSP_ID)
    assert "README" in caplog.text


def test_tls_intermediates_without_tls_roots_are_ignored_as_in_fabric(folder):
    (folder / "tlscacerts" / "tls-cert.pem").unlink()
    (folder / "tlsintermediatecerts").mkdir()
    (folder / "tlsintermediatecerts" / "x.pem").write_bytes(CA.certificate.pem())
    assert not read(folder).tls_intermediate_certs


def test_disabled_node_ous_are_left_out_and_missing_certificates_warned_of(folder, caplog):
    path = folder / "config.yaml"
    document = yaml.safe_load(path.read_bytes())
    document["NodeOUs"]["ClientOUIdentifier"]["Certificate"] = "cacerts/absent.pem"
    del document["NodeOUs"]["PeerOUIdentifier"]["Certificate"]
    del document["NodeOUs"]["AdminOUIdentifier"]
    path.write_text(yaml.safe_dump(document))
    with caplog.at_level(logging.WARNING):
        units = read(folder).fabric_node_ous
    assert "absent.pem" in caplog.text
    assert units.client_ou_identifier.organizational_unit_identifier == "client"
    assert not units.client_ou_identifier.certificate
    assert not units.peer_ou_identifier.certificate
    assert not units.HasField("admin_ou_identifier")
    document["NodeOUs"]["Enable"] = False
    path.write_text(yaml.safe_dump(document))
    assert not read(folder).HasField("fabric_node_ous")


def test_prescribed_units_are_read_and_need_their_certificate(folder):
    entry = {"Certificate": "cacerts/ca-cert.pem", "OrganizationalUnitIdentifier": "traders"}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"OrganizationalUnitIdentifiers": [entry]}))
    (unit,) = read(folder).organizational_unit_identifiers
    assert unit.organizational_unit_identifier == "traders"
    assert unit.certificate == CA.certificate.pem()
    entry["Certificate"] = "cacerts/absent.pem"
    path.write_text(yaml.safe_dump({"OrganizationalUnitIdentifiers": [entry]}))
    with pytest.raises(MspDirectoryError, match="absent"):
        load_msp(folder, MSP_ID)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "- 1",
        "NodeOUs: 7",
        "NodeOUs: {Enable: 1, ClientOUIdentifier: 3}",
        "\x00",
        "OrganizationalUnitIdentifiers: {a: b}",
        'OrganizationalUnitIdentifiers: [{Certificate: "no\\0file"}]',
        "[" * 5000,
    ],
)
def test_a_malformed_config_file_names_itself(folder, text):
    (folder / "config.yaml").write_text(text)
    with pytest.raises(MspDirectoryError, match=r"config\.yaml"):
        load_msp(folder, MSP_ID)


def test_an_empty_config_file_means_nothing(folder):
    (folder / "config.yaml").write_text("")
    assert not read(folder).HasField("fabric_node_ous")

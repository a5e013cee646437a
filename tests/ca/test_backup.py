"""A CA's folder in one file: made while it serves, restored elsewhere, going on from there."""

from __future__ import annotations

import asyncio
import tarfile

import pytest

from gridloom.ca.backup import BackupRefused, back_up, restore
from gridloom.ca.config_file import create_config
from gridloom.ca.home import open_authority
from gridloom.ca.settings import load_settings
from harness.membership import Clock, client_of


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "ca"
    folder.mkdir()
    create_config(folder, "admin:adminpw", "ca-org1")
    return folder


def opened(folder, **variables):
    return open_authority(load_settings(folder, variables).homes[0], Clock())


def test_a_restored_ca_goes_on_where_the_backup_was_made(home, tmp_path):
    first = opened(home)
    ca = client_of(first)
    admin = asyncio.run(ca.enroll("admin", "adminpw"))
    secret = asyncio.run(ca.register(admin, "alice", max_enrollments=1))
    asyncio.run(ca.newcomer(admin, "revoked"))
    asyncio.run(ca.ask("POST", "/revoke", {"id": "revoked"}, by=admin))
    names = back_up(home, tmp_path / "backup.tar.gz", {})
    assert "fabric-ca-server.db" in names
    asyncio.run(ca.register(admin, "later"))

    assert set(restore(tmp_path / "backup.tar.gz", tmp_path / "again")) == set(names)
    second = opened(tmp_path / "again")
    again = client_of(second)
    assert second.certificate == first.certificate
    listed = asyncio.run(again.ask("GET", "/identities", by=admin)).result["identities"]
    assert [each["id"] for each in listed] == ["admin", "alice", "revoked"]
    assert asyncio.run(again.enroll("alice", secret)).certificate
    revoked = asyncio.run(again.ask("GET", "/certificates?notrevoked=1", by=admin)).result
    assert len(revoked["certs"]) == 2
    for each in (first, second):
        each.close()


def test_a_backup_is_for_its_owner_and_restored_keys_are_too(home, tmp_path):
    opened(home).close()
    target = tmp_path / "backup.tar.gz"
    back_up(home, target, {})
    assert target.stat().st_mode & 0o777 == 0o600
    restore(target, tmp_path / "again")
    for path in (tmp_path / "again").rglob("*"):
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0


def test_the_passphrase_stays_outside(home, tmp_path):
    (home / "pass").write_text("open sesame")
    variables = {"FABRIC_CA_SERVER_CA_PASSPHRASEFILE": "pass"}
    opened(home, **variables).close()
    assert "pass" not in back_up(home, tmp_path / "backup.tar.gz", variables)


def test_several_cas_are_backed_up_together(home, tmp_path):
    variables = {"FABRIC_CA_SERVER_CACOUNT": "1"}
    for each in load_settings(home, variables).homes:
        open_authority(each, Clock()).close()
    names = back_up(home, tmp_path / "backup.tar.gz", variables)
    assert "ca/ca1/fabric-ca-server.db" in names
    assert sum(name.endswith("_sk") for name in names) == 2


def test_nothing_is_overwritten(home, tmp_path):
    opened(home).close()
    target = tmp_path / "backup.tar.gz"
    target.write_text("precious")
    with pytest.raises(BackupRefused, match="exists already"):
        back_up(home, target, {})
    assert target.read_text() == "precious"
    back_up(home, tmp_path / "other.tar.gz", {})
    with pytest.raises(BackupRefused, match="not empty"):
        restore(tmp_path / "other.tar.gz", home)


def test_a_backup_that_fails_leaves_no_file(home, tmp_path):
    opened(home).close()
    outside = tmp_path / "ca-cert.pem"
    outside.write_bytes((home / "ca-cert.pem").read_bytes())
    variables = {"FABRIC_CA_SERVER_CA_CERTFILE": str(outside)}
    with pytest.raises(BackupRefused, match="lies outside"):
        back_up(home, tmp_path / "backup.tar.gz", variables)
    assert not (tmp_path / "backup.tar.gz").exists()


def test_what_is_no_backup_is_not_restored(tmp_path):
    torn = tmp_path / "torn.tar.gz"
    torn.write_bytes(b"\x1f\x8b\x08 no archive")
    with pytest.raises(BackupRefused, match="cannot be unpacked"):
        restore(torn, tmp_path / "a")
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as tar:
        tar.add(torn, "../escape")
    with pytest.raises(BackupRefused, match="no backup of a CA"):
        restore(other, tmp_path / "b")


def test_a_backup_cannot_write_outside_of_the_folder(home, tmp_path):
    opened(home).close()
    evil = tmp_path / "evil.tar.gz"
    with tarfile.open(evil, "w:gz") as tar:
        tar.add(home / "fabric-ca-server-config.yaml", "fabric-ca-server-config.yaml")
        tar.add(home / "ca-cert.pem", "../escaped.pem")
    with pytest.raises(BackupRefused, match="cannot be unpacked"):
        restore(evil, tmp_path / "c")
    assert not (tmp_path / "escaped.pem").exists()

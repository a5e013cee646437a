"""CAs in folders: made, opened again, protected by a passphrase, certified by a parent."""

from __future__ import annotations

import asyncio
import shutil
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from gridloom.ca.authority import Authority, AuthorityUnusable
from gridloom.ca.config_file import create_config
from gridloom.ca.home import open_authority, server_tls
from gridloom.ca.parent import ParentRefused
from gridloom.ca.process import open_authorities
from gridloom.ca.server import CaServer
from gridloom.ca.service import Service
from gridloom.ca.settings import CONFIG_FILE, load_settings
from gridloom.ca.subjects import Subject
from gridloom.common.certificates import parse_pem
from gridloom.common.rpc.tls import ServerTls
from harness.membership import Clock, authority, client_of, issuer, new_key


@pytest.fixture
def clock() -> Clock:
    return Clock()


def settings_of(folder: Path, **variables: str):
    if not (folder / CONFIG_FILE).exists():
        folder.mkdir(exist_ok=True)
        create_config(folder, "admin:adminpw", "ca-org1")
    environment = {f"FABRIC_CA_SERVER_{name}": value for name, value in variables.items()}
    return load_settings(folder, environment)


def opened(folder: Path, clock: Clock, **variables: str) -> Authority:
    return open_authority(settings_of(folder, **variables).homes[0], clock)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}


def test_a_home_is_made_once(tmp_path, clock):
    made = opened(tmp_path, clock)
    again = opened(tmp_path, clock)
    assert made.certificate == again.certificate
    assert made.certificate.common_name == "fabric-ca-server"
    assert made.certificate.path_length == 1
    again.close()
    made.close()


def test_only_the_owner_reads_keys_settings_and_database(tmp_path, clock):
    made = opened(tmp_path, clock)
    server_tls(settings_of(tmp_path, TLS_ENABLED="true").tls, settings_of(tmp_path).homes[0], made)
    public = {"ca-cert.pem", "tls-cert.pem"}
    found = modes(tmp_path)
    assert public <= set(found)
    assert {name for name, mode in found.items() if mode & 0o077} == public
    made.close()


@pytest.mark.parametrize("size", ["256", "384", "521"])
def test_keys_of_each_size(tmp_path, clock, size):
    made = opened(tmp_path, clock, CSR_KEYREQUEST_SIZE=size)
    assert made.certificate.key.key.key_size == int(size)
    assert asyncio.run(client_of(made).enroll("admin", "adminpw")).certificate
    made.close()


def test_a_passphrase_locks_the_keys(tmp_path, clock):
    (tmp_path / "pass").write_text("open sesame\n")
    made = opened(tmp_path, clock, CA_PASSPHRASEFILE="pass")
    (key,) = (tmp_path / "msp" / "keystore").iterdir()
    assert b"ENCRYPTED" in key.read_bytes()
    opened(tmp_path, clock, CA_PASSPHRASEFILE="pass").close()
    with pytest.raises(AuthorityUnusable, match=r"needs ca\.passphrasefile"):
        opened(tmp_path, clock)
    (tmp_path / "pass").write_text("open barley\n")
    with pytest.raises(AuthorityUnusable) as unusable:
        opened(tmp_path, clock, CA_PASSPHRASEFILE="pass")
    assert "barley" not in str(unusable.value)
    (tmp_path / "pass").write_text("\n")
    with pytest.raises(AuthorityUnusable, match="is empty"):
        opened(tmp_path, clock, CA_PASSPHRASEFILE="pass")
    made.close()


def test_a_key_of_ones_own_is_used(tmp_path, clock):
    root = issuer(clock)
    root.save(tmp_path)
    names = {"CA_CERTFILE": f"{root.name}-cert.pem", "CA_KEYFILE": "priv_sk"}
    made = opened(tmp_path, clock, **names)
    assert made.certificate == root.certificate
    made.close()


def test_a_key_without_its_certificate_is_not_replaced(tmp_path, clock):
    issuer(clock).save(tmp_path)
    with pytest.raises(AuthorityUnusable, match="there is a key, but no"):
        opened(tmp_path, clock, CA_KEYFILE="priv_sk")


def test_a_certificate_without_its_key_is_named(tmp_path, clock):
    opened(tmp_path, clock).close()
    shutil.rmtree(tmp_path / "msp")
    with pytest.raises(AuthorityUnusable, match="no private key"):
        opened(tmp_path, clock)


@pytest.mark.parametrize(("days", "reason"), [(-1, "valid from"), (10**4, "expired")])
def test_a_ca_out_of_its_time_is_not_opened(tmp_path, clock, days, reason):
    opened(tmp_path, clock).close()
    clock.advance(days=days)
    with pytest.raises(AuthorityUnusable, match=reason):
        opened(tmp_path, clock)


def test_a_certificate_that_is_no_cas_is_not_used(tmp_path, clock):
    leaf = issuer(clock).issue(new_key().public_key(), Subject("leaf"))
    (tmp_path / "ca-cert.pem").write_bytes(leaf.pem())
    with pytest.raises(AuthorityUnusable, match="no CA"):
        opened(tmp_path, clock)
    (tmp_path / "ca-cert.pem").write_bytes(b"nothing")
    with pytest.raises(AuthorityUnusable, match="PEM"):
        opened(tmp_path, clock)


def test_identities_and_affiliations_are_there_once(tmp_path, clock):
    opened(tmp_path, clock).close()
    made = opened(tmp_path, clock)
    with made.database.read() as store:
        assert [each.id for each in store.identities.page("", 9, "", ["*"])] == ["admin"]
        assert len(store.affiliations.names()) == 5
    made.close()


def test_the_servers_certificate_is_made_by_its_ca(tmp_path, clock):
    settings = settings_of(tmp_path, TLS_ENABLED="true", CSR_HOSTS="ca.org1.example.com")
    made = open_authority(settings.homes[0], clock)
    first = server_tls(settings.tls, settings.homes[0], made)
    assert server_tls(settings.tls, settings.homes[0], made) == first
    certificate = parse_pem(first.certificate)
    assert certificate.is_issued_by(made.certificate)
    names = certificate.extension(x509.SubjectAlternativeName)
    assert names.get_values_for_type(x509.DNSName) == ["ca.org1.example.com", "localhost"]
    made.close()


def test_a_named_key_must_fit(tmp_path, clock):
    settings = settings_of(tmp_path, TLS_ENABLED="true")
    made = open_authority(settings.homes[0], clock)
    server_tls(settings.tls, settings.homes[0], made)
    other = tmp_path / "other"
    issuer(clock).save(other)
    wrong = settings_of(tmp_path, TLS_ENABLED="true", TLS_KEYFILE="other/priv_sk")
    with pytest.raises(AuthorityUnusable, match="is not the key of"):
        server_tls(wrong.tls, wrong.homes[0], made)
    made.close()


def test_cas_of_one_server_must_not_share_a_database(tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    (second / "ca.yaml").write_text(
        "ca: {name: second}\ndb: {datasource: ../fabric-ca-server.db}\n"
    )
    with pytest.raises(AuthorityUnusable, match="also that of CA 'ca-org1'"):
        open_authorities(settings_of(tmp_path, CAFILES="second/ca.yaml"))


def test_several_cas_are_opened_together(tmp_path, clock):
    authorities = open_authorities(settings_of(tmp_path, CACOUNT="2"), clock)
    assert [each.name for each in authorities] == ["ca-org1", "ca1", "ca2"]
    assert len({each.certificate.raw for each in authorities}) == 3
    for each in authorities:
        each.close()


@contextmanager
def parent_server(parent: Authority, tls: ServerTls | None = None):
    """Serves a CA in a thread of its own, for the child asks without asyncio."""
    loop = asyncio.new_event_loop()
    server = CaServer(Service([parent]), "127.0.0.1:0", tls)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.start(), loop).result(30)
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def intermediate(folder: Path, clock: Clock, url: str, **variables: str) -> Authority:
    folder.mkdir()
    create_config(folder, "admin:adminpw", "ca-mid", url)
    return opened(folder, clock, **variables)


def test_an_intermediate_ca_enrolls_with_its_parent(tmp_path, clock):
    parent = opened(tmp_path / "root", clock)
    with parent_server(parent) as port:
        child = intermediate(tmp_path / "mid", clock, f"http://admin:adminpw@127.0.0.1:{port}")
    assert child.certificate.is_issued_by(parent.certificate)
    assert child.certificate.path_length == 0
    assert child.certificate.common_name == "admin"
    assert child.chain == child.certificate.pem() + parent.chain
    alice = asyncio.run(client_of(child).enroll("admin", "adminpw"))
    assert alice.certificate.is_issued_by(child.certificate)
    again = opened(tmp_path / "mid", clock)
    assert again.certificate == child.certificate, "the parent is asked once"
    assert asyncio.run(client_of(again).ask("GET", "/identities", by=alice)).status == 200
    for each in (parent, child, again):
        each.close()


def test_an_intermediate_ca_certifies_no_further_ca(tmp_path, clock):
    parent = opened(tmp_path / "root", clock)
    with parent_server(parent) as port:
        child = intermediate(tmp_path / "mid", clock, f"http://admin:adminpw@127.0.0.1:{port}")
    with pytest.raises(AssertionError, match="may not certify other CAs"):
        asyncio.run(client_of(child).enroll("admin", "adminpw", profile="ca"))
    for each in (parent, child):
        each.close()


def test_the_parents_tls_is_checked(tmp_path):
    clock = Clock(datetime.now(UTC))  # TLS knows no other
    settings = settings_of(tmp_path / "root", TLS_ENABLED="true")
    parent = open_authority(settings.homes[0], clock)
    tls = server_tls(settings.tls, settings.homes[0], parent)
    with parent_server(parent, tls) as port:
        url = f"https://admin:adminpw@localhost:{port}"
        with pytest.raises(ParentRefused, match="its TLS certificate is not trusted"):
            intermediate(
                tmp_path / "wrong",
                clock,
                url,
                INTERMEDIATE_TLS_CERTFILES=str(foreign_root(tmp_path, clock)),
            )
        child = intermediate(
            tmp_path / "mid",
            clock,
            url,
            INTERMEDIATE_TLS_CERTFILES=str(tmp_path / "root" / "ca-cert.pem"),
        )
    assert child.certificate.is_issued_by(parent.certificate)
    for each in (parent, child):
        each.close()


def foreign_root(folder: Path, clock: Clock) -> Path:
    path = folder / "foreign.pem"
    path.write_bytes(issuer(clock, "foreign").certificate.pem())
    return path


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://admin:wrong-secret@127.0.0.1:{port}", "status 401: Authentication failure"),
        ("http://127.0.0.1:{port}", "expected a URL such as"),
        ("ftp://admin:wrong-secret@127.0.0.1:{port}", "expected a URL such as"),
        ("http://user:wrong-secret@127.0.0.1:{port}", "status 403"),
    ],
)
def test_a_parent_that_refuses_is_quoted_without_the_secret(tmp_path, clock, url, reason):
    parent = authority(clock=clock)
    admin = asyncio.run(client_of(parent).enroll("admin", "adminpw"))
    asyncio.run(client_of(parent).register(admin, "user", secret="wrong-secret"))
    with parent_server(parent) as port, pytest.raises(ParentRefused) as refused:
        intermediate(tmp_path / "mid", clock, url.format(port=port))
    assert reason in str(refused.value)
    assert "wrong-secret" not in str(refused.value)
    assert not (tmp_path / "mid" / "ca-cert.pem").exists()
    parent.close()


def test_a_parent_that_is_not_there_is_an_error(tmp_path, clock):
    with pytest.raises(OSError, match="refused"):
        intermediate(tmp_path / "mid", clock, "http://admin:adminpw@127.0.0.1:1")

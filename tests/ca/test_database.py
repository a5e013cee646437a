"""The CA's tables on each kind of database: what they promise is the same."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.x509 import Name, NameAttribute, NameOID

from gridloom.ca import certificate_records
from gridloom.ca.attributes import Attribute
from gridloom.ca.certificate_records import CertificateFilter, SerialTaken, serial_of
from gridloom.ca.database import Database, DatabaseUnusable
from gridloom.ca.identity import Identity
from gridloom.ca.profiles import DEFAULT_PROFILES
from gridloom.ca.refusals import Refusal
from harness.membership import MORNING, Clock, issuer, new_key
from harness.postgres import postgres_server

ALICE = Identity(
    "alice",
    "client",
    "org1.department1",
    (Attribute("role", "BU", True), Attribute("größe", "5 %")),
    max_enrollments=2,
    secret_hash="$argon2id$",
)
KEY_ID = "abc"


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    made = {
        "memory": Database.in_memory,
        "sqlite": lambda: Database.sqlite(tmp_path / "ca.db"),
        "postgres": lambda: Database.postgres(postgres_server().new_database()),
    }[request.param]()
    yield made
    made.close()


def certificate(identity="alice", days=1):
    ca = issuer(Clock())
    key = new_key().public_key()
    name = Name([NameAttribute(NameOID.COMMON_NAME, identity)])
    validity = MORNING, MORNING + timedelta(days=days)
    return ca.certify(key, name, validity, DEFAULT_PROFILES[""].extensions(), [])


def test_identities_are_kept_as_they_are(database):
    with database.write() as store:
        store.identities.add(ALICE)
    with database.read() as store:
        assert store.identities.find("alice") == ALICE
        assert store.identities.find("ALICE") is None
        assert store.identities.find("a\x00") is None
        with pytest.raises(Refusal, match="no rows in result set"):
            store.identities.get("bob")


def test_an_id_is_given_once(database):
    with database.write() as store:
        store.identities.add(ALICE)

    def register_again():
        with database.write() as store:
            store.affiliations.add("org9")
            store.identities.add(replace(ALICE, type="peer"))

    with pytest.raises(Refusal) as refused:
        register_again()
    assert refused.value.status == 409
    with database.read() as store:
        assert store.identities.get("alice").type == "client"
        assert "org9" not in store.affiliations, "all of a transaction or nothing"


def test_enrollments_are_counted_up_to_the_limit(database):
    with database.write() as store:
        store.identities.add(ALICE)
        assert store.identities.enrolled(ALICE, -1, 0)
        assert store.identities.enrolled(ALICE, 2, 10)
        assert not store.identities.enrolled(ALICE, -1, 0)
        assert store.identities.get("alice").state == 2


def test_a_revoked_or_locked_identity_does_not_enroll(database):
    with database.write() as store:
        store.identities.add(replace(ALICE, max_enrollments=-1))
        for _ in range(3):
            store.identities.failed_attempt("alice")
        alice = store.identities.get("alice")
        assert alice.failed_attempts == 3
        assert not store.identities.enrolled(alice, -1, 3)
        assert store.identities.enrolled(alice, -1, 4)
        store.identities.forget_attempts("alice")
        assert store.identities.enrolled(alice, -1, 1)
        store.identities.revoke("alice")
        assert not store.identities.enrolled(alice, -1, 0)


def test_identities_come_in_pages_by_affiliation_and_type(database):
    people = [
        ("a", "client", "org1"),
        ("b", "peer", "org1.x"),
        ("c", "client", "org1.x"),
        ("d", "client", "org1x"),
        ("e", "client", "Org1"),
    ]
    with database.write() as store:
        for each in people:
            store.identities.add(Identity(*each, secret_hash="h"))
    with database.read() as store:

        def page(*wanted):
            return [identity.id for identity in store.identities.page(*wanted)]

        assert page("", 3, "", ["*"]) == ["a", "b", "c"]
        assert page("c", 3, "", ["*"]) == ["d", "e"]
        assert page("", 9, "org1", ["*"]) == ["a", "b", "c"]
        assert page("", 9, "org1", ["client"]) == ["a", "c"]
        assert [each.id for each in store.identities.of_affiliation("org1.x")] == ["b", "c"]


def test_affiliations_are_renamed_with_all_below(database):
    with database.write() as store:
        for name in ("a", "a.b", "a.b.c", "ab", "A.b"):
            store.affiliations.add(name)
            store.affiliations.add(name)
        store.affiliations.rename("a.b", "x.y")
    with database.write() as store:
        assert store.affiliations.names() == ["A.b", "a", "ab", "x.y", "x.y.c"]
        assert store.affiliations.names("x.y") == ["x.y", "x.y.c"]
        store.affiliations.remove("a")
        assert store.affiliations.names() == ["A.b", "ab", "x.y", "x.y.c"]


def test_a_serial_number_is_issued_once(database):
    issued = certificate()
    with database.write() as store:
        store.certificates.add(issued, KEY_ID)
    with pytest.raises(SerialTaken) as taken, database.write() as store:
        store.certificates.add(issued, KEY_ID)
    assert taken.value.serial == serial_of(issued)


def test_certificates_are_found_and_revoked(database):
    one, two, other = certificate(), certificate(), certificate("bob")
    with database.write() as store:
        for each in (one, two, other):
            store.certificates.add(each, KEY_ID)
        record = store.certificates.find(serial_of(one), KEY_ID)
        assert (record.id, record.pem, record.is_revoked) == ("alice", one.pem().decode(), False)
        assert store.certificates.find(serial_of(one), "other") is None
        store.certificates.revoke(record, 1, MORNING)
    with database.write() as store:
        record = store.certificates.find(serial_of(one), KEY_ID)
        assert (record.is_revoked, record.revoked_at) == (True, MORNING)
        later = MORNING + timedelta(hours=1)
        (revoked,) = store.certificates.revoke_of(["alice"], 4, later)
        assert revoked.serial == serial_of(two)
        both = store.certificates.revoked()
        assert [each.revoked_at for each in both] == [MORNING, later], "the first date stays"
        (last,) = store.certificates.revoked(revoked_after=MORNING)
        assert last.serial == serial_of(two)
        wanted = CertificateFilter(not_revoked=True)
        assert [each.id for each in store.certificates.page(0, 9, wanted)] == ["bob"]


def test_numbers_are_kept_as_fabric_ca_keeps_them():
    assert certificate_records.plain_hex("00:0A:bC") == "abc"


def test_many_threads_write_and_none_is_lost(database):
    def write(number):
        for step in range(5):
            with database.write() as store:
                store.identities.add(Identity(f"{number}-{step}", secret_hash="h"))
            with database.read() as store:
                assert store.identities.find(f"{number}-{step}") is not None

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as store:
        assert len(store.identities.page("", 100, "", ["*"])) == 30


def test_a_database_is_opened_again_with_all_there_was(tmp_path):
    first = Database.sqlite(tmp_path / "ca.db")
    with first.write() as store:
        store.identities.add(ALICE)
    first.close()
    again = Database.sqlite(tmp_path / "ca.db")
    with again.read() as store:
        assert store.identities.get("alice") == ALICE
    again.close()


def test_databases_of_others_are_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE users (id TEXT)")
    with pytest.raises(DatabaseUnusable, match="not made by this program"):
        Database.sqlite(path)
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE properties (property TEXT, value TEXT)")
    with pytest.raises(DatabaseUnusable, match="of another program"):
        Database.sqlite(path)
    with sqlite3.connect(path) as theirs:
        theirs.execute("INSERT INTO properties VALUES ('gridloom.schema', '99')")
    with pytest.raises(DatabaseUnusable, match="of schema 99"):
        Database.sqlite(path)
    (tmp_path / "torn.db").write_bytes(b"no database at all, but long enough to be looked at")
    with pytest.raises(DatabaseUnusable, match="not a database"):
        Database.sqlite(tmp_path / "torn.db")


def test_a_database_that_is_not_there_says_no_secret():
    datasource = "host=127.0.0.1 port=1 user=me password=secret dbname=x connect_timeout=2"
    with pytest.raises(DatabaseUnusable) as unusable:
        Database.postgres(datasource)
    assert "secret" not in str(unusable.value)


def test_a_failing_database_is_a_refusal_without_details(tmp_path):
    database = Database.sqlite(tmp_path / "ca.db")
    with sqlite3.connect(tmp_path / "ca.db") as other:
        other.execute("DROP TABLE users")
    with pytest.raises(Refusal) as refused, database.write() as store:
        store.identities.add(ALICE)
    assert (refused.value.status, refused.value.code) == (504, 51)
    assert refused.value.message == "Failed to process database request"
    assert "argon2" not in refused.value.reason
    database.close()


@pytest.mark.postgres
def test_servers_that_share_a_database_take_turns():
    """A change of an identity and an enrollment at the same time: neither undoes the other."""
    url = postgres_server().new_database()
    one, other = Database.postgres(url), Database.postgres(url)
    with one.write() as store:
        store.identities.add(replace(ALICE, max_enrollments=-1))
    inside = threading.Event()

    def enroll():
        inside.wait(30)
        with other.write() as store:
            assert store.identities.enrolled(ALICE, 5, 0)

    enrolling = threading.Thread(target=enroll)
    enrolling.start()
    with one.write() as store:
        alice = store.identities.get("alice")
        inside.set()
        enrolling.join(0.5)
        assert enrolling.is_alive(), "it waits"
        store.identities.replace(replace(alice, type="peer"))
    enrolling.join(30)
    with one.read() as store:
        alice = store.identities.get("alice")
        assert (alice.type, alice.state) == ("peer", 1)
    for each in (one, other):
        each.close()

"""The PostgreSQL store: the common suite, durability, kills, and names of any kind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gridloom.peer.ledger.errors import LedgerClosed, StateDatabaseDiffers, StoreFailed
from gridloom.peer.ledger.postgres import PostgresStore, schema_name, stored_channels
from gridloom.peer.ledger.state_database import StateDatabase
from gridloom.peer.ledger.store import HistoryRow, TransactionRow
from harness.postgres import postgres_server
from harness.store_conformance import StoreConformance, contents, record

_TESTS = Path(__file__).parents[2]


@pytest.fixture
def url():
    return postgres_server().new_database()


class TestPostgresStore(StoreConformance):
    @pytest.fixture
    def store(self, url):
        store = PostgresStore(url, "peer0", "ch")
        yield store
        store.close()

    def test_everything_is_there_again_after_reopening(self, store, url):
        store.commit(record(0, {b"a": b"1"}, tx_ids=("one",)))
        store.close()
        again = PostgresStore(url, "peer0", "ch")
        assert again.height == 1
        assert again.transaction("one") == TransactionRow(0, 0, 0)
        snapshot = again.snapshot()
        assert contents(snapshot) == [(b"a", b"1")]
        snapshot.close()
        again.close()

    def test_keys_longer_than_a_row_of_an_index_are_kept_in_order(self, store):
        stem = os.urandom(5000)
        keys = [stem + end for end in (b"", b"\x00", b"a", b"b")] + [stem[:1000], stem[:999]]
        history = tuple(
            HistoryRow("cc", key, 0, 0, "x", 0, 0, False, b"v%d" % n) for n, key in enumerate(keys)
        )
        store.commit(record(0, {key: b"v%d" % n for n, key in enumerate(keys)}, history=history))
        store.commit(record(1, {keys[2]: b"new", keys[3]: b""}))
        snapshot = store.snapshot()
        expected = {key: b"v%d" % n for n, key in enumerate(keys)} | {keys[2]: b"new"}
        del expected[keys[3]]
        assert contents(snapshot) == sorted(expected.items())
        assert contents(snapshot, keys[0], keys[2]) == [(keys[0], b"v0"), (keys[1], b"v1")]
        found = snapshot.get_many([("cc", key) for key in keys])
        assert {key: entry.value for (_, key), entry in found.items()} == expected
        snapshot.close()
        assert [row.value for row in store.history("cc", keys[1])] == [b"v1"]

    def test_transaction_ids_may_be_of_any_text(self, store):
        ids = ("a\0b", "a0b", "\uf8ff", "\uf8ff0", "x" * 10_000, "é")
        store.commit(record(0, tx_ids=ids))
        found = [store.transaction(tx_id) for tx_id in ids]
        assert found == [TransactionRow(0, place, 0) for place in range(len(ids))]
        assert store.transaction("\0") is None
        assert sorted(store.tx_ids(1)) == sorted(ids)

    def test_a_snapshot_costs_no_connection_of_its_own(self, store):
        store.commit(record(0, {b"k": b"1"}))
        snapshots = [store.snapshot() for _ in range(300)]
        store.commit(record(1, {b"k": b"2"}))
        later = [store.snapshot() for _ in range(300)]
        values = [{s.get("cc", b"k").value for s in some} for some in (snapshots, later)]
        assert values == [{b"1"}, {b"2"}]
        for snapshot in (*snapshots, *later):
            snapshot.close()
            snapshot.close()

    def test_ledgers_of_several_peers_and_channels_share_a_database(self, store, url):
        others = [PostgresStore(url, *names) for names in (("peer0", "other"), ("peer1", "ch"))]
        store.commit(record(0, {b"k": b"mine"}))
        others[0].commit(record(0, {b"k": b"theirs"}))
        assert [other.height for other in others] == [1, 0]
        assert stored_channels(url, "peer0") == ["ch", "other"]
        assert stored_channels(url, "peer") == []
        for other in others:
            other.close()


def test_a_closed_store_says_so(url):
    store = PostgresStore(url, "peer0", "ch")
    store.close()
    store.close()
    for use in (store.snapshot, lambda: store.commit(record(0)), lambda: store.transaction("a")):
        with pytest.raises(LedgerClosed):
            use()


def test_a_snapshot_outlives_the_store_it_was_taken_of(url):
    store = PostgresStore(url, "peer0", "ch")
    store.commit(record(0, {b"k": b"1"}))
    snapshot = store.snapshot()
    store.close()
    assert contents(snapshot) == [(b"k", b"1")]
    snapshot.close()


def test_only_one_process_writes_a_ledger(url, monkeypatch):
    monkeypatch.setattr("gridloom.peer.ledger.postgres._LOCK_SECONDS", 0.1)
    store = PostgresStore(url, "peer0", "ch")
    with pytest.raises(StoreFailed, match="another process"):
        PostgresStore(url, "peer0", "ch")
    store.close()
    PostgresStore(url, "peer0", "ch").close()


def test_a_server_that_is_not_there_is_a_store_failure_without_its_password():
    url = "postgresql://me:secret@127.0.0.1:1/nowhere"
    with pytest.raises(StoreFailed, match=r"me:\*\*\*@127") as failure:
        PostgresStore(url, "peer0", "ch")
    assert "secret" not in str(failure.value)
    with pytest.raises(StoreFailed):
        stored_channels(url, "peer0")
    with pytest.raises(StoreFailed):
        PostgresStore("postgresql:", "peer0", "ch")


def test_rules_of_another_state_database_are_refused(url):
    PostgresStore(url, "peer0", "ch").close()
    with pytest.raises(StateDatabaseDiffers, match="goleveldb, not CouchDB"):
        PostgresStore(url, "peer0", "ch", StateDatabase.COUCHDB)


def test_long_names_of_schemas_stay_different():
    names = {schema_name("peer0." + "x" * 80, channel) for channel in ("a", "b")}
    assert len(names) == 2
    assert all(len(name.encode()) <= 63 for name in names)


_CHILD = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from gridloom.peer.ledger import postgres, sql_writer
from harness.store_conformance import record
from gridloom.peer.ledger.store import HistoryRow, TransientRow

store = postgres.PostgresStore({url!r}, "peer0", "ch")
def block(number):
    keys = {{b"k%d" % i: b"%d" % number for i in range(200)}} | {{b"n%d" % number: b"v"}}
    row = HistoryRow("cc", b"k0", number, 0, "tx%d" % number, 0, 0, False, b"v")
    ids, done = ("tx%d" % number,), ("t%d" % number,)
    return record(number, keys, tx_ids=ids, history=(row,), committed=done)
for number in range(3):
    store.put_transient("t%d" % number, TransientRow(0, b"x"))
store.commit(block(0))
store.commit(block(1))
{death}
store.commit(block(2))
"""

_DIE_INSIDE = """
write = sql_writer.Writer.__call__
def dying(self, sql, rows):
    write(self, sql, rows)
    if {statement!r} in sql:
        os.kill(os.getpid(), signal.SIGKILL)
sql_writer.Writer.__call__ = dying
"""


@pytest.mark.parametrize(
    "statement",
    ["INTO blocks", "INTO transactions", "INTO state", "INTO history", "FROM transient"],
)
def test_a_kill_in_the_middle_of_a_commit_leaves_the_blocks_before_it_whole(url, statement):
    death = _DIE_INSIDE.format(statement=statement)
    child = _run_child(_CHILD.format(tests=str(_TESTS), url=url, death=death))
    assert child.returncode == -signal.SIGKILL, child.stderr
    _check_blocks(url, height=2)


def test_a_kill_right_after_a_commit_keeps_the_block(url):
    code = _CHILD.format(tests=str(_TESTS), url=url, death="")
    child = _run_child(code + "os.kill(os.getpid(), signal.SIGKILL)\n")
    assert child.returncode == -signal.SIGKILL, child.stderr
    _check_blocks(url, height=3)


def _run_child(code):
    return subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)


def _check_blocks(url, height):
    """State, history, indexes and transient sets agree with the number of blocks."""
    store = PostgresStore(url, "peer0", "ch")
    assert store.height == height
    snapshot = store.snapshot()
    entries = dict(contents(snapshot))
    assert {entries[b"k%d" % number] for number in range(200)} == {b"%d" % (height - 1)}
    assert len(entries) == 200 + height
    snapshot.close()
    assert [row.block for row in store.history("cc", b"k0")] == list(range(height))[::-1]
    found = [store.transaction(f"tx{number}") for number in range(height + 1)]
    assert found == [TransactionRow(number, 0, 0) for number in range(height)] + [None]
    left = store.transient([f"t{number}" for number in range(3)])
    assert list(left) == [f"t{number}" for number in range(height, 3)]
    store.close()

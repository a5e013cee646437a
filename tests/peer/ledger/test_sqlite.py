"""The SQLite store: the common suite, durability, and what a kill leaves."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gridloom.peer.ledger.errors import LedgerClosed, StoreDamaged, StoreFailed
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.store import PrivateRow, TransactionRow
from harness.store_conformance import StoreConformance, contents, private_set, record

_TESTS = Path(__file__).parents[2]


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path):
        store = SqliteStore(tmp_path / "ledger.db")
        yield store
        store.close()

    def test_everything_is_there_again_after_reopening(self, store, tmp_path):
        store.commit(record(0, {b"a": b"1"}, tx_ids=("one",)))
        store.close()
        again = SqliteStore(tmp_path / "ledger.db")
        assert again.height == 1
        assert again.transaction("one") == TransactionRow(0, 0, 0)
        snapshot = again.snapshot()
        assert contents(snapshot) == [(b"a", b"1")]
        snapshot.close()
        again.close()


def test_what_expires_is_known_again_after_reopening(tmp_path):
    mortal = PrivateRow(0, "cc", "c", private_set("k"), expires_at=1)
    store = SqliteStore(tmp_path / "ledger.db")
    store.commit(record(0, private=(mortal,)))
    store.close()
    again = SqliteStore(tmp_path / "ledger.db")
    assert again.private_data(0) == [mortal]
    again.commit(record(1))
    assert again.private_data(0) == []
    again.close()


def test_who_has_metadata_is_asked_of_an_index_which_an_older_ledger_gets(tmp_path):
    path = tmp_path / "ledger.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as older:
        older.execute("DROP INDEX keys_with_metadata")
    store = SqliteStore(path)
    statement = store._snapshots._with_metadata
    with closing(sqlite3.connect(path)) as reader:
        plan = reader.execute(f"EXPLAIN QUERY PLAN {statement}", ("cc",)).fetchall()
    assert "INDEX keys_with_metadata (namespace=?" in plan[0][-1]
    store.close()


def test_commits_are_logged_ahead_and_synced_in_full(tmp_path):
    store = SqliteStore(tmp_path / "ledger.db")
    connection = store._writer.connection.driver_connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_closed_store_leaves_one_file(tmp_path):
    store = SqliteStore(tmp_path / "ledger.db")
    store.commit(record(0, {b"a": b"1"}))
    store.snapshot().close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "ledger.db",
        "ledger.db-shm",
        "ledger.db-wal",
    ]
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


def test_a_closed_store_says_so(tmp_path):
    store = SqliteStore(tmp_path / "ledger.db")
    store.close()
    store.close()
    for use in (store.snapshot, lambda: store.commit(record(0)), lambda: store.transaction("a")):
        with pytest.raises(LedgerClosed):
            use()


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StoreFailed, match="not a database"):
        SqliteStore(path)


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "ledger.db"
    SqliteStore(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE properties SET value = '99'")
    connection.close()
    with pytest.raises(StoreDamaged, match="format 99"):
        SqliteStore(path)


_CHILD = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from gridloom.peer.ledger import sqlite
from harness.store_conformance import record
from gridloom.peer.ledger.store import HistoryRow, TransientRow

store = sqlite.SqliteStore(Path({path!r}))
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
from gridloom.peer.ledger import sql_writer
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
def test_a_kill_in_the_middle_of_a_commit_leaves_the_blocks_before_it_whole(tmp_path, statement):
    path = tmp_path / "ledger.db"
    death = _DIE_INSIDE.format(statement=statement)
    code = _CHILD.format(tests=str(_TESTS), path=str(path), death=death)
    child = subprocess.run([sys.executable, "-c", code], check=False)
    assert child.returncode == -signal.SIGKILL
    _check_blocks(path, height=2)


def test_a_kill_right_after_a_commit_keeps_the_block(tmp_path):
    path = tmp_path / "ledger.db"
    code = _CHILD.format(tests=str(_TESTS), path=str(path), death="")
    code += "os.kill(os.getpid(), signal.SIGKILL)\n"
    child = subprocess.run([sys.executable, "-c", code], check=False)
    assert child.returncode == -signal.SIGKILL
    _check_blocks(path, height=3)


def test_a_kill_at_any_moment_leaves_whole_blocks(tmp_path):
    path = tmp_path / "ledger.db"
    code = _CHILD.format(tests=str(_TESTS), path=str(path), death="print('go', flush=True)")
    code += "for number in range(3, 100000):\n    store.commit(block(number))\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"go\n"
        for _ in range(200_000):
            if (tmp_path / "ledger.db-wal").stat().st_size > 1_500_000:
                break
        os.kill(child.pid, signal.SIGKILL)
    store = SqliteStore(path)
    height = store.height
    store.close()
    assert height > 2
    _check_blocks(path, height)


def _check_blocks(path, height):
    """State, history, indexes and transient sets agree with the number of blocks."""
    store = SqliteStore(path)
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

"""Every kind of store does for snapshots what the others do, and keeps it."""

import pytest

from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.postgres import PostgresStore
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.store import UNKNOWN_CODE, TransactionRow
from harness.postgres import postgres_server
from harness.snapshot_conformance import LAST, SnapshotConformance, start
from harness.store_conformance import record


class TestMemoryStore(SnapshotConformance):
    @pytest.fixture
    def store(self):
        return MemoryStore()


class Durable(SnapshotConformance):
    """Subclasses give the fixture ``opened``, which opens the same store again."""

    @pytest.fixture
    def store(self, opened):
        store = opened()
        yield store
        store.close()

    def test_it_is_all_there_after_reopening(self, store, opened):
        store.bootstrap(start())
        store.add_snapshot_request(50)
        store.close()
        again = opened()
        assert (again.base, again.height) == (LAST, 42)
        assert again.transaction(f"{1:064}") == TransactionRow(41, 1, UNKNOWN_CODE)
        assert again.snapshot_requests() == [50]
        again.commit(record(42))
        again.close()
        once_more = opened()
        assert (once_more.base, once_more.height) == (LAST, 43)
        once_more.close()


class TestSqliteStore(Durable):
    @pytest.fixture
    def opened(self, tmp_path):
        return lambda: SqliteStore(tmp_path / "ledger.db")


class TestPostgresStore(Durable):
    @pytest.fixture
    def opened(self):
        url = postgres_server().new_database()
        return lambda: PostgresStore(url, "peer0", "ch")

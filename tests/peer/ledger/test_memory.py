"""The memory store: the common suite, and that it forgets."""

import pytest

from gridloom.peer.ledger.memory import MemoryStore
from harness.store_conformance import StoreConformance, contents, record


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def store(self):
        return MemoryStore()


def test_keys_of_closed_snapshots_are_forgotten_in_the_end():
    store = MemoryStore()
    store.commit(record(0, {b"k%d" % number: b"v" for number in range(50)}))
    snapshot = store.snapshot()
    store.commit(record(1, {b"k%d" % number: b"" for number in range(50)}))
    assert len(contents(snapshot)) == 50
    snapshot.close()
    store.commit(record(2, {b"x": b"v"}))
    store.commit(record(3))
    assert store._state.keys_from("cc", b"", b"") == [b"x"]

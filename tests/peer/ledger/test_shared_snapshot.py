"""One snapshot for all simulations between two blocks, on both stores."""

from pathlib import Path

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.shared_snapshot import SharedSnapshots
from gridloom.peer.ledger.sqlite import SqliteStore
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.store import BlockRecord
from gridloom.peer.ledger.update_batch import UpdateBatch
from gridloom.protos.common.common_pb2 import Block, BlockHeader
from harness.ledger import memory_ledger, write


class Counting:
    """A store whose snapshots are counted while they are open."""

    def __init__(self, store: MemoryStore | SqliteStore) -> None:
        self.store = store
        self.opened = 0
        self.open = 0

    def snapshot(self):
        snapshot = self.store.snapshot()
        self.opened += 1
        self.open += 1
        close, self_ = snapshot.close, self

        class Counted:
            height = snapshot.height
            get, get_many = staticmethod(snapshot.get), staticmethod(snapshot.get_many)
            range, documents = staticmethod(snapshot.range), staticmethod(snapshot.documents)

            def close(self) -> None:
                self_.open -= 1
                close()

        return Counted()

    def put(self, value: bytes) -> None:
        number = self.store.height
        batch = UpdateBatch()
        batch.put("cc", "", b"key", VersionedValue(value, Version(number, 0)))
        block = Block(header=BlockHeader(number=number))
        hash_ = bytes([number]) * 32
        self.store.commit(BlockRecord(block, hash_, [f"tx{number}"], bytes([0]), batch))


@pytest.fixture(params=["memory", "sqlite"])
def counting(request, tmp_path: Path):
    is_memory = request.param == "memory"
    store = MemoryStore() if is_memory else SqliteStore(tmp_path / "ledger.sqlite")
    yield Counting(store)
    store.close()


def value(snapshot) -> bytes:
    return snapshot.get("cc", b"key").value


def test_all_who_ask_between_two_blocks_share_one(counting):
    counting.put(b"one")
    shared = SharedSnapshots(counting.snapshot)
    leases = [shared.take() for _ in range(5)]
    assert counting.opened == 1
    assert {value(lease) for lease in leases} == {b"one"}
    for lease in leases:
        lease.close()
        lease.close()
    shared.take().close()
    assert counting.opened == 1


def test_who_has_one_keeps_it_when_it_is_retired(counting):
    counting.put(b"one")
    shared = SharedSnapshots(counting.snapshot)
    before = shared.take()
    counting.put(b"two")
    shared.retire()
    after = shared.take()
    assert (value(before), value(after)) == (b"one", b"two")
    assert (before.height, after.height) == (1, 2)
    assert next(iter(before.range("cc", b"", b"")))[1].value == b"one"
    assert before.get_many([("cc", b"key")])["cc", b"key"].value == b"one"
    before.close()
    assert counting.open == 1
    after.close()
    shared.retire()
    assert counting.open == 0


def test_one_whose_database_has_failed_is_given_to_nobody_else(counting):
    counting.put(b"one")
    shared = SharedSnapshots(counting.snapshot)
    before = shared.take()

    def fail(*_: object) -> None:
        raise StoreFailed("database", "it was restarted")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(before._shared.snapshot, "get", fail)
        with pytest.raises(StoreFailed):
            before.get("cc", b"key")
    after = shared.take()
    assert value(after) == b"one"
    assert counting.opened == 2
    before.close()
    assert counting.open == 1
    after.close()
    shared.retire()
    assert counting.open == 0


def test_many_are_looked_up_as_one_is(counting):
    counting.put(b"one")
    lease = SharedSnapshots(counting.snapshot).take()
    places = [("cc", b"key"), ("cc", b"absent"), ("other", b"key")]
    for known in ([], places[:1], places[1:2]):
        for place in known:
            lease.get(*place)
        assert {place: entry.value for place, entry in lease.get_many(places).items()} == {
            ("cc", b"key"): b"one"
        }
    lease.close()


def test_absent_keys_are_absent_each_time(counting):
    counting.put(b"one")
    lease = SharedSnapshots(counting.snapshot).take()
    assert lease.get("cc", b"nothing") is None
    assert lease.get("cc", b"nothing") is None
    lease.close()


def test_a_ledger_knows_when_a_namespace_changed_last():
    ledger = memory_ledger()
    assert ledger.changed_at("cc") == 0
    write(ledger, ("key", b"value"))
    assert ledger.changed_at("cc") == ledger.height == 2
    write(ledger, ("key", b"value"), namespace="other")
    assert (ledger.changed_at("cc"), ledger.changed_at("other")) == (2, 3)


def test_a_simulation_sees_every_block_before_it_and_none_after():
    ledger = memory_ledger()
    write(ledger, ("key", b"one"))
    before = ledger.simulator("before")
    write(ledger, ("key", b"two"))
    after = ledger.simulator("after")
    assert [s.get_state("cc", "key") for s in (before, after)] == [b"one", b"two"]
    for simulator in (before, after):
        simulator.done()

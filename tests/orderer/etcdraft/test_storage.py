"""Log and state of a Raft node: what is on the disk after each job."""

import pytest

from gridloom.orderer.etcdraft.storage import ForeignLog, RaftStorage
from gridloom.orderer.etcdraft.write_ahead_log import MemoryLog
from gridloom.orderer.raft.messages import ConfState, Entry, HardState, Snapshot

OWNER = "channel mychannel (first block 00) node 1"


def entries(first: int, last: int, term: int = 1) -> list[Entry]:
    return [Entry(term=term, index=index, data=b"%d" % index) for index in range(first, last + 1)]


def store(storage: RaftStorage, *kept: object) -> None:
    records = storage.keep(*kept)  # type: ignore[arg-type]
    storage.job(records)()
    storage.written(successfully=True)


def logged(storage: RaftStorage) -> list[Entry]:
    memory = storage.memory
    return list(memory.entries(memory.first_index(), memory.last_index() + 1, 2**64))


def test_what_was_stored_is_there_again() -> None:
    log = MemoryLog()
    storage = RaftStorage(log, OWNER)
    assert storage.fresh
    store(storage, HardState(1, 2, 0), entries(1, 3))
    store(storage, HardState(1, 2, 3), entries(4, 5))
    again = RaftStorage(log, OWNER)
    assert not again.fresh
    assert logged(again) == entries(1, 5)
    assert again.memory.initial_state()[0] == HardState(1, 2, 3)


def test_entries_of_a_new_term_take_the_place_of_old_ones() -> None:
    log = MemoryLog()
    storage = RaftStorage(log, OWNER)
    store(storage, HardState(1), entries(1, 5))
    store(storage, HardState(2), entries(3, 4, term=2))
    assert logged(RaftStorage(log, OWNER)) == entries(1, 2) + entries(3, 4, term=2)


def test_a_snapshot_shortens_the_log_with_the_next_job() -> None:
    log = MemoryLog()
    storage = RaftStorage(log, OWNER)
    store(storage, HardState(1, 1, 20), entries(1, 20))
    storage.snapshot(18, ConfState(voters=(1, 2, 3)), b"block")
    store(storage, None, entries(21, 21))
    again = RaftStorage(log, OWNER)
    assert again.memory.snapshot() == Snapshot(18, 1, ConfState(voters=(1, 2, 3)), b"block")
    assert logged(again) == entries(19, 21)
    assert again.memory.initial_state()[0] == HardState(1, 1, 20)


def test_a_snapshot_of_the_leader_takes_the_place_of_everything() -> None:
    log = MemoryLog()
    storage = RaftStorage(log, OWNER)
    store(storage, HardState(1), entries(1, 3))
    snapshot = Snapshot(30, 2, ConfState(voters=(1, 2)), b"block")
    store(storage, HardState(2), [], snapshot)
    again = RaftStorage(log, OWNER)
    assert again.memory.snapshot() == snapshot
    assert again.memory.last_index() == 30


def test_after_a_failed_job_the_next_one_writes_everything() -> None:
    log = MemoryLog()
    storage = RaftStorage(log, OWNER)
    store(storage, HardState(1), entries(1, 2))
    storage.job(storage.keep(HardState(2), entries(3, 3)))
    storage.written(successfully=False)
    store(storage, None, entries(4, 4))
    again = RaftStorage(log, OWNER)
    assert logged(again) == entries(1, 4)
    assert again.memory.initial_state()[0] == HardState(2)


def test_the_log_of_another_channel_or_node_is_refused() -> None:
    log = MemoryLog()
    store(RaftStorage(log, OWNER), HardState(1), entries(1, 1))
    other = OWNER.replace("mychannel", "yours")
    with pytest.raises(ForeignLog) as caught:
        RaftStorage(log, other)
    assert (caught.value.expected, caught.value.found) == (other, OWNER)

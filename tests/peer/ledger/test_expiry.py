"""Block-to-live: hash and cleartext go exactly when they should, also across a restart."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridloom.peer.ledger.expiry import LAST_BLOCK, expires_at
from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.private_record import PrivateBlockData
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.store import MissingRow
from gridloom.protos.peer import transaction_pb2
from harness.ledger import commit, endorsed, golden_block, keep, next_block, simulate

KEY = sha256(b"k").digest()


class Lives:
    """A catalog in which collection ``c`` lives so many blocks, and ``forever`` for ever."""

    def __init__(self, blocks):
        self.blocks = blocks

    def collection_names(self, namespace, reader):
        return {"c", "forever"}

    def block_to_live(self, namespace, collection, reader):
        return self.blocks if collection == "c" else 0

    def redefinitions(self, changed, before, after):
        return ()


@pytest.fixture(params=["memory", "sqlite"])
def provider(request, tmp_path):
    provider = LedgerProvider("memory" if request.param == "memory" else tmp_path)
    yield provider
    provider.close()


@pytest.fixture
def ledger(provider):
    ledger = provider.create(golden_block(0))
    ledger.collections = Lives(2)
    return ledger


def write(ledger, key, value, tx_id, *, collection="c", kept=True):
    results = simulate(ledger, lambda s: s.set_private_data("cc", collection, key, value))
    if kept:
        keep(ledger, tx_id, results.private)
    return commit(ledger, [endorsed(results.public, tx_id)])


def seen(ledger, key="k", collection="c"):
    """Hash, cleartext: whether they are there."""
    snapshot = ledger.snapshot()
    hashed = snapshot.get(f"cc$$h{collection}", sha256(key.encode()).digest())
    clear = snapshot.get(f"cc$$p{collection}", key.encode())
    snapshot.close()
    return hashed is not None, clear is not None


@pytest.mark.parametrize(
    ("block", "lives", "end"),
    [(5, 0, None), (5, 1, 7), (0, 1, 2), (10, 2**64 - 1, None), (1, LAST_BLOCK, None)],
)
def test_data_go_one_block_after_they_have_lived(block, lives, end):
    assert expires_at(block, lives) == end


def test_hash_and_cleartext_go_with_block_b_plus_n_plus_1(ledger):
    write(ledger, "k", b"v", "tx")  # block 1, lives 2
    write(ledger, "k", b"v", "forever", collection="forever")
    commit(ledger, [])
    assert seen(ledger) == (True, True)
    assert set(ledger.private_data(1)) == {0}
    commit(ledger, [])  # block 4
    assert ledger.height == 5
    assert seen(ledger) == (False, False)
    assert ledger.private_data(1) == {}
    assert seen(ledger, collection="forever") == (True, True)
    assert set(ledger.private_data(2)) == {0}


def test_a_hash_without_cleartext_goes_as_well(ledger):
    write(ledger, "k", b"v", "tx", kept=False)
    for _ in range(2):
        commit(ledger, [])
        assert seen(ledger) == (True, False)
    commit(ledger, [])
    assert seen(ledger) == (False, False)


def test_a_key_written_again_begins_a_new_life(ledger):
    write(ledger, "k", b"1", "one")  # block 1, until 4
    commit(ledger, [])
    write(ledger, "k", b"2", "two")  # block 3, until 6
    commit(ledger, [])
    commit(ledger, [])
    assert seen(ledger) == (True, True)
    commit(ledger, [])
    assert seen(ledger) == (False, False)


def test_a_key_written_by_the_very_block_it_would_go_with_stays(ledger):
    write(ledger, "k", b"1", "one")
    commit(ledger, [])
    commit(ledger, [])
    write(ledger, "k", b"2", "two")  # block 4
    assert seen(ledger) == (True, True)
    assert ledger.private_data(1) == {}


def test_stale_cleartext_goes_in_its_own_time(ledger):
    write(ledger, "k", b"1", "one")  # block 1
    write(ledger, "k", b"2", "two", kept=False)  # block 2: the cleartext is of block 1
    commit(ledger, [])
    assert seen(ledger) == (True, True)
    commit(ledger, [])  # block 4
    assert seen(ledger) == (True, False)
    commit(ledger, [])  # block 5
    assert seen(ledger) == (False, False)


def test_a_deleted_key_stays_deleted(ledger):
    write(ledger, "k", b"1", "one")
    write(ledger, "k", b"", "two")
    for _ in range(3):
        commit(ledger, [])
        assert seen(ledger) == (False, False)
    assert ledger.private_data(2) == {}


def test_a_key_whose_metadata_change_lives_on(ledger):
    write(ledger, "k", b"1", "one")  # block 1
    guard = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
    results = simulate(ledger, guard)
    keep(ledger, "meta", results.private)
    commit(ledger, [endorsed(results.public, "meta")])  # block 2, until 5
    commit(ledger, [])
    commit(ledger, [])
    assert seen(ledger) == (True, True)
    commit(ledger, [])
    assert seen(ledger) == (False, False)


def test_transactions_of_the_expiring_block_still_see_the_key(ledger):
    write(ledger, "k", b"1", "one")
    commit(ledger, [])
    commit(ledger, [])
    read = simulate(ledger, lambda s: s.get_private_data_hash("cc", "c", "k"))
    commit(ledger, [endorsed(read.public, "in time")])  # block 4
    commit(ledger, [endorsed(read.public, "too late")])
    assert ledger.tx_status("in time") == (transaction_pb2.VALID, 4)
    assert ledger.tx_status("too late") == (transaction_pb2.MVCC_READ_CONFLICT, 5)


def test_what_is_missing_is_not_missed_for_ever(ledger):
    results = simulate(ledger, lambda s: s.set_private_data("cc", "c", "k", b"v"))
    transactions = [endorsed(results.public, "tx")]
    rows = [MissingRow(1, 0, "cc", name, True) for name in ("c", "forever")]
    ledger.commit(next_block(ledger, transactions), transactions, PrivateBlockData((), rows))
    commit(ledger, [])
    commit(ledger, [])
    assert [row.collection for row in ledger.missing(10, 10)] == ["c", "forever"]
    commit(ledger, [])
    assert [row.collection for row in ledger.missing(10, 10)] == ["forever"]


def test_what_expires_does_not_count_in_the_commit_hash(ledger):
    other = Ledger("test", MemoryStore())
    commit(other, [])
    immortal = LedgerProvider("memory").create(golden_block(0))
    write(ledger, "k", b"v", "tx")
    write(immortal, "k", b"v", "tx")
    for _ in range(5):
        assert commit(ledger, []).commit_hash == commit(immortal, []).commit_hash
    assert seen(ledger) != seen(immortal)


@pytest.mark.parametrize("restarts", [1, 2, 3])
def test_a_restart_forgets_no_end(tmp_path, restarts):
    provider = LedgerProvider(tmp_path)
    ledger = provider.create(golden_block(0))
    ledger.collections = Lives(2)
    write(ledger, "k", b"v", "tx")
    for number in range(3):
        if number < restarts:
            provider.close()
            provider = LedgerProvider(tmp_path)
            ledger = provider.open("golden1")
            ledger.collections = Lives(2)
        assert seen(ledger) == (True, True)
        commit(ledger, [])
    assert seen(ledger) == (False, False)
    assert ledger.private_data(1) == {}
    provider.close()


@settings(max_examples=60, deadline=None)
@given(
    lives=st.integers(1, 4),
    blocks=st.lists(st.sampled_from(["", "put", "put missing", "delete", "touch"]), max_size=14),
)
def test_every_sequence_of_writes_expires_as_a_naive_model_says(lives, blocks):
    ledger = LedgerProvider("memory").create(golden_block(0))
    ledger.collections = Lives(lives)
    last = clear = None  # block of the hash's last write, and of the cleartext's
    for number, action in enumerate(blocks, start=1):
        kept = action != "put missing"
        if action.startswith("put"):
            write(ledger, "k", b"%d" % number, f"tx{number}", kept=kept)
            last, clear = number, number if kept else clear
        elif action == "delete":
            write(ledger, "k", b"", f"tx{number}")
            last = clear = None
        elif action == "touch":
            work = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
            results = simulate(ledger, work)
            keep(ledger, f"tx{number}", results.private)
            commit(ledger, [endorsed(results.public, f"tx{number}")])
            if last is not None:
                last, clear = number, number if clear == last else clear
        else:
            commit(ledger, [])
        if last is not None and number >= last + lives + 1:
            last = clear = None
        if clear is not None and number >= clear + lives + 1:
            clear = None
        assert seen(ledger) == (last is not None, clear is not None)

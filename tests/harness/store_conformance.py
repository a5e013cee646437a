"""What every ledger store must do; a store's tests subclass this and say how to make one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from hashlib import sha256

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.state_db import (
    StateSnapshot,
    Version,
    VersionedValue,
    hashed_namespace,
)
from gridloom.peer.ledger.store import (
    BlockRecord,
    CollectionsRow,
    HistoryRow,
    KeyExpiry,
    LedgerStore,
    MissingRow,
    PrivateKeyRow,
    PrivatePart,
    PrivateRow,
    Reconciliation,
    TransactionRow,
    TransientRow,
)
from gridloom.peer.ledger.update_batch import UpdateBatch
from gridloom.protos.common import common_pb2
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite

Entry = tuple[bytes, bytes]


def record(
    number: int,
    puts: dict[bytes, bytes] | None = None,
    *,
    batch: UpdateBatch | None = None,
    tx_ids: tuple[str, ...] = (),
    codes: tuple[int, ...] = (),
    history: tuple[HistoryRow, ...] = (),
    private: tuple[PrivateRow, ...] = (),
    committed: tuple[str, ...] = (),
) -> BlockRecord:
    """A block that puts these keys of namespace "cc" (b"" deletes)."""
    updates = batch or UpdateBatch()
    for key, value in (puts or {}).items():
        updates.put("cc", "", key, VersionedValue(value, Version(number, 0)))
    block = common_pb2.Block(header=common_pb2.BlockHeader(number=number))
    return BlockRecord(
        block=block,
        block_hash=b"hash of %d" % number,
        tx_ids=tx_ids,
        codes=codes or (0,) * len(tx_ids),
        updates=updates,
        history=history,
        private=PrivatePart(rows=private, keys=keys_of(number, private)),
        committed=committed,
    )


def keys_of(block: int, rows: Iterable[PrivateRow]) -> list[PrivateKeyRow]:
    """The index of what these rows write."""
    return [
        PrivateKeyRow(
            row.namespace,
            row.collection,
            sha256(write.key.encode()).digest(),
            block,
            row.tx,
            write.key.encode(),
            row.expires_at,
        )
        for row in rows
        for write in KVRWSet.FromString(row.rwset).writes
    ]


def private_set(*keys: str) -> bytes:
    """A private KVRWSet that writes these keys."""
    return KVRWSet(writes=[KVWrite(key=k, value=b"v") for k in keys]).SerializeToString()


def contents(snapshot: StateSnapshot, start: bytes = b"", end: bytes = b"") -> list[Entry]:
    return [(key, entry.value) for key, entry in snapshot.range("cc", start, end)]


class StoreConformance:
    """One suite for memory and SQLite: subclasses give the fixture ``store``."""

    @pytest.fixture
    def snapshot(self, store: LedgerStore) -> Iterator[StateSnapshot]:
        store.commit(record(0, {b"a": b"1", b"b": b"2", b"c": b"3"}))
        snapshot = store.snapshot()
        yield snapshot
        snapshot.close()

    def test_an_empty_store_has_no_blocks_and_no_state(self, store: LedgerStore) -> None:
        snapshot = store.snapshot()
        assert (store.height, snapshot.height) == (0, 0)
        assert store.block(0) is None
        assert snapshot.get("cc", b"a") is None
        assert contents(snapshot) == []
        snapshot.close()

    def test_a_value_comes_back_with_version_and_metadata(self, store: LedgerStore) -> None:
        batch = UpdateBatch()
        entry = VersionedValue(b"\x00\xff", Version(0, 7), b"meta")
        batch.put("cc", "", b"k", entry)
        store.commit(record(0, batch=batch))
        snapshot = store.snapshot()
        assert snapshot.get("cc", b"k") == entry
        assert snapshot.get("c", b"k") is None
        assert snapshot.get("cc", b"") is None
        snapshot.close()

    def test_a_namespace_has_metadata_once_a_key_of_it_has(self, store: LedgerStore) -> None:
        start, change = UpdateBatch(), UpdateBatch()
        start.put("cc", "", b"k", VersionedValue(b"v", Version(0, 0)))
        change.put("cc", "", b"k", VersionedValue(b"v", Version(1, 0), b"meta"))
        change.put("cc2", "", b"k", VersionedValue(b"v", Version(1, 0)))
        change.put("cc2", "coll", b"hash", VersionedValue(b"v", Version(1, 0), b"meta"))
        store.commit(record(0, batch=start))
        with closing(store.snapshot()) as before:
            assert not before.has_metadata("cc")
        store.commit(record(1, batch=change))
        with closing(store.snapshot()) as after:
            names = ("cc", "cc2", hashed_namespace("cc2", "coll"), "c")
            assert [after.has_metadata(name) for name in names] == [True, False, True, False]

    def test_metadata_are_not_overlooked_while_their_block_is_being_committed(
        self, store: LedgerStore
    ) -> None:
        store.commit(record(0, {b"k": b"v"}))
        with closing(store.snapshot()) as before:
            assert not before.has_metadata("cc")
        change = UpdateBatch()
        change.put("cc", "", b"k", VersionedValue(b"v", Version(1, 0), b"meta"))
        committing = store.committing(record(1, batch=change))
        with committing, closing(store.snapshot()) as meanwhile:
            meanwhile.has_metadata("cc")
        with closing(store.snapshot()) as after:
            assert after.has_metadata("cc")

    def test_public_hashed_and_private_entries_have_namespaces_of_their_own(
        self, store: LedgerStore
    ) -> None:
        batch = UpdateBatch()
        version = Version(0, 0)
        batch.put("cc", "", b"k", VersionedValue(b"public", version))
        batch.put("cc", "coll", b"k", VersionedValue(b"hash", version))
        batch.private["cc", "coll"] = {b"k": VersionedValue(b"clear", version)}
        store.commit(record(0, batch=batch))
        snapshot = store.snapshot()
        found = [snapshot.get(ns, b"k") for ns in ("cc", "cc$$hcoll", "cc$$pcoll")]
        assert [entry.value for entry in found if entry] == [b"public", b"hash", b"clear"]
        snapshot.close()

    def test_a_range_includes_its_start_and_not_its_end(self, snapshot: StateSnapshot) -> None:
        assert contents(snapshot, b"a", b"c") == [(b"a", b"1"), (b"b", b"2")]
        assert contents(snapshot, b"b") == [(b"b", b"2"), (b"c", b"3")]
        assert contents(snapshot, b"b", b"b") == []
        assert contents(snapshot, b"c", b"a") == []

    def test_a_range_is_in_byte_order_whatever_its_length(self, store: LedgerStore) -> None:
        keys = {bytes([high, low]): b"v" for high in (0x00, 0x7F, 0xC3, 0xFF) for low in range(200)}
        keys |= {b"": b"v", "é".encode(): b"v", "\U0010ffff".encode(): b"v", b"a\x00": b"v"}
        store.commit(record(0, keys))
        snapshot = store.snapshot()
        assert [key for key, _ in contents(snapshot)] == sorted(keys)
        snapshot.close()

    def test_a_range_stays_inside_its_namespace(self, store: LedgerStore) -> None:
        batch = UpdateBatch()
        for namespace in ("b", "bb", "a", "c"):
            batch.put(namespace, "", b"k", VersionedValue(namespace.encode(), Version(0, 0)))
        store.commit(record(0, batch=batch))
        snapshot = store.snapshot()
        assert [entry.value for _, entry in snapshot.range("b", b"", b"")] == [b"b"]
        snapshot.close()

    def test_a_delete_removes_and_a_later_put_restores(self, store: LedgerStore) -> None:
        seen = []
        for number, value in enumerate((b"1", b"", b"2")):
            store.commit(record(number, {b"k": value}))
            snapshot = store.snapshot()
            seen.append((snapshot.get("cc", b"k"), contents(snapshot)))
            snapshot.close()
        assert [entries for _, entries in seen] == [[(b"k", b"1")], [], [(b"k", b"2")]]
        assert seen[1][0] is None

    def test_deleting_an_absent_key_is_nothing(self, store: LedgerStore) -> None:
        store.commit(record(0, {b"k": b""}))
        store.commit(record(1, {b"k": b""}))
        snapshot = store.snapshot()
        assert contents(snapshot) == []
        snapshot.close()

    def test_a_snapshot_keeps_what_later_blocks_change(
        self, store: LedgerStore, snapshot: StateSnapshot
    ) -> None:
        store.commit(record(1, {b"a": b"new", b"b": b"", b"aa": b"added"}))
        store.commit(record(2, {b"b": b"again", b"c": b""}))
        assert contents(snapshot) == [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]
        assert snapshot.get("cc", b"aa") is None
        assert snapshot.height == 1
        later = store.snapshot()
        assert contents(later) == [(b"a", b"new"), (b"aa", b"added"), (b"b", b"again")]
        later.close()

    def test_snapshots_of_several_heights_live_side_by_side(self, store: LedgerStore) -> None:
        snapshots = []
        for number in range(6):
            store.commit(record(number, {b"k": b"%d" % number, b"x%d" % number: b"v"}))
            snapshots.append(store.snapshot())
        for number in (3, 0, 5, 1, 4, 2):
            found = snapshots[number].get("cc", b"k")
            assert found is not None
            assert found.value == b"%d" % number
            assert len(contents(snapshots[number], b"x")) == number + 1
            snapshots[number].close()
            snapshots[number].close()

    def test_a_range_begun_before_a_commit_ends_as_it_began(
        self, store: LedgerStore, snapshot: StateSnapshot
    ) -> None:
        entries = snapshot.range("cc", b"", b"")
        assert next(entries)[0] == b"a"
        store.commit(record(1, {b"b": b"", b"bb": b"new"}))
        assert [key for key, _ in entries] == [b"b", b"c"]

    def test_readers_see_whole_blocks_only_while_another_thread_commits(
        self, store: LedgerStore
    ) -> None:
        keys = [b"k%02d" % number for number in range(40)]
        store.commit(record(0, dict.fromkeys(keys, b"0")))
        stop = threading.Event()

        def commit_blocks() -> None:
            for number in range(1, 40):
                store.commit(record(number, dict.fromkeys(keys, b"%d" % number)))
            stop.set()

        committer = threading.Thread(target=commit_blocks)
        committer.start()
        while not stop.is_set():
            snapshot = store.snapshot()
            values = {entry.value for key in keys if (entry := snapshot.get("cc", key))}
            values |= {value for _, value in contents(snapshot)}
            assert values == {b"%d" % (snapshot.height - 1)}
            snapshot.close()
        committer.join()

    def test_blocks_are_found_by_number_and_hash(self, store: LedgerStore) -> None:
        for number in range(3):
            store.commit(record(number))
        found = store.block(1)
        assert found is not None
        assert found.header.number == 1
        assert store.block_number(b"hash of 2") == 2
        assert store.block_number(b"another") is None
        assert [store.block(number) for number in (3, -1, 2**64)] == [None] * 3

    def test_the_first_transaction_of_an_id_is_the_one_found(self, store: LedgerStore) -> None:
        store.commit(record(0, tx_ids=("one", "", "two", "one"), codes=(11, 0, 0, 9)))
        store.commit(record(1, tx_ids=("two", "three"), codes=(9, 0)))
        assert store.transaction("one") == TransactionRow(0, 0, 11)
        assert store.transaction("two") == TransactionRow(0, 2, 0)
        assert store.transaction("three") == TransactionRow(1, 1, 0)
        assert store.transaction("") is None
        assert store.transaction("on") is None

    def test_many_transactions_are_looked_up_at_once(self, store: LedgerStore) -> None:
        ids = tuple(f"tx {number}" for number in range(1500))
        store.commit(record(0, tx_ids=ids, codes=(0,) * len(ids)))
        store.commit(record(1, tx_ids=ids[:1]))
        asked = [*ids, *(f"{tx_id}0" for tx_id in ids), "", "a\0b", "é" * 1000]
        assert store.known_transactions(asked) == set(ids)
        for count in (0, 1, 2, 3, 511, 512, 513):
            assert store.known_transactions(ids[:count]) == set(ids[:count])
            assert store.known_transactions(["another"] * count) == set()

    def test_a_snapshot_knows_the_transactions_of_its_blocks(self, store: LedgerStore) -> None:
        store.commit(record(0, tx_ids=("one",), codes=(11,)))
        before = store.snapshot()
        store.commit(record(1, tx_ids=("one", "two"), codes=(0, 9)))
        after = store.snapshot()
        assert before.transaction("one") == after.transaction("one") == TransactionRow(0, 0, 11)
        assert before.transaction("two") is None
        assert after.transaction("two") == TransactionRow(1, 1, 9)
        before.close()
        after.close()

    def test_history_is_newest_first(self, store: LedgerStore) -> None:
        rows = [
            HistoryRow("cc", b"k", block, tx, f"{block}-{tx}", 5, 6, not tx, b"v" * tx)
            for block in range(100)
            for tx in range(3)
        ]
        for block in range(100):
            here = tuple(row for row in rows if row.block == block)
            other = HistoryRow("cc", b"k2", block, 0, "other", 0, 0, False, b"")
            store.commit(record(block, history=(*here, other)))
        assert list(store.history("cc", b"k")) == rows[::-1]
        assert len(list(store.history("cc", b"k2"))) == 100
        assert list(store.history("c", b"k")) == []

    def test_a_block_committed_twice_or_out_of_order_is_refused(self, store: LedgerStore) -> None:
        store.commit(record(0, {b"k": b"1"}))
        with pytest.raises(StoreFailed, match=r"(?i)unique|block 0 after 1"):
            store.commit(record(0, {b"k": b"2"}))
        snapshot = store.snapshot()
        assert contents(snapshot) == [(b"k", b"1")]
        assert store.height == 1
        snapshot.close()

    def test_a_block_being_committed_is_not_there_until_it_is_durable(
        self, store: LedgerStore
    ) -> None:
        store.commit(record(0, {b"k": b"old"}))
        with ThreadPoolExecutor(1) as another, ExitStack() as here:
            here.enter_context(store.committing(record(1, {b"k": b"new"}, tx_ids=("t",))))
            with closing(store.snapshot()) as before:
                assert contents(before) == [(b"k", b"old")]
            assert (store.height, store.block(1), store.transaction("t")) == (1, None, None)
            another.submit(here.close).result(60)
        with closing(store.snapshot()) as after:
            assert contents(after) == [(b"k", b"new")]
        assert (store.height, store.transaction("t")) == (2, TransactionRow(1, 0, 0))

    def test_nothing_is_left_of_a_block_whose_commit_broke_off(self, store: LedgerStore) -> None:
        store.commit(record(0, {b"k": b"old"}))
        with pytest.raises(InterruptedError), store.committing(record(1, {b"k": b"broken off"})):
            raise InterruptedError
        with closing(store.snapshot()) as snapshot:
            assert contents(snapshot) == [(b"k", b"old")]
        store.commit(record(1, {b"k": b"new"}))
        assert store.height == 2

    def test_transient_sets_stay_until_their_transaction_is_committed(
        self, store: LedgerStore
    ) -> None:
        first, second = TransientRow(3, b"one"), TransientRow(4, b"two")
        store.put_transient("a", first)
        store.put_transient("a", second)
        store.put_transient("b", first)
        assert store.transient(["a", "b", "c"]) == {"a": [first, second], "b": [first]}
        store.commit(record(0, committed=("a", "c")))
        assert store.transient(["a", "b"]) == {"b": [first]}

    def test_old_transient_sets_are_forgotten(self, store: LedgerStore) -> None:
        for height in (1, 2, 3):
            store.put_transient("a", TransientRow(height, b"%d" % height))
        store.purge_transient(3)
        assert store.transient(["a"]) == {"a": [TransientRow(3, b"3")]}
        store.purge_transient(4)
        assert store.transient(["a"]) == {}

    def test_private_rows_come_back_in_order(self, store: LedgerStore) -> None:
        rows = (PrivateRow(1, "cc", "b", b""), PrivateRow(0, "z", "a", private_set("k")))
        store.commit(record(0, private=rows))
        store.commit(record(1))
        assert [row[:4] for row in store.private_data(0)] == sorted(row[:4] for row in rows)
        assert [store.private_data(number) for number in (1, 2, -1)] == [[], [], []]

    def test_a_purge_wipes_the_key_from_private_rows_up_to_itself(self, store: LedgerStore) -> None:
        before = (
            PrivateRow(0, "cc", "c", private_set("k", "l")),
            PrivateRow(0, "cc", "d", private_set("k")),
        )
        store.commit(record(0, private=before))
        key = sha256(b"k").digest()
        assert store.private_key("cc", "c", key) == b"k"
        batch = UpdateBatch()
        batch.purged["cc", "c", key] = Version(1, 1)
        rows = tuple(PrivateRow(tx, "cc", "c", private_set("k", "m")) for tx in (0, 1))
        store.commit(record(1, batch=batch, private=rows))
        assert store.private_data(0) == [
            before[0]._replace(rwset=private_set("l")),
            before[1],
        ]
        assert [row.rwset for row in store.private_data(1)] == [private_set("m")] * 2
        assert store.private_key("cc", "c", key) is None
        assert store.private_key("cc", "d", key) == b"k"
        assert store.purges("cc", "c", [key, b"other"]) == {key: Version(1, 1)}
        later = PrivateRow(0, "cc", "c", private_set("k"))
        store.commit(record(2, private=(later,)))
        assert store.private_data(2) == [later]
        assert store.private_key("cc", "c", key) == b"k"

    def test_what_expires_goes_with_its_block_and_nothing_else(self, store: LedgerStore) -> None:
        mortal = PrivateRow(0, "cc", "c", private_set("k"), expires_at=2)
        immortal = PrivateRow(0, "cc", "d", private_set("k"))
        key = sha256(b"k").digest()
        expiry = KeyExpiry(2, "cc", "c", key, 0)
        missing = MissingRow(0, 1, "cc", "c", True, 2)
        part = PrivatePart(
            rows=(mortal, immortal),
            keys=keys_of(0, (mortal, immortal)),
            missing=(missing, missing._replace(collection="d", expires_at=None)),
            key_expiries=(expiry,),
        )
        store.commit(replace(record(0), private=part))
        store.commit(record(1))
        assert store.private_data(0) == [mortal, immortal]
        assert len(store.missing(10, 10)) == 2
        assert store.expiring(2) == [expiry]
        assert store.expiring(1) == []
        store.commit(record(2))
        assert store.private_data(0) == [immortal]
        assert [row.collection for row in store.missing(10, 10)] == ["d"]
        assert store.private_key("cc", "c", key) is None
        assert store.private_key("cc", "d", key) == b"k"
        assert store.expiring(2) == []

    @pytest.mark.parametrize("late", [False, True], ids=["with its block", "found later"])
    def test_what_expires_is_noticed_after_blocks_of_which_nothing_does(
        self, store: LedgerStore, late: bool
    ) -> None:
        mortal = PrivateRow(0, "cc", "c", private_set("k"), expires_at=3)
        key = sha256(b"k").digest()
        store.commit(record(0, {b"a": b"1"}))
        assert store.expiring(1) == []
        if late:
            store.commit(record(1))
            store.reconcile(Reconciliation([(1, mortal)], keys_of(1, [mortal])))
        else:
            store.commit(record(1, private=(mortal,)))
        store.commit(record(2))
        assert store.private_data(1) == [mortal]
        assert store.private_key("cc", "c", key) == b"k"
        store.commit(record(3))
        assert store.private_data(1) == []
        assert store.private_key("cc", "c", key) is None

    def test_wanted_private_data_is_listed_by_newest_blocks(self, store: LedgerStore) -> None:
        for number in range(4):
            rows = tuple(MissingRow(number, tx, "cc", "c", tx != 1) for tx in range(3))
            store.commit(replace(record(number), private=PrivatePart(missing=rows)))
        places = [(row.block, row.tx) for row in store.missing(2, 10)]
        assert places == [(3, 0), (3, 2), (2, 0), (2, 2)]
        assert [row.block for row in store.missing(1, 2)] == [1, 1]
        assert store.missing(5, 0) == []

    def test_data_that_came_is_missing_no_more_and_data_sought_in_vain_comes_last(
        self, store: LedgerStore
    ) -> None:
        rows = tuple(MissingRow(0, tx, "cc", "c", True) for tx in range(3))
        store.commit(replace(record(0), private=PrivatePart(missing=rows)))
        found = PrivateRow(0, "cc", "c", private_set("k"))
        updates = UpdateBatch()
        entry = VersionedValue(b"v", Version(0, 0))
        updates.private["cc", "c"] = {b"k": entry}
        store.reconcile(
            Reconciliation([(0, found)], keys_of(0, [found]), updates, unavailable=rows[1:2])
        )
        assert [row.tx for row in store.missing(10, 10)] == [2]
        assert [row.tx for row in store.missing(10, 10, unavailable=True)] == [1]
        assert store.private_data(0) == [found]
        snapshot = store.snapshot()
        assert snapshot.get("cc$$pc", b"k") == entry
        assert snapshot.height == 1
        snapshot.close()
        store.commit(record(1))

    def test_a_collection_that_opens_makes_its_past_wanted(self, store: LedgerStore) -> None:
        rows = tuple(MissingRow(0, 0, "cc", name, False) for name in ("c", "d"))
        store.commit(replace(record(0), private=PrivatePart(missing=rows)))
        assert store.missing(10, 10) == []
        own = (MissingRow(1, 0, "cc", "c", False),)
        part = PrivatePart(missing=own, opened=(("cc", "c"),))
        store.commit(replace(record(1), private=part))
        assert [row[:4] for row in store.missing(10, 10)] == [(1, 0, "cc", "c"), (0, 0, "cc", "c")]

    def test_the_definition_of_collections_before_a_block_is_found(
        self, store: LedgerStore
    ) -> None:
        rows = [CollectionsRow("cc", number, b"%d" % number) for number in (0, 2)]
        for number in range(3):
            here = tuple(row for row in rows if row.block == number)
            store.commit(replace(record(number), private=PrivatePart(collections=here)))
        found = [store.collections_below("cc", number) for number in range(4)]
        assert found == [None, rows[0], rows[0], rows[1]]
        assert store.collections_below("other", 3) is None
        assert list(store.collections()) == rows[::-1]

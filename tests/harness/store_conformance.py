"""What every ledger store must do; a store's tests subclass this and say how to make one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.state_db import StateSnapshot, Version, VersionedValue
from gridloom.peer.ledger.store import (
    BlockRecord,
    HistoryRow,
    LedgerStore,
    PrivateRow,
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
        private=private,
        committed=committed,
    )


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
        with pytest.raises(StoreFailed, match=r"UNIQUE|block 0 after 1"):
            store.commit(record(0, {b"k": b"2"}))
        snapshot = store.snapshot()
        assert contents(snapshot) == [(b"k", b"1")]
        assert store.height == 1
        snapshot.close()

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
        rows = (PrivateRow(1, "cc", "b", b"3"), PrivateRow(0, "z", "a", b"1"))
        store.commit(record(0, private=rows))
        store.commit(record(1))
        assert store.private_data(0) == sorted(rows)
        assert [store.private_data(number) for number in (1, 2, -1)] == [[], [], []]

    def test_a_purge_wipes_the_key_from_earlier_private_rows(self, store: LedgerStore) -> None:
        def data(*keys: str) -> bytes:
            return KVRWSet(writes=[KVWrite(key=k, value=b"v") for k in keys]).SerializeToString()

        before = (PrivateRow(0, "cc", "c", data("k", "l")), PrivateRow(0, "cc", "d", data("k")))
        store.commit(record(0, private=before))
        batch = UpdateBatch()
        hashed = bytes.fromhex("8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a")
        batch.purged["cc", "c", hashed] = Version(1, 1)
        rows = tuple(PrivateRow(tx, "cc", "c", data("k", "m")) for tx in (0, 1))
        store.commit(record(1, batch=batch, private=rows))
        assert store.private_data(0) == [before[0]._replace(rwset=data("l")), before[1]]
        assert [row.rwset for row in store.private_data(1)] == [data("m"), data("k", "m")]

"""What every ledger store must do for snapshots: be read as a whole, begin with one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from gridloom.peer.ledger.errors import StoreFailed
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.store import (
    UNKNOWN_CODE,
    BaseHash,
    Bootstrap,
    CollectionsRow,
    KeyExpiry,
    LastBlock,
    LedgerStore,
    PrivatePart,
    TransactionRow,
)
from gridloom.peer.ledger.update_batch import UpdateBatch

from .store_conformance import contents, record

LAST = LastBlock(41, b"hash of 41", b"hash of 40", b"commit hash")
ENTRY = VersionedValue(b"v", Version(7, 3), b"meta")


class BrokenOff(Exception):
    """Reading the snapshot failed in the middle."""


def start(
    *, tx_ids: int = 3, keys: int = 3, private: PrivatePart | None = None, broken: bool = False
) -> Bootstrap:
    """A ledger that begins behind block 41 with so many ids and keys."""

    def state() -> Iterator[tuple[str, bytes, VersionedValue]]:
        for number in range(keys):
            yield "cc", b"%05d" % number, ENTRY
        if broken:
            raise BrokenOff
        yield "cc$$hcoll", b"\xff" * 32, ENTRY

    ids = (f"{number:064}" for number in range(tx_ids))
    return Bootstrap(LAST, private or PrivatePart(), ids, state())


class SnapshotConformance:
    """One suite for all stores: subclasses give the fixture ``store``."""

    def test_a_store_begins_behind_the_snapshots_last_block(self, store: LedgerStore) -> None:
        assert (store.base, store.height) == (None, 0)
        store.bootstrap(start())
        assert (store.base, store.height) == (LAST, 42)
        assert [store.block(number) for number in (0, 41, 42)] == [None] * 3
        assert store.block_number(b"hash of 41") is None
        snapshot = store.snapshot()
        assert snapshot.height == 42
        assert snapshot.get("cc", b"00001") == ENTRY
        assert snapshot.get("cc$$hcoll", b"\xff" * 32) == ENTRY
        snapshot.close()

    def test_its_metadata_are_known_even_to_who_asked_before(self, store: LedgerStore) -> None:
        with closing(store.snapshot()) as empty:
            assert not empty.has_metadata("cc")
        store.bootstrap(start())
        with closing(store.snapshot()) as snapshot:
            assert snapshot.has_metadata("cc")

    def test_blocks_go_on_behind_it(self, store: LedgerStore) -> None:
        store.bootstrap(start())
        before = store.snapshot()
        store.commit(record(42, {b"00001": b"", b"a": b"1"}, tx_ids=("new",)))
        assert store.height == 43
        block = store.block(42)
        assert block is not None
        assert block.header.number == 42
        assert store.transaction("new") == TransactionRow(42, 0, 0)
        after = store.snapshot()
        assert [key for key, _ in contents(before)] == [b"00000", b"00001", b"00002"]
        assert [key for key, _ in contents(after)] == [b"00000", b"00002", b"a"]
        assert (before.height, after.height) == (42, 43)
        before.close()
        after.close()

    def test_its_ids_are_known_and_nothing_else_of_them(self, store: LedgerStore) -> None:
        store.bootstrap(start(tx_ids=2500))
        assert store.transaction(f"{2499:064}") == TransactionRow(41, 2499, UNKNOWN_CODE)
        store.commit(record(42, tx_ids=(f"{0:064}", "a"), codes=(9, 0)))
        assert store.transaction(f"{0:064}") == TransactionRow(41, 0, UNKNOWN_CODE)
        ids = [f"{number:064}" for number in range(2500)]
        assert list(store.tx_ids(43)) == ["a", *ids]
        assert list(store.tx_ids(42)) == ids

    def test_collections_and_expiries_come_with_it(self, store: LedgerStore) -> None:
        rows = [CollectionsRow("cc", 30, b"new"), CollectionsRow("cc", 3, b"old")]
        expiry = KeyExpiry(45, "cc", "coll", b"\xff" * 32, 40)
        store.bootstrap(start(private=PrivatePart(collections=rows, key_expiries=[expiry])))
        assert list(store.collections()) == rows
        assert store.collections_below("cc", 30) == rows[1]
        assert store.expiring(45) == [expiry]

    def test_hashes_are_kept_as_the_snapshot_had_them(self, store: LedgerStore) -> None:
        hashes = [BaseHash(7, 3, "cc", "coll", key * 32, b"hash of " + key) for key in (b"a", b"b")]
        others = [BaseHash(7, 4, "cc", "coll", b"a" * 32, b"x"), hashes[0]._replace(collection="")]
        store.bootstrap(replace(start(), hashes=[*hashes, *others]))
        batch = UpdateBatch()
        batch.put("cc", "coll", b"a" * 32, VersionedValue(b"", Version(42, 0)))
        store.commit(record(42, batch=batch))
        found = store.base_hashes(7, 3, "cc", "coll")
        assert found == {b"a" * 32: b"hash of a", b"b" * 32: b"hash of b"}
        assert store.base_hashes(7, 5, "cc", "coll") == {}
        assert store.base_hashes(42, 0, "cc", "coll") == {}

    def test_a_snapshot_that_breaks_off_leaves_nothing(self, store: LedgerStore) -> None:
        with pytest.raises(BrokenOff):
            store.bootstrap(start(keys=3000, broken=True))
        assert (store.base, store.height) == (None, 0)
        assert list(store.tx_ids(100)) == []
        snapshot = store.snapshot()
        assert (contents(snapshot), snapshot.height) == ([], 0)
        snapshot.close()
        store.bootstrap(start())
        assert store.height == 42

    def test_a_store_with_blocks_takes_no_snapshot(self, store: LedgerStore) -> None:
        store.commit(record(0))
        with pytest.raises(StoreFailed, match="there are 1 blocks already"):
            store.bootstrap(start())
        assert (store.base, store.height) == (None, 1)

    def test_ids_come_by_length_and_then_in_byte_order(self, store: LedgerStore) -> None:
        ids = ("b", "aa", "a", "\U0001f600", "\uffff", "zzz", "é", "~", "B")
        store.commit(record(0, tx_ids=ids, codes=(0,) * len(ids)))
        store.commit(record(1, tx_ids=("a", "c"), codes=(9, 0)))
        expected = ["B", "a", "b", "~", "aa", "é", "zzz", "\uffff", "\U0001f600"]
        assert list(store.tx_ids(1)) == expected
        assert list(store.tx_ids(2)) == [*expected[:3], "c", *expected[3:]]
        assert list(store.tx_ids(0)) == []

    def test_namespaces_are_told_in_byte_order(self, store: LedgerStore) -> None:
        batch = UpdateBatch()
        for namespace in ("b", "", "é", "a", "B", "a-b", "\U0001f600", "\uffff"):
            batch.put(namespace, "", b"k", ENTRY)
        batch.put("a", "coll", b"k", ENTRY)
        store.commit(record(0, batch=batch))
        snapshot = store.snapshot()
        expected = ["", "B", "a", "a$$hcoll", "a-b", "b", "é", "\uffff", "\U0001f600"]
        assert list(snapshot.namespaces()) == expected
        snapshot.close()

    def test_requests_are_kept_until_they_are_dropped(self, store: LedgerStore) -> None:
        assert store.snapshot_requests() == []
        for number in (300, 2**64 - 1, 7):
            store.add_snapshot_request(number)
        assert store.snapshot_requests() == [7, 300, 2**64 - 1]
        store.drop_snapshot_request(300)
        store.drop_snapshot_request(301)
        assert store.snapshot_requests() == [7, 2**64 - 1]

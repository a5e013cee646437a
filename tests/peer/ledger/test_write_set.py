"""Merging a transaction's writes into its block's batch (Fabric: validation/tx_ops.go)."""

import pytest

from gridloom.peer.ledger.memory import MemoryStore
from gridloom.peer.ledger.rwset import CollRwSet, NsRwSet, TxRwSet
from gridloom.peer.ledger.state_db import Version, VersionedValue
from gridloom.peer.ledger.state_metadata import deserialize, serialize
from gridloom.peer.ledger.update_batch import UpdateBatch
from gridloom.peer.ledger.write_set import apply_write_set
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVMetadataEntry,
    KVMetadataWrite,
    KVMetadataWriteHash,
    KVRWSet,
    KVWrite,
    KVWriteHash,
)
from harness.store_conformance import record

NOW = Version(5, 1)
OLD = Version(0, 0)
NAMES = {"A": [KVMetadataEntry(name="n", value=b"A")], "": []}
META_A = serialize(NAMES["A"])
META_OLD = serialize([KVMetadataEntry(name="n", value=b"old")])


def public(*operations):
    """put V, delete, meta A and meta: one write of key k each, in this order."""
    kv = KVRWSet()
    for operation in operations:
        verb, _, value = operation.partition(" ")
        if verb == "meta":
            kv.metadata_writes.append(KVMetadataWrite(key="k", entries=NAMES[value]))
        else:
            kv.writes.append(KVWrite(key="k", value=value.encode(), is_delete=verb == "delete"))
    return TxRwSet((NsRwSet.of("cc", kv, ()),))


def applied(*transactions, stored=None):
    """The batch's entry of key k after these transactions, and the batch."""
    store = MemoryStore()
    start = UpdateBatch()
    if stored:
        start.put("cc", "", b"k", stored)
    store.commit(record(0, batch=start))
    snapshot, batch = store.snapshot(), UpdateBatch()
    for number, operations in enumerate(transactions):
        apply_write_set(public(*operations), Version(5, number), batch, snapshot)
    return batch.pending("cc", "", b"k")


EXISTING = VersionedValue(b"old", OLD, META_OLD)


@pytest.mark.parametrize(
    ("operations", "on_existing", "on_absent"),
    [
        (["put 1"], (b"1", META_OLD), (b"1", b"")),
        (["delete"], (b"", b""), (b"", b"")),
        (["put "], (b"", b""), (b"", b"")),
        (["meta A"], (b"old", META_A), None),
        (["meta "], (b"old", b""), None),
        (["put 1", "meta A"], (b"1", META_A), (b"1", META_A)),
        (["put 1", "meta "], (b"1", b""), (b"1", b"")),
        (["delete", "meta A"], (b"", b""), (b"", b"")),
    ],
)
def test_one_transaction(operations, on_existing, on_absent):
    for stored, expected in ((EXISTING, on_existing), (None, on_absent)):
        entry = applied(operations, stored=stored)
        found = (entry.value, entry.metadata) if entry else None
        assert found == expected
        assert entry is None or entry.version == Version(5, 0)


@pytest.mark.parametrize(
    ("transactions", "expected"),
    [
        ([["put 1"], ["put 2"]], (b"2", META_OLD, 1)),
        ([["put 1", "meta A"], ["put 2"]], (b"2", META_A, 1)),
        ([["meta A"], ["put 2"]], (b"2", META_A, 1)),
        ([["put 1"], ["meta A"]], (b"1", META_A, 1)),
        ([["meta A"], ["meta "]], (b"old", b"", 1)),
        ([["delete"], ["put 2"]], (b"2", b"", 1)),
        ([["put 1"], ["delete"]], (b"", b"", 1)),
        ([["delete"], ["meta A"]], (b"", b"", 0)),
    ],
)
def test_a_later_transaction_builds_on_an_earlier_one(transactions, expected):
    entry = applied(*transactions, stored=EXISTING)
    assert (entry.value, entry.metadata, entry.version.tx) == expected


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (["put 1", "put 2"], (b"old", b"")),
        (["delete", "delete"], (b"old", b"")),
        (["put 1", "delete"], (b"", b"")),
        (["meta A", "meta A"], (b"old", META_A)),
        (["put 1", "meta A", "meta A"], (b"1", META_A)),
    ],
)
def test_a_key_named_twice_means_what_fabrics_added_flags_mean(operations, expected):
    entry = applied(operations, stored=EXISTING)
    assert (entry.value, entry.metadata) == expected


def test_hashed_writes_follow_the_same_rules_and_purges_are_noted():
    hashed = HashedRWSet(
        hashed_writes=[
            KVWriteHash(key_hash=b"put", value_hash=b"h" * 32),
            KVWriteHash(key_hash=b"gone", is_delete=True),
            KVWriteHash(key_hash=b"wiped", is_delete=True, is_purge=True),
        ],
        metadata_writes=[
            KVMetadataWriteHash(key_hash=b"put", entries=NAMES["A"]),
            KVMetadataWriteHash(key_hash=b"absent", entries=NAMES["A"]),
        ],
    )
    rwset = TxRwSet((NsRwSet.of("cc", KVRWSet(), (CollRwSet("c", hashed, b"x"),)),))
    batch = UpdateBatch()
    apply_write_set(rwset, NOW, batch, MemoryStore().snapshot())
    assert batch.public == {}
    assert batch.hashed == {
        ("cc", "c"): {
            b"put": VersionedValue(b"h" * 32, NOW, META_A),
            b"gone": VersionedValue(b"", NOW),
            b"wiped": VersionedValue(b"", NOW),
        }
    }
    assert batch.purged == {("cc", "c", b"wiped"): NOW}


def test_metadata_survive_a_round_trip():
    entries = [KVMetadataEntry(name="a", value=b"1"), KVMetadataEntry(name="b")]
    assert deserialize(serialize(entries)) == {"a": b"1", "b": b""}
    assert deserialize(b"") == {}

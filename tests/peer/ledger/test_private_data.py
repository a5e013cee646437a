"""Cleartext at commit: found by hash, versioned with it, purged for good."""

from hashlib import sha256

import pytest

from gridloom.peer.ledger.private_data import is_committed
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.rwset import CollRwSet
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVRWSet,
    KVWrite,
    KVWriteHash,
)
from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet
from gridloom.protos.peer import transaction_pb2
from harness.ledger import commit, endorsed, golden_block, simulate
from harness.ledger import keep as keep_private
from harness.postgres import storage_of


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def ledger(request, tmp_path):
    provider = LedgerProvider(storage_of(request.param, tmp_path))
    yield provider.create(golden_block(0))
    provider.close()


def put(key, value, collection="c"):
    return lambda s: s.set_private_data("cc", collection, key, value)


def endorse(ledger, work, tx_id, *, keep=True):
    results = simulate(ledger, work)
    if keep:
        keep_private(ledger, tx_id, results.private)
    return endorsed(results.public, tx_id)


def commit_private(ledger, work, tx_id, *, keep=True):
    return commit(ledger, [endorse(ledger, work, tx_id, keep=keep)])


def get(ledger, key, collection="c"):
    executor = ledger.query_executor()
    try:
        return executor.get_private_data("cc", collection, key)
    finally:
        executor.done()


def stored_private(ledger, key):
    """What lies in the cleartext namespace, whatever the public hash says."""
    snapshot = ledger.snapshot()
    found = snapshot.get("cc$$pc", key.encode())
    snapshot.close()
    return found.value if found else None


def kept_keys(ledger, number):
    return {
        tx: [
            write.key
            for ns in private.ns_pvt_rwset
            for coll in ns.collection_pvt_rwset
            for write in KVRWSet.FromString(coll.rwset).writes
        ]
        for tx, private in ledger.private_data(number).items()
    }


def test_cleartext_kept_since_endorsement_is_stored_and_forgotten_there(ledger):
    work = lambda s: (put("k", b"1")(s), put("l", b"2", "d")(s))  # noqa: E731
    transaction = endorse(ledger, work, "tx")
    (kept,) = ledger.transient.get("tx")
    commit(ledger, [transaction])
    assert get(ledger, "k") == b"1"
    assert get(ledger, "l", "d") == b"2"
    assert ledger.private_data(1) == {
        0: TxPvtReadWriteSet(ns_pvt_rwset=kept.pvt_rwset.ns_pvt_rwset)
    }
    assert ledger.transient.get("tx") == []


def test_cleartext_with_another_hash_is_as_good_as_absent(ledger):
    transaction = endorse(ledger, put("k", b"true"), "tx", keep=False)
    forged = simulate(ledger, put("k", b"forged")).private
    keep_private(ledger, "tx", forged, 1)
    commit(ledger, [transaction])
    assert stored_private(ledger, "k") is None
    assert ledger.private_data(1) == {}


def test_of_several_kept_sets_the_matching_one_counts(ledger):
    transaction = endorse(ledger, put("k", b"true"), "tx", keep=False)
    for value in (b"forged", b"true", b"other"):
        keep_private(ledger, "tx", simulate(ledger, put("k", value)).private, 1)
    commit(ledger, [transaction])
    assert get(ledger, "k") == b"true"


def test_collections_are_matched_one_by_one(ledger):
    work = lambda s: (put("k", b"1")(s), put("l", b"2", "d")(s))  # noqa: E731
    transaction = endorse(ledger, work, "tx", keep=False)
    only_d = simulate(ledger, put("l", b"2", "d")).private
    keep_private(ledger, "tx", only_d, 1)
    commit(ledger, [transaction])
    assert get(ledger, "l", "d") == b"2"
    assert stored_private(ledger, "k") is None


def test_an_invalid_transactions_cleartext_is_kept_but_not_applied(ledger):
    transaction = endorse(ledger, put("k", b"1"), "tx")
    transaction.code = transaction_pb2.ENDORSEMENT_POLICY_FAILURE
    commit(ledger, [transaction])
    assert kept_keys(ledger, 1) == {0: ["k"]}
    assert get(ledger, "k") is None


def test_of_two_writers_in_a_block_the_later_wins(ledger):
    commit(ledger, [endorse(ledger, put("k", b"%d" % n), f"tx{n}") for n in range(2)])
    assert get(ledger, "k") == b"1"


def test_a_delete_removes_hash_and_cleartext(ledger):
    commit_private(ledger, put("k", b"1"), "put")
    commit_private(ledger, lambda s: s.delete_private_data("cc", "c", "k"), "delete")
    assert get(ledger, "k") is None
    assert kept_keys(ledger, 1) == {0: ["k"]}


def test_a_metadata_write_takes_the_cleartext_to_the_new_version(ledger):
    commit_private(ledger, put("k", b"1"), "put")
    metadata = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
    commit_private(ledger, metadata, "meta")
    assert get(ledger, "k") == b"1"


def test_a_value_and_its_metadata_in_one_block_stay_readable(ledger):
    metadata = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
    commit(ledger, [endorse(ledger, put("k", b"1"), "put"), endorse(ledger, metadata, "meta")])
    assert get(ledger, "k") == b"1"


def test_stale_cleartext_is_not_taken_to_a_version_it_does_not_have(ledger):
    commit_private(ledger, put("k", b"old"), "put")
    commit_private(ledger, put("k", b"new"), "missed", keep=False)
    metadata = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
    commit_private(ledger, metadata, "meta")
    snapshot = ledger.snapshot()
    assert snapshot.get("cc$$pc", b"k").version.block == 1
    assert snapshot.get("cc$$hc", sha256(b"k").digest()).version.block == 3
    snapshot.close()


@pytest.mark.parametrize("keep", [True, False], ids=["with", "without"])
def test_a_purge_wipes_the_past_also_without_its_own_cleartext(ledger, keep):
    both = lambda s: (put("k", b"1")(s), put("other", b"2")(s))  # noqa: E731
    commit_private(ledger, both, "put")
    commit_private(ledger, lambda s: s.purge_private_data("cc", "c", "k"), "purge", keep=keep)
    assert get(ledger, "k") is None
    assert get(ledger, "other") == b"2"
    assert stored_private(ledger, "k") is None
    assert kept_keys(ledger, 1) == {0: ["other"]}


def test_a_write_after_a_purge_in_the_same_block_stays(ledger):
    commit_private(ledger, put("k", b"1"), "put")
    purge = lambda s: s.purge_private_data("cc", "c", "k")  # noqa: E731
    commit(ledger, [endorse(ledger, purge, "purge"), endorse(ledger, put("k", b"2"), "again")])
    assert get(ledger, "k") == b"2"
    assert kept_keys(ledger, 1) == {0: []}


def test_a_purge_wipes_a_write_before_it_in_the_same_block(ledger):
    purge = lambda s: s.purge_private_data("cc", "c", "k")  # noqa: E731
    block = [endorse(ledger, put("k", b"1"), "put"), endorse(ledger, purge, "p", keep=False)]
    commit(ledger, block)
    assert stored_private(ledger, "k") is None
    assert kept_keys(ledger, 1) == {0: []}


def write_of(key, value, *, delete=False):
    return KVWrite(key=key, value=value, is_delete=delete)


def hash_of(key, value, *, delete=False):
    return KVWriteHash(
        key_hash=sha256(key.encode()).digest(),
        value_hash=b"" if delete else sha256(value).digest(),
        is_delete=delete,
    )


@pytest.mark.parametrize(
    ("clear", "hashed", "right"),
    [
        pytest.param([write_of("k", b"v")], [hash_of("k", b"v")], True, id="the same"),
        pytest.param([], [hash_of("k", b"v")], True, id="less"),
        pytest.param([write_of("k", b"v")], [], False, id="more"),
        pytest.param([write_of("k", b"v")], [hash_of("l", b"v")], False, id="another key"),
        pytest.param([write_of("k", b"v")], [hash_of("k", b"w")], False, id="another value"),
        pytest.param(
            [write_of("k", b"", delete=True)],
            [hash_of("k", b"", delete=True)],
            True,
            id="a delete",
        ),
        pytest.param(
            [write_of("k", b"", delete=True)], [hash_of("k", b"v")], False, id="a delete of a write"
        ),
        pytest.param(
            [write_of("k", b"v")], [hash_of("k", b"", delete=True)], False, id="a write of a delete"
        ),
    ],
)
def test_cleartext_has_to_write_what_the_hashes_write_even_if_its_own_hash_is_right(
    clear, hashed, right
):
    rwset = KVRWSet(writes=clear).SerializeToString()
    hashes = CollRwSet("c", HashedRWSet(hashed_writes=hashed), sha256(rwset).digest())
    assert is_committed(rwset, hashes) == right
    assert not is_committed(rwset + b"\x0a\x00", hashes)


def test_cleartext_that_does_not_parse_is_none_even_if_its_hash_is_right():
    garbage = b"\xff\xff"
    hashes = CollRwSet("c", HashedRWSet(), sha256(garbage).digest())
    assert not is_committed(garbage, hashes)

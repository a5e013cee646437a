"""Private data that come late: judged by hashes, purges taken into account, applied if current."""

from hashlib import sha256

import pytest

from gridloom.peer.ledger.private_record import PrivateBlockData
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.peer.ledger.reconciliation import LatePrivateData, judge
from gridloom.peer.ledger.rwset import CollRwSet
from gridloom.peer.ledger.state_db import Version
from gridloom.peer.ledger.store import MissingRow
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    HashedRWSet,
    KVMetadataWrite,
    KVRWSet,
    KVWrite,
    KVWriteHash,
)
from gridloom.protos.peer import transaction_pb2
from harness.consortium import consortium
from harness.ledger import commit, endorsed, golden_block, next_block, simulate
from harness.transactions import Draft

AT = Version(5, 0)


def key(name):
    return sha256(name.encode()).digest()


def rwset(**values):
    """A private set that writes these values; None deletes."""
    return KVRWSet(
        writes=[
            KVWrite(key=name, value=value or b"", is_delete=value is None)
            for name, value in sorted(values.items())
        ]
    ).SerializeToString()


def hashes(**values):
    """The public side of the same."""
    return CollRwSet(
        "c",
        HashedRWSet(
            hashed_writes=[
                KVWriteHash(
                    key_hash=key(name),
                    value_hash=sha256(value).digest() if value is not None else b"",
                    is_delete=value is None,
                )
                for name, value in sorted(values.items())
            ]
        ),
        sha256(rwset(**values)).digest(),
    )


BOTH = {"a": b"1", "b": b"2"}


def test_a_set_with_the_right_hash_is_taken_as_it_is():
    assert judge(rwset(**BOTH), hashes(**BOTH), AT, {}) == rwset(**BOTH)


@pytest.mark.parametrize(
    "sent",
    [
        rwset(a=b"1", b=b"forged"),
        rwset(a=b"1"),
        rwset(),
        rwset(a=b"1", c=b"2"),
        rwset(a=b"1", b=None),
        b"\xff garbage",
    ],
    ids=["another value", "too little", "nothing", "another key", "a delete", "garbage"],
)
def test_anything_else_is_refused(sent):
    assert judge(sent, hashes(**BOTH), AT, {}) is None


def test_keys_purged_here_are_left_out():
    purged = {key("a"): Version(6, 0)}
    assert judge(rwset(**BOTH), hashes(**BOTH), AT, purged) == rwset(b=b"2")


def test_keys_purged_there_too_need_not_come():
    purged = {key("a"): Version(6, 0)}
    assert judge(rwset(b=b"2"), hashes(**BOTH), AT, purged) == rwset(b=b"2")
    assert judge(rwset(b=b"forged"), hashes(**BOTH), AT, purged) is None
    assert judge(rwset(c=b"2"), hashes(**BOTH), AT, purged) is None


def test_a_sender_who_purged_more_is_asked_again_later():
    assert judge(rwset(b=b"2"), hashes(**BOTH), AT, {}) is None


def test_nothing_need_come_when_all_is_purged():
    purged = dict.fromkeys(map(key, BOTH), Version(6, 0))
    for sent in (rwset(**BOTH), b"", b"\xff garbage"):
        assert judge(sent, hashes(**BOTH), AT, purged) == b""


def test_a_purge_before_the_write_does_not_touch_it():
    purged = {key("a"): Version(4, 9)}
    assert judge(rwset(**BOTH), hashes(**BOTH), AT, purged) == rwset(**BOTH)


def test_a_purge_by_the_same_transaction_does():
    assert judge(rwset(a=None, b=b"2"), hashes(a=None, b=b"2"), AT, {key("a"): AT}) == rwset(b=b"2")


def test_deletes_are_judged_like_other_writes():
    purged = {key("a"): Version(6, 0)}
    expected = hashes(a=b"1", b=None)
    assert judge(rwset(a=b"1", b=None), expected, AT, purged) == rwset(b=None)
    assert judge(rwset(a=b"1", b=b"x"), expected, AT, purged) is None


def test_a_set_of_metadata_only_is_judged_by_its_hash():
    sent = KVRWSet(metadata_writes=[KVMetadataWrite(key="a")]).SerializeToString()
    expected = CollRwSet("c", HashedRWSet(), sha256(sent).digest())
    assert judge(sent, expected, AT, {}) == sent
    assert judge(rwset(a=b"1"), expected, AT, {}) is None


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request, tmp_path):
    provider = LedgerProvider("memory" if request.param == "memory" else tmp_path)
    yield provider.create(golden_block(0))
    provider.close()


def transaction_of(results):
    """A transaction past stage A that can be read again from its block."""
    transaction = endorsed(results)
    draft = Draft(creator=consortium().user(), chaincode="cc", results=results)
    transaction.envelope = draft.envelope()
    return transaction


def commit_missing(ledger, work, *, code=transaction_pb2.VALID):
    """Commit a transaction of namespace cc whose cleartext has not come; return what it is."""
    results = simulate(ledger, work)
    transaction = transaction_of(results.public)
    transaction.code = code
    row = MissingRow(ledger.height, 0, "cc", "c", True)
    block = next_block(ledger, [transaction])
    ledger.commit(block, [transaction], PrivateBlockData((), [row]))
    (written,) = results.private.ns_pvt_rwset[0].collection_pvt_rwset
    return LatePrivateData(row.block, 0, "cc", "c", written.rwset)


def put(name, value):
    return lambda s: s.set_private_data("cc", "c", name, value)


def clear(ledger, name):
    snapshot = ledger.snapshot()
    found = snapshot.get("cc$$pc", name.encode())
    snapshot.close()
    return (found.value, found.version) if found else None


def test_late_data_are_stored_applied_and_missing_no_more(ledger):
    late = commit_missing(ledger, put("k", b"v"))
    assert len(ledger.missing(10, 10)) == 1
    assert ledger.reconcile([late], ()) == []
    assert ledger.missing(10, 10) == []
    assert clear(ledger, "k") == (b"v", Version(1, 0))
    assert [row.rwset for row in ledger.private_rows(1)] == [late.rwset]
    assert ledger.height == 2


def test_forged_data_are_refused_and_stay_missing(ledger):
    late = commit_missing(ledger, put("k", b"v"))
    forged = late._replace(rwset=rwset(k=b"forged"))
    nowhere = late._replace(tx=7)
    other = late._replace(collection="d")
    assert ledger.reconcile([forged, nowhere, other], ()) == [forged, nowhere, other]
    assert len(ledger.missing(10, 10)) == 1
    assert clear(ledger, "k") is None


def test_late_data_of_an_invalid_transaction_do_not_count(ledger):
    late = commit_missing(ledger, put("k", b"v"), code=transaction_pb2.ENDORSEMENT_POLICY_FAILURE)
    assert ledger.reconcile([late], ()) == []
    assert clear(ledger, "k") is None
    assert len(ledger.private_rows(1)) == 1


def test_the_newest_of_several_late_values_is_applied_whatever_their_order(ledger):
    late = [commit_missing(ledger, put("k", value)) for value in (b"1", b"2", b"3")]
    assert ledger.reconcile([late[1]], ()) == []
    assert clear(ledger, "k") is None
    assert ledger.reconcile([late[2], late[0]], ()) == []
    assert clear(ledger, "k") == (b"3", Version(3, 0))


def test_a_late_value_takes_the_version_that_metadata_gave_its_hash(ledger):
    late = commit_missing(ledger, put("k", b"v"))
    guard = lambda s: s.set_private_data_metadata("cc", "c", "k", {"a": b"b"})  # noqa: E731
    metadata = commit_missing(ledger, guard)
    assert ledger.reconcile([late, metadata], ()) == []
    assert clear(ledger, "k") == (b"v", Version(2, 0))


def test_a_late_delete_removes_stale_cleartext(ledger):
    ledger.reconcile([commit_missing(ledger, put("k", b"v"))], ())
    assert clear(ledger, "k") is not None
    late = commit_missing(ledger, lambda s: s.delete_private_data("cc", "c", "k"))
    assert clear(ledger, "k") is not None
    assert ledger.reconcile([late], ()) == []
    assert clear(ledger, "k") is None


def test_a_purge_forgets_late_data_too(ledger):
    late = commit_missing(ledger, lambda s: (put("k", b"v")(s), put("l", b"w")(s)))
    purge = simulate(ledger, lambda s: s.purge_private_data("cc", "c", "k"))
    commit(ledger, [transaction_of(purge.public)])
    assert ledger.reconcile([late], ()) == []
    assert [row.rwset for row in ledger.private_rows(1)] == [rwset(l=b"w")]
    assert clear(ledger, "k") is None
    assert clear(ledger, "l") == (b"w", Version(1, 0))


def test_what_nobody_had_is_listed_apart(ledger):
    late = commit_missing(ledger, put("k", b"v"))
    (row,) = ledger.missing(10, 10)
    ledger.reconcile((), [row])
    assert ledger.missing(10, 10) == []
    assert list(ledger.missing(10, 10, unavailable=True)) == [row]
    assert ledger.reconcile([late], ()) == []
    assert ledger.missing(10, 10, unavailable=True) == []


def test_an_old_block_can_be_asked_for_its_data_after_a_snapshot_began(ledger):
    late = commit_missing(ledger, put("k", b"v"))
    snapshot = ledger.snapshot()
    ledger.reconcile([late], ())
    assert clear(ledger, "k") == (b"v", Version(1, 0))
    snapshot.close()
    commit(ledger, [])
    assert clear(ledger, "k") == (b"v", Version(1, 0))

"""The Merkle summary of range results (Fabric: rwsetutil/query_results_helper_test.go)."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.peer.ledger.range_query import RangeQueryResults, kv_read
from gridloom.peer.ledger.state_db import Version
from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import QueryReads


def reads(count):
    return [kv_read(f"key_{number}", Version(1, number)) for number in range(count)]


def results(count, max_degree):
    collected = RangeQueryResults(max_degree)
    for number in range(count):
        collected.add(f"key_{number}", Version(1, number))
    return collected.done()


def leaves(count, size):
    all_reads = reads(count)
    pieces = [all_reads[start : start + size] for start in range(0, count, size)]
    return [sha256(QueryReads(kv_reads=piece).SerializeToString()).digest() for piece in pieces]


def combined(*hashes):
    return sha256(b"".join(hashes)).digest()


def summary(count, max_degree):
    raw, found = results(count, max_degree)
    assert raw == []
    assert found.max_degree == max_degree
    return found.max_level, list(found.max_level_hashes)


def test_no_results_leave_nothing():
    assert results(0, 3) == ([], None)


def test_as_many_results_as_the_degree_stay_as_they_are():
    assert results(3, 3) == (reads(3), None)


def test_one_level():
    assert summary(9, 3) == (1, leaves(9, 4))


def test_two_levels():
    leaf = leaves(25, 4)
    assert summary(25, 3) == (2, [combined(*leaf[:4]), combined(*leaf[4:])])


def test_a_lone_hash_climbs_unchanged():
    leaf = leaves(65, 4)
    second = [combined(*leaf[start : start + 4]) for start in (0, 4, 8, 12)]
    assert summary(65, 3) == (3, [combined(*second), leaf[16]])


def test_the_end_may_add_a_level():
    leaf = leaves(24, 3)
    second = [combined(*leaf[start : start + 3]) for start in (0, 3, 6)]
    assert summary(24, 2) == (3, [combined(*second)])


def test_an_empty_level_is_skipped_at_the_end():
    leaf = leaves(45, 3)
    second = [combined(*leaf[start : start + 3]) for start in range(0, 15, 3)]
    assert summary(45, 2) == (3, [combined(*second[:3]), combined(*second[3:])])


def test_fifty_results_are_raw_and_fifty_one_are_hashed():
    assert results(50, 50) == (reads(50), None)
    assert summary(51, 50) == (1, leaves(51, 51))
    assert summary(52, 50) == (1, leaves(52, 51))


@pytest.mark.parametrize("degree", [0, 1])
def test_a_tree_needs_a_degree_of_two(degree):
    with pytest.raises(ValueError, match="should not be less than 2"):
        RangeQueryResults(degree)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(2, 6))
def test_summaries_differ_whenever_the_number_of_results_does(count, other, degree):
    same = results(count, degree) == results(other, degree)
    assert same == (count == other)


@given(st.integers(0, 600), st.integers(2, 5))
def test_a_summary_never_holds_more_than_the_degree(count, degree):
    raw, found = results(count, degree)
    assert len(raw) <= degree
    assert found is None or 1 <= len(found.max_level_hashes) <= degree

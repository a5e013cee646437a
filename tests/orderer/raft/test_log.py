"""The log as a node sees it, against a plain list of entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gridloom.orderer.raft import (
    NO_LIMIT,
    Compacted,
    ConfState,
    Entry,
    MemoryStorage,
    RaftPanic,
    Snapshot,
    SnapshotOutOfDate,
    Unavailable,
)
from gridloom.orderer.raft.log import RaftLog
from gridloom.orderer.raft.sizes import entry_size, limit_size
from gridloom.orderer.raft.wire import encode_entry
from harness.raft_group import SILENT

FIRST = 5
"""The entry before the first one; of term 1."""


class LogModel(RuleBasedStateMachine):
    """Leaders append and replace, the disk writes, everything commits, applies and is compacted."""

    @initialize()
    def begin(self) -> None:
        self.storage = MemoryStorage()
        self.storage.apply_snapshot(Snapshot(FIRST, 1, ConfState((1,))))
        self.log = RaftLog(self.storage, SILENT)
        self.terms = {FIRST: 1}
        """Of every entry there has been since the compaction, and the one before."""
        self.term = 1
        self.committed = self.applied = FIRST

    @property
    def last(self) -> int:
        return max(self.terms)

    @rule(back=st.integers(0, 4), count=st.integers(1, 4), later=st.integers(0, 1))
    def append(self, back: int, count: int, later: int) -> None:
        """A leader of this or the next term sends entries after one that it shares with the log."""
        previous = max(self.last - back, self.committed)
        self.term += later
        term = max(self.term, self.terms[previous])
        sent = [Entry(term=term, index=previous + 1 + i) for i in range(count)]
        last = self.log.maybe_append(previous, self.terms[previous], sent, 0)
        assert last == previous + count
        conflict = any(self.terms.get(entry.index) != term for entry in sent)
        if conflict:
            first = next(e.index for e in sent if self.terms.get(e.index) != term)
            self.terms = {i: t for i, t in self.terms.items() if i < first}
            self.terms |= {e.index: term for e in sent if e.index >= first}

    @rule(ahead=st.integers(1, 3))
    def refuse(self, ahead: int) -> None:
        """Entries after one the log does not have, or has of another term."""
        sent = [Entry(term=self.term, index=self.last + ahead + 1)]
        assert self.log.maybe_append(self.last + ahead, self.term, sent, 0) is None
        assert self.log.maybe_append(self.last, self.terms[self.last] + 1, sent, 0) is None

    @rule()
    def write(self) -> None:
        """The disk writes all there is."""
        self.storage.append(self.log.unstable.next_entries())
        self.log.unstable.accept_in_progress()
        if self.log.unstable.entries:
            self.log.unstable.stable_to(self.last, self.terms[self.last])
        assert not self.log.unstable.entries

    @rule(share=st.floats(0, 1))
    def commit(self, share: float) -> None:
        self.committed += int((self.last - self.committed) * share)
        self.log.commit_to(self.committed)
        with pytest.raises(RaftPanic):
            self.log.commit_to(self.last + 1)

    @rule()
    def apply(self) -> None:
        entries = self.log.next_committed(True)
        assert [e.index for e in entries] == list(range(self.applied + 1, self.committed + 1))
        if entries:
            self.log.accept_applying(self.committed, 0, True)
            assert not self.log.has_next_committed(True)
            self.log.applied_to(self.committed, 0)
            self.applied = self.committed

    @precondition(lambda self: self.storage.last_index() >= self.applied > min(self.terms))
    @rule()
    def compact(self) -> None:
        if self.applied < self.log.unstable.offset:
            self.storage.compact(self.applied)
            self.terms = {i: t for i, t in self.terms.items() if i >= self.applied}

    @invariant()
    def the_log_is_the_list(self) -> None:
        if not hasattr(self, "log"):
            return
        first = min(self.terms)
        assert (self.log.first_index(), self.log.last_index()) == (first + 1, self.last)
        assert self.log.last_term() == self.terms[self.last]
        for index in range(first - 1, self.last + 2):
            assert self.log.term(index) == self.terms.get(index)
        assert [e.term for e in self.log.entries(first + 1, NO_LIMIT)] == [
            term for index, term in sorted(self.terms.items()) if index > first
        ]
        with pytest.raises(Compacted):
            self.log.slice(first, self.last + 1, NO_LIMIT)


TestLog = LogModel.TestCase

TERMS = st.lists(st.integers(1, 5), min_size=1, max_size=8).map(sorted)


def log_of(terms: list[int]) -> RaftLog:
    """A log whose entries 1, 2.. are of these terms."""
    storage = MemoryStorage()
    storage.append([Entry(term=term, index=index) for index, term in enumerate(terms, 1)])
    return RaftLog(storage, SILENT)


@given(TERMS, st.integers(1, 8), st.integers(0, 6))
def test_a_hint_skips_no_entry_that_may_match(terms: list[int], index: int, term: int) -> None:
    """Of the other log: its entry at ``index`` has ``term``, so none before has a higher one."""
    index = min(index, len(terms))
    hint, hint_term = log_of(terms).find_conflict_by_term(index, term)
    assert hint <= index
    assert hint_term == (terms[hint - 1] if hint else 0)
    assert hint_term <= term
    assert all(ours > term for ours in terms[hint:index])


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(0, 200))
def test_a_limit_takes_what_fits_and_at_least_one(data: list[bytes], limit: int) -> None:
    entries = [Entry(term=1, index=i, data=payload) for i, payload in enumerate(data)]
    taken = limit_size(entries, limit)
    assert list(taken) == entries[: len(taken)]
    size = sum(map(entry_size, taken))
    assert size <= limit or len(taken) == min(1, len(entries))
    if len(taken) < len(entries):
        assert size + entry_size(entries[len(taken)]) > limit


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_a_normal_entry_counts_what_it_takes_without_its_type(
    term: int, index: int, data: bytes
) -> None:
    entry = Entry(term=term, index=index, data=data)
    assert entry_size(entry) == len(encode_entry(entry)) - 2


def test_limits_reach_across_disk_and_memory() -> None:
    log = log_of([1, 1, 1])
    log.append([Entry(term=1, index=index, data=bytes(10)) for index in (4, 5, 6)])
    size = entry_size(Entry(term=1, index=1))
    longer = entry_size(Entry(term=1, index=4, data=bytes(10)))
    for limit, count in (
        (0, 1),
        (2 * size, 2),
        (3 * size, 3),
        (3 * size + 1, 3),
        (3 * size + longer, 4),
        (NO_LIMIT, 6),
    ):
        assert [e.index for e in log.entries(1, limit)] == list(range(1, count + 1))


def test_a_memory_storage_says_what_it_does_not_have() -> None:
    storage = MemoryStorage()
    with pytest.raises(Unavailable):
        storage.entries(1, 1, NO_LIMIT)
    storage.append([Entry(term=1, index=index) for index in range(1, 6)])
    storage.create_snapshot(3, ConfState((1,)), b"")
    with pytest.raises(SnapshotOutOfDate):
        storage.create_snapshot(3, None, b"")
    with pytest.raises(SnapshotOutOfDate):
        storage.apply_snapshot(Snapshot(2, 1))
    storage.compact(3)
    for act in (
        lambda: storage.compact(3),
        lambda: storage.term(2),
        lambda: storage.entries(3, 5, NO_LIMIT),
    ):
        with pytest.raises(Compacted):
            act()
    with pytest.raises(Unavailable):
        storage.term(6)
    with pytest.raises(RaftPanic):
        storage.append([Entry(term=1, index=7)])
    storage.append([Entry(term=1, index=2), Entry(term=1, index=3), Entry(term=2, index=4)])
    assert (storage.term(4), storage.last_index()) == (2, 4)

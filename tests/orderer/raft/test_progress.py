"""How much a leader sends to a member, by what it knows of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.orderer.raft import Progress, ProgressState, RaftPanic
from gridloom.orderer.raft.tracker import Inflights


def progress(match: int, next: int, state: ProgressState = ProgressState.PROBE) -> Progress:
    return Progress(match, next, Inflights(3, 0), state, recent_active=True)


@given(
    size=st.integers(1, 5),
    max_bytes=st.integers(0, 50),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=40),
)
def test_a_window_holds_what_was_sent_and_has_not_arrived(
    size: int, max_bytes: int, steps: list[tuple[bool, int]]
) -> None:
    window, sent, last = Inflights(size, max_bytes), list[tuple[int, int]](), 0
    for send, number in steps:
        if not send:
            window.free_le(last - number)
            sent = [message for message in sent if message[0] > last - number]
        elif not window.full:
            last += number
            window.add(last, number * 3)
            sent.append((last, number * 3))
        else:
            with pytest.raises(RaftPanic):
                window.add(last, 0)
        total = sum(weight for _, weight in sent)
        assert window.count == len(sent)
        assert window.full == (len(sent) >= size or 0 < max_bytes <= total)
    copy = window.clone()
    window.reset()
    assert (window.count, copy.count) == (0, len(sent))


def test_a_probe_is_one_append_until_it_is_answered() -> None:
    member = progress(3, 6)
    member.sent_entries(0, 0)
    assert not member.is_paused
    member.sent_entries(2, 20)
    assert member.is_paused
    assert member.next == 6
    assert member.maybe_update(7)
    assert not member.is_paused


def test_replication_runs_ahead_of_the_answers() -> None:
    member = progress(3, 4)
    member.become_replicate()
    for _ in range(3):
        member.sent_entries(2, 20)
    assert member.next == 10
    assert member.is_paused
    assert str(member) == "StateReplicate match=3 next=10 paused inflight=3[full]"


def test_old_answers_change_nothing() -> None:
    member = progress(5, 6, ProgressState.REPLICATE)
    assert not member.maybe_update(5)
    assert not member.maybe_decrease(5, 2)
    probed = progress(5, 9)
    assert not probed.maybe_decrease(7, 2)
    assert (member.next, probed.next) == (6, 9)


@pytest.mark.parametrize(("hint", "following"), [(3, 4), (8, 8), (0, 3)])
def test_a_refused_probe_goes_back_to_the_hint_but_never_behind_what_matched(
    hint: int, following: int
) -> None:
    member = progress(2, 9)
    assert member.maybe_decrease(8, hint)
    assert member.next == following


def test_after_a_snapshot_the_member_is_probed_behind_it() -> None:
    member = progress(1, 2)
    member.become_snapshot(9)
    assert member.is_paused
    with pytest.raises(RaftPanic):
        member.sent_entries(1, 1)
    member.become_probe()
    assert (member.next, member.pending_snapshot, member.is_paused) == (10, 0, False)


def test_a_commit_index_is_sent_once() -> None:
    member = progress(5, 9, ProgressState.REPLICATE)
    assert member.can_bump_commit(5)
    member.sent_commit = 8
    assert not member.can_bump_commit(9)

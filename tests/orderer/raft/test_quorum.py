"""Quorum arithmetic against its definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridloom.orderer.raft.quorum import UNBOUNDED, JointConfig, VoteResult, majority
from harness.raft_scripts import naive_committed_index, swapped

IDS = st.integers(1, 9)
VOTERS = st.frozensets(IDS, max_size=7)
ACKED = st.dictionaries(IDS, st.integers(0, 12))
VOTES = st.dictionaries(IDS, st.booleans())
JOINT = st.builds(JointConfig, VOTERS, VOTERS)


@given(VOTERS, ACKED)
def test_a_majority_has_committed_what_more_than_half_have(
    voters: frozenset[int], acked: dict[int, int]
) -> None:
    assert majority.committed_index(voters, acked) == naive_committed_index(voters, acked)


@given(JOINT, ACKED)
def test_a_joint_quorum_has_committed_what_both_halves_have(
    config: JointConfig, acked: dict[int, int]
) -> None:
    halves = [naive_committed_index(half, acked) for half in (config.incoming, config.outgoing)]
    assert config.committed_index(acked) == min(halves)
    assert swapped(config).committed_index(acked) == min(halves)


def naive_vote(voters: frozenset[int], votes: dict[int, bool]) -> VoteResult:
    """By playing out every way in which those who are missing may vote."""
    missing = [voter for voter in voters if voter not in votes]
    won = set()
    for ballot in range(2 ** len(missing)):
        rest = {voter: bool(ballot >> place & 1) for place, voter in enumerate(missing)}
        granted = sum({**votes, **rest}[voter] for voter in voters)
        won.add(granted * 2 > len(voters) or not voters)
    if len(won) == 2:
        return VoteResult.PENDING
    return VoteResult.WON if won.pop() else VoteResult.LOST


@given(VOTERS, VOTES)
def test_a_vote_is_decided_when_nobody_can_change_it_any_more(
    voters: frozenset[int], votes: dict[int, bool]
) -> None:
    assert majority.vote_result(voters, votes) is naive_vote(voters, votes)


@given(JOINT, VOTES)
def test_a_joint_vote_needs_both_halves(config: JointConfig, votes: dict[int, bool]) -> None:
    halves = [naive_vote(half, votes) for half in (config.incoming, config.outgoing)]
    result = config.vote_result(votes)
    assert (result is VoteResult.WON) == all(half is VoteResult.WON for half in halves)
    assert (result is VoteResult.LOST) == any(half is VoteResult.LOST for half in halves)
    assert swapped(config).vote_result(votes) is result


@given(VOTERS, ACKED, IDS)
def test_progress_never_takes_a_commit_back(
    voters: frozenset[int], acked: dict[int, int], node: int
) -> None:
    more = {**acked, node: acked.get(node, 0) + 1}
    before = majority.committed_index(voters, acked)
    assert majority.committed_index(voters, more) >= before


def test_nobody_holds_nobody_back() -> None:
    assert majority.committed_index(frozenset(), {}) == UNBOUNDED
    assert majority.vote_result(frozenset(), {}) is VoteResult.WON

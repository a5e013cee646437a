"""Membership arithmetic against a naive model: sets that are changed as the change says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.orderer.raft import ConfChangeSingle, ConfChangeType, ConfState, InvalidConfChange
from gridloom.orderer.raft.conf_changes import format_changes, parse_changes
from gridloom.orderer.raft.confchange import Changer, restore
from gridloom.orderer.raft.tracker import MembershipConfig, ProgressMap

CHANGE = st.builds(ConfChangeSingle, st.sampled_from(ConfChangeType), st.integers(0, 6))
CHANGES = st.lists(CHANGE, max_size=5).map(tuple)
NOBODY = Changer(MembershipConfig(), ProgressMap(), 10, 256, 0)


@dataclass
class Naive:
    """Voters and learners, without any thought of a joint configuration."""

    voters: set[int] = field(default_factory=set)
    learners: set[int] = field(default_factory=set)

    def apply(self, changes: tuple[ConfChangeSingle, ...]) -> None:
        for change in changes:
            node = change.node_id
            if node == 0 or change.type is ConfChangeType.UPDATE_NODE:
                continue
            self.voters.discard(node)
            self.learners.discard(node)
            if change.type is ConfChangeType.ADD_NODE:
                self.voters.add(node)
            elif change.type is ConfChangeType.ADD_LEARNER_NODE:
                self.learners.add(node)


def after(changer: Changer, config: MembershipConfig, progress: ProgressMap) -> Changer:
    return Changer(config, progress, changer.last_index, 256, 0)


def members(voters: int, learners: int) -> Changer:
    """Voters 1.. and learners after them."""
    ids = range(1, voters + learners + 1)
    state = ConfState(tuple(ids[:voters]), tuple(ids[voters:]))
    return after(NOBODY, *restore(NOBODY, state))


GROUPS = st.builds(members, st.integers(1, 4), st.integers(0, 2))


def joint_members(
    group: Changer, changes: tuple[ConfChangeSingle, ...], auto_leave: bool
) -> Changer | None:
    try:
        return after(group, *group.enter_joint(auto_leave, changes))
    except InvalidConfChange:
        return None


@given(GROUPS, CHANGES)
def test_a_joint_change_ends_where_the_changes_lead(
    group: Changer, changes: tuple[ConfChangeSingle, ...]
) -> None:
    naive = Naive(set(group.config.voters.incoming), set(group.config.learners))
    before = frozenset(naive.voters)
    naive.apply(changes)
    joint = joint_members(group, changes, True)
    if joint is None:
        assert not naive.voters
        return
    assert joint.config.voters.incoming == naive.voters
    assert joint.config.voters.outgoing == before
    assert joint.config.auto_leave
    assert not joint.config.learners & joint.config.voters.ids
    config, progress = joint.leave_joint()
    assert config.voters.incoming == naive.voters
    assert not config.joint
    assert config.learners == naive.learners
    assert set(progress) == naive.voters | naive.learners
    assert list(progress) == sorted(progress)
    assert {node for node, one in progress.items() if one.is_learner} == naive.learners


@given(GROUPS, CHANGES)
def test_a_simple_change_touches_one_voter_at_most_and_ends_at_the_same(
    group: Changer, changes: tuple[ConfChangeSingle, ...]
) -> None:
    naive = Naive(set(group.config.voters.incoming), set(group.config.learners))
    before = set(naive.voters)
    naive.apply(changes)
    allowed = bool(naive.voters) and len(before ^ naive.voters) <= 1
    try:
        config, progress = group.simple(changes)
    except InvalidConfChange:
        assert not allowed
        return
    assert allowed
    assert config.voters.incoming == naive.voters
    assert config.learners == naive.learners
    assert set(progress) == naive.voters | naive.learners


@given(GROUPS, CHANGES, st.booleans())
def test_what_is_stored_of_a_configuration_brings_it_back(
    group: Changer, changes: tuple[ConfChangeSingle, ...], auto_leave: bool
) -> None:
    for changer in (group, joint_members(group, changes, auto_leave)):
        if changer is not None:
            config, progress = restore(NOBODY, changer.config.conf_state)
            assert config == changer.config
            assert set(progress) == set(changer.progress)


@given(GROUPS, CHANGES)
def test_a_change_leaves_what_it_started_from_alone(
    group: Changer, changes: tuple[ConfChangeSingle, ...]
) -> None:
    before = str(group.progress)
    joint_members(group, changes, False)
    assert str(group.progress) == before


def test_new_members_count_as_heard_of_and_are_probed_from_the_leaders_end() -> None:
    _, progress = members(1, 0).simple(parse_changes("v2"))
    assert progress[2].recent_active
    assert (progress[2].match, progress[2].next) == (0, 10)


@given(CHANGES)
def test_changes_are_read_as_they_are_written(changes: tuple[ConfChangeSingle, ...]) -> None:
    assert parse_changes(format_changes(changes)) == changes


@pytest.mark.parametrize("text", ["x1", "v", "v-1", "v1 ²", "1"])
def test_a_text_that_is_no_change_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfChange):
        parse_changes(text)

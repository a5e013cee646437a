"""Whatever a member sends, a node takes it, refuses it, or stops with a reason: never a bug."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.errors import MalformedMessage
from gridloom.orderer.raft import (
    CannotStep,
    ConfState,
    Entry,
    EntryType,
    Message,
    MessageType,
    ProposalDropped,
    RaftPanic,
    RawNode,
    Snapshot,
)
from harness.raft_voters import Cluster

NUMBER = st.integers(0, 6) | st.sampled_from((2**63, 2**64 - 1))
IDS = st.lists(st.integers(0, 4), max_size=4).map(tuple)
ENTRIES = st.lists(
    st.builds(Entry, st.sampled_from(EntryType), NUMBER, NUMBER, st.binary(max_size=6)), max_size=3
).map(tuple)
SNAPSHOTS = st.builds(
    Snapshot, NUMBER, NUMBER, st.builds(ConfState, IDS, IDS, IDS, IDS, st.booleans())
)
MESSAGES = st.builds(
    Message,
    type=st.sampled_from(MessageType),
    to=st.just(1),
    from_=st.integers(0, 4),
    term=NUMBER,
    log_term=NUMBER,
    index=NUMBER,
    entries=ENTRIES,
    commit=NUMBER,
    snapshot=st.none() | SNAPSHOTS,
    reject=st.booleans(),
    reject_hint=NUMBER,
    context=st.binary(max_size=10),
)


def leader() -> RawNode:
    return Cluster(3, check_quorum=True).elect(1)


def follower() -> RawNode:
    cluster = Cluster(3, pre_vote=True)
    cluster.elect(2)
    return cluster.nodes[1]


def candidate() -> RawNode:
    node = Cluster(3).nodes[1]
    node.campaign()
    return node


@pytest.mark.parametrize("role", [leader, follower, candidate])
@given(messages=st.lists(MESSAGES, min_size=1, max_size=4))
def test_any_message_is_taken_refused_or_fatal(role: object, messages: list[Message]) -> None:
    node = role()  # type: ignore[operator]
    try:
        for message in messages:
            try:
                node.step(message)
            except (CannotStep, ProposalDropped, MalformedMessage):
                continue
            node.tick()
            node.ready()
            node.advance()
    except RaftPanic:
        """The node has stopped; what it promised before holds."""

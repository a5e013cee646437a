"""Time passing (etcd: tickElection and tickHeartbeat in raft.go)."""

from __future__ import annotations

from .messages import NONE, Message, MessageType
from .ready import StateType
from .state import Raft
from .step import step


def tick(raft: Raft) -> None:
    """Let a tick pass: followers may campaign, leaders send heartbeats and count their members."""
    if raft.state is StateType.LEADER:
        _tick_leader(raft)
        return
    raft.election_elapsed += 1
    if raft.promotable and raft.election_elapsed >= raft.randomized_election_timeout:
        raft.election_elapsed = 0
        step(raft, Message(MessageType.HUP, from_=raft.id))


def _tick_leader(raft: Raft) -> None:
    raft.heartbeat_elapsed += 1
    raft.election_elapsed += 1
    if raft.election_elapsed >= raft.config.election_tick:
        raft.election_elapsed = 0
        if raft.config.check_quorum:
            step(raft, Message(MessageType.CHECK_QUORUM, from_=raft.id))
        if raft.state is not StateType.LEADER:
            return
        # A transfer that takes this long has failed.
        raft.lead_transferee = NONE
    if raft.heartbeat_elapsed >= raft.config.heartbeat_tick:
        raft.heartbeat_elapsed = 0
        step(raft, Message(MessageType.BEAT, from_=raft.id))

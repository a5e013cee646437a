"""From one part to another: follower, candidate, leader (etcd: become... in raft.go)."""

from __future__ import annotations

from .errors import RaftPanic
from .messages import NONE, Entry
from .ready import StateType
from .replication import append_entries
from .state import Raft


def become_follower(raft: Raft, term: int, lead: int) -> None:
    """Follow a leader, or nobody in particular."""
    raft.reset(term)
    raft.lead = lead
    raft.state = StateType.FOLLOWER
    raft.logger.info("%x became follower at term %d", raft.id, raft.term)


def become_candidate(raft: Raft) -> None:
    """Enter a new term and vote for oneself."""
    if raft.state is StateType.LEADER:
        raise RaftPanic("invalid transition [leader -> candidate]")
    raft.reset(raft.term + 1)
    raft.vote = raft.id
    raft.state = StateType.CANDIDATE
    raft.logger.info("%x became candidate at term %d", raft.id, raft.term)


def become_pre_candidate(raft: Raft) -> None:
    """Ask around first; neither term nor vote change."""
    if raft.state is StateType.LEADER:
        raise RaftPanic("invalid transition [leader -> pre-candidate]")
    raft.tracker.votes = {}
    raft.lead = NONE
    raft.state = StateType.PRE_CANDIDATE
    raft.logger.info("%x became pre-candidate at term %d", raft.id, raft.term)


def become_leader(raft: Raft) -> None:
    """Lead, and begin with an empty entry: its commit brings all earlier ones along.

    There may be a membership change among those, so none is proposed until they are applied.
    """
    if raft.state is StateType.FOLLOWER:
        raise RaftPanic("invalid transition [follower -> leader]")
    raft.reset(raft.term)
    raft.lead = raft.id
    raft.state = StateType.LEADER
    own = raft.tracker.progress[raft.id]
    own.become_replicate()
    own.recent_active = True
    raft.pending_conf_index = raft.log.last_index()
    append_entries(raft, [Entry()])
    raft.logger.info("%x became leader at term %d", raft.id, raft.term)

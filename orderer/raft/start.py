"""A node from what its storage holds, or from nothing (etcd: newRaft in raft.go, bootstrap.go)."""

from __future__ import annotations

from collections.abc import Mapping

from .conf_changes import ConfChange
from .config import Config
from .errors import InvalidRaftConfig, RaftPanic
from .install_snapshot import restore_config
from .log import RaftLog
from .membership import apply_conf_change
from .messages import EMPTY_HARD_STATE, NONE, Entry, HardState
from .roles import become_follower
from .state import Raft
from .wire import encode_conf_change


def new_raft(config: Config) -> Raft:
    """A follower of nobody, with the state, membership and log of its storage."""
    max_applying = config.max_committed_size_per_ready or config.max_size_per_msg or 1
    log = RaftLog(config.storage, config.logger, max_applying)
    raft = Raft(config, log)
    hard_state, conf_state = config.storage.initial_state()
    restore_config(raft, conf_state)
    if hard_state != EMPTY_HARD_STATE:
        _load_state(raft, hard_state)
    if config.applied:
        log.applied_to(config.applied, 0)
    become_follower(raft, raft.term, NONE)
    raft.logger.info(
        "newRaft %x [peers: [%s], term: %d, commit: %d, applied: %d, lastindex: %d, lastterm: %d]",
        raft.id,
        ",".join(f"{node:x}" for node in sorted(raft.tracker.config.voters.ids)),
        *(raft.term, log.committed, log.applied, log.last_index(), log.last_term()),
    )
    return raft


def _load_state(raft: Raft, state: HardState) -> None:
    committed, last = raft.log.committed, raft.log.last_index()
    if not committed <= state.commit <= last:
        raise RaftPanic(
            f"{raft.id:x} state.commit {state.commit} is out of range [{committed}, {last}]"
        )
    raft.log.committed = state.commit
    raft.term = state.term
    raft.vote = state.vote


def bootstrap(raft: Raft, peers: Mapping[int, bytes]) -> None:
    """Begin the log with one committed entry for each voter, the same on every node.

    The application sees these membership changes among the committed entries, and applies them a
    second time.
    """
    if not peers:
        raise InvalidRaftConfig("must provide at least one peer to Bootstrap")
    if raft.log.last_index() != 0:
        raise InvalidRaftConfig("can't bootstrap a nonempty Storage")
    become_follower(raft, 1, NONE)
    changes = [ConfChange(node_id=node, context=context) for node, context in peers.items()]
    entries = []
    for index, change in enumerate(changes, 1):
        type, data = encode_conf_change(change)
        entries.append(Entry(type, 1, index, data))
    raft.log.append(entries)
    raft.log.committed = len(entries)
    for change in changes:
        apply_conf_change(raft, change)

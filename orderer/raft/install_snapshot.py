"""Snapshots that arrive at a follower (etcd: handleSnapshot in raft.go; Raft, section 7)."""

from __future__ import annotations

from .confchange import restore
from .describe import conf_state_fields
from .errors import InvalidConfChange, RaftPanic
from .membership import applied_to, changer, switch_to_config
from .messages import ConfState, Message, MessageType, Snapshot
from .state import Raft
from .tracker import ProgressTracker


def handle_snapshot(raft: Raft, message: Message) -> None:
    """Take a snapshot in place of the log, unless the log has as much already."""
    snapshot = message.snapshot or Snapshot()
    restored = _restore(raft, snapshot)
    raft.logger.info(
        "%x [commit: %d] %s snapshot [index: %d, term: %d]",
        *(raft.id, raft.log.committed, "restored" if restored else "ignored"),
        *(snapshot.index, snapshot.term),
    )
    index = raft.log.last_index() if restored else raft.log.committed
    raft.send(MessageType.APP_RESP, message.from_, index=index)


def _restore(raft: Raft, snapshot: Snapshot) -> bool:
    if snapshot.index <= raft.log.committed:
        return False
    state = snapshot.conf_state
    # LearnersNext are among the outgoing voters.
    if raft.id not in (*state.voters, *state.learners, *state.voters_outgoing):
        raft.logger.warning(
            "%x attempted to restore snapshot but it is not in the ConfState %s; "
            "should never happen",
            *(raft.id, conf_state_fields(state)),
        )
        return False
    if raft.log.match_term(snapshot.index, snapshot.term):
        _log_snapshot(raft, "fast-forwarded commit to", snapshot)
        raft.log.commit_to(snapshot.index)
        return False
    raft.log.restore(snapshot)
    restore_config(raft, state)
    _log_snapshot(raft, "restored", snapshot)
    return True


def _log_snapshot(raft: Raft, what: str, snapshot: Snapshot) -> None:
    raft.logger.info(
        "%x [commit: %d, lastindex: %d, lastterm: %d] %s snapshot [index: %d, term: %d]",
        *(raft.id, raft.log.committed, raft.log.last_index(), raft.log.last_term()),
        *(what, snapshot.index, snapshot.term),
    )


def restore_config(raft: Raft, state: ConfState) -> None:
    """Use a stored configuration, and forget what was known of the members."""
    raft.tracker = ProgressTracker(raft.tracker.max_inflight, raft.tracker.max_inflight_bytes)
    try:
        config, progress = restore(changer(raft), state)
    except InvalidConfChange as error:
        raise RaftPanic(f"unable to restore config {state}: {error}") from error
    restored = switch_to_config(raft, config, progress)
    if _sorted(restored) != _sorted(state):
        raise RaftPanic(f"ConfStates not equivalent after sorting: {restored} and {state}")


def _sorted(state: ConfState) -> ConfState:
    return ConfState(
        tuple(sorted(state.voters)),
        tuple(sorted(state.learners)),
        tuple(sorted(state.voters_outgoing)),
        tuple(sorted(state.learners_next)),
        state.auto_leave,
    )


def applied_snapshot(raft: Raft, snapshot: Snapshot) -> None:
    """The application has stored and applied a snapshot."""
    raft.log.unstable.stable_snapshot_to(snapshot.index)
    applied_to(raft, snapshot.index, 0)

"""Configurations coming into force (etcd: raft.go; thesis, chapter 4).

A change takes effect on each node when it is applied there, not when it is appended.
"""

from __future__ import annotations

from .conf_changes import AnyConfChange
from .confchange import Changer
from .errors import InvalidConfChange, ProposalDropped, RaftPanic
from .messages import NONE, ConfState, Entry, EntryType
from .proposals import propose
from .ready import StateType
from .replication import broadcast_append, maybe_commit, send_append
from .roles import become_follower
from .state import Raft
from .tracker import MembershipConfig, ProgressMap


def changer(raft: Raft) -> Changer:
    """A changer of the configuration in force."""
    return Changer(
        config=raft.tracker.config,
        progress=raft.tracker.progress,
        last_index=raft.log.last_index(),
        max_inflight=raft.tracker.max_inflight,
        max_inflight_bytes=raft.tracker.max_inflight_bytes,
    )


def apply_conf_change(raft: Raft, change: AnyConfChange) -> ConfState:
    """Put a committed change into force."""
    v2 = change.as_v2()
    try:
        if v2.leaves_joint:
            config, progress = changer(raft).leave_joint()
        elif v2.enters_joint:
            config, progress = changer(raft).enter_joint(v2.auto_leave, v2.changes)
        else:
            config, progress = changer(raft).simple(v2.changes)
    except InvalidConfChange as error:
        raise RaftPanic(str(error)) from error
    return switch_to_config(raft, config, progress)


def switch_to_config(raft: Raft, config: MembershipConfig, progress: ProgressMap) -> ConfState:
    """Use a configuration from now on, and do what follows from it on this node."""
    raft.tracker.config = config
    raft.tracker.progress = progress
    raft.logger.info("%x switched to configuration %s", raft.id, config)
    own = progress.get(raft.id)
    if raft.state is not StateType.LEADER:
        return config.conf_state
    if own is None or own.is_learner:
        if raft.config.step_down_on_removal:
            become_follower(raft, raft.term, NONE)
        return config.conf_state
    if config.voters.incoming:
        _lead_new_config(raft)
    return config.conf_state


def _lead_new_config(raft: Raft) -> None:
    """As the leader: commit what the new quorum has, and talk to new members at once."""
    if maybe_commit(raft):
        broadcast_append(raft)
    else:
        for node in raft.tracker.progress:
            if node != raft.id:
                send_append(raft, node, even_if_empty=False)
    if raft.lead_transferee not in raft.tracker.config.voters.ids:
        raft.lead_transferee = NONE


def applied_to(raft: Raft, index: int, size: int) -> None:
    """The application has applied entries of ``size`` bytes up to ``index``.

    If the membership is joint and may be left by itself, the leader proposes that now, with data
    so empty that no limit of size can refuse it.  If it is refused for a transfer of leadership,
    the next applied entry brings the next try.
    """
    applied = max(index, raft.log.applied)
    raft.log.applied_to(applied, size)
    config = raft.tracker.config
    due = config.auto_leave and applied >= raft.pending_conf_index
    if not due or raft.state is not StateType.LEADER:
        return
    try:
        propose(raft, [Entry(EntryType.CONF_CHANGE_V2)])
    except ProposalDropped as error:
        raft.logger.debug(
            "not initiating automatic transition out of joint configuration %s: %s",
            *(config, error),
        )
    else:
        raft.logger.info("initiating automatic transition out of joint configuration %s", config)

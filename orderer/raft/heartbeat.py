"""A leader's heartbeats (etcd: bcastHeartbeat in raft.go)."""

from __future__ import annotations

from .messages import MessageType
from .state import Raft


def broadcast_heartbeat(raft: Raft) -> None:
    """Tell every member that there is a leader, how far it may commit, and ask about reads.

    The commit index never lies beyond what the member is known to have.
    """
    context = raft.read_only.heartbeat_context()
    for node, progress in raft.tracker.progress.items():
        if node == raft.id:
            continue
        commit = min(progress.match, raft.log.committed)
        raft.send(MessageType.HEARTBEAT, node, commit=commit, context=context)
        progress.sent_commit = commit

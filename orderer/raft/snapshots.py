"""Snapshots for members that are too far behind, the leader's side (etcd: raft.go)."""

from __future__ import annotations

from .errors import RaftPanic, SnapshotTemporarilyUnavailable
from .messages import Message, MessageType
from .state import Raft
from .tracker import Progress, ProgressState


def maybe_send_snapshot(raft: Raft, to: int, progress: Progress) -> bool:
    """Send the latest snapshot, unless there is nobody to take it or it is not ready."""
    if not progress.recent_active:
        raft.logger.debug("ignore sending snapshot to %x since it is not recently active", to)
        return False
    try:
        snapshot = raft.log.snapshot()
    except SnapshotTemporarilyUnavailable:
        raft.logger.debug(
            "%x failed to send snapshot to %x because snapshot is temporarily unavailable",
            *(raft.id, to),
        )
        return False
    if not snapshot.index:
        raise RaftPanic("need non-empty snapshot")
    raft.logger.debug(
        "%x [firstindex: %d, commit: %d] sent snapshot[index: %d, term: %d] to %x [%s]",
        *(raft.id, raft.log.first_index(), raft.log.committed),
        *(snapshot.index, snapshot.term, to, progress),
    )
    progress.become_snapshot(snapshot.index)
    raft.logger.debug("%x paused sending replication messages to %x [%s]", raft.id, to, progress)
    raft.send(MessageType.SNAP, to, snapshot=snapshot)
    return True


def handle_snapshot_status(raft: Raft, message: Message, progress: Progress) -> None:
    """The application reports how the sending ended.

    Then probe: after a success once the member answers, after a failure with the next heartbeat.
    """
    if progress.state is not ProgressState.SNAPSHOT:
        return
    if message.reject:
        progress.pending_snapshot = 0
    progress.become_probe()
    raft.logger.debug(
        "%x snapshot %s, resumed sending replication messages to %x [%s]",
        *(raft.id, "failed" if message.reject else "succeeded", message.from_, progress),
    )
    progress.flow_paused = True

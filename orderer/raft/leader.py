"""What a leader does with messages (etcd: stepLeader in raft.go)."""

from __future__ import annotations

from .heartbeat import broadcast_heartbeat
from .messages import NONE, Message, MessageType
from .proposals import propose
from .read_index import handle_read_ack, handle_read_index, release_pending_reads
from .replication import broadcast_append, maybe_commit, send_append
from .roles import become_follower
from .snapshots import handle_snapshot_status
from .state import Raft
from .tracker import Progress, ProgressState
from .transfer import handle_transfer_leader, send_timeout_now


def step_leader(raft: Raft, message: Message) -> None:
    """Take in a message of the present term.

    Raises ProposalDropped.
    """
    match message.type:
        case MessageType.BEAT:
            broadcast_heartbeat(raft)
        case MessageType.CHECK_QUORUM:
            _check_quorum(raft)
        case MessageType.PROP:
            propose(raft, message.entries)
        case MessageType.READ_INDEX:
            handle_read_index(raft, message)
        case MessageType.FORGET_LEADER:
            pass
        case _:
            progress = raft.tracker.progress.get(message.from_)
            if progress is None:
                raft.logger.debug("%x no progress available for %x", raft.id, message.from_)
            else:
                _step_member(raft, message, progress)


def _step_member(raft: Raft, message: Message, progress: Progress) -> None:
    match message.type:
        case MessageType.APP_RESP:
            progress.recent_active = True
            if message.reject:
                _handle_rejection(raft, message, progress)
            else:
                _handle_acknowledgement(raft, message, progress)
        case MessageType.HEARTBEAT_RESP:
            progress.recent_active = True
            progress.flow_paused = False
            # A window full of lost appends, or a member that is only probed: an append helps.
            behind = progress.match < raft.log.last_index()
            if behind or progress.state is ProgressState.PROBE:
                send_append(raft, message.from_)
            handle_read_ack(raft, message)
        case MessageType.SNAP_STATUS:
            handle_snapshot_status(raft, message, progress)
        case MessageType.UNREACHABLE:
            if progress.state is ProgressState.REPLICATE:
                progress.become_probe()
            raft.logger.debug(
                "%x failed to send message to %x because it is unreachable [%s]",
                *(raft.id, message.from_, progress),
            )
        case MessageType.TRANSFER_LEADER:
            handle_transfer_leader(raft, message, progress)
        case _:
            pass


def _check_quorum(raft: Raft) -> None:
    if not raft.tracker.quorum_active():
        raft.logger.warning("%x stepped down to follower since quorum is not active", raft.id)
        become_follower(raft, raft.term, NONE)
    for node, progress in raft.tracker.progress.items():
        if node != raft.id:
            progress.recent_active = False


def _handle_rejection(raft: Raft, message: Message, progress: Progress) -> None:
    """The logs part before the append: probe earlier.

    The hint says how long the member's log may match and the term it has there.  A leader's entry
    of a higher term cannot match at or before the hint, so all of those are skipped: at most one
    probe for each term of the leader's log.
    """
    raft.logger.debug(
        "%x received MsgAppResp(rejected, hint: (index %d, term %d)) from %x for index %d",
        *(raft.id, message.reject_hint, message.log_term, message.from_, message.index),
    )
    hint = message.reject_hint
    if message.log_term > 0:
        hint, _ = raft.log.find_conflict_by_term(hint, message.log_term)
    if progress.maybe_decrease(message.index, hint):
        raft.logger.debug("%x decreased progress of %x to [%s]", raft.id, message.from_, progress)
        if progress.state is ProgressState.REPLICATE:
            progress.become_probe()
        send_append(raft, message.from_)


def _handle_acknowledgement(raft: Raft, message: Message, progress: Progress) -> None:
    """A member, or the leader's own disk, has everything up to an index."""
    node, index = message.from_, message.index
    probed = progress.match == index and progress.state is ProgressState.PROBE
    if not (progress.maybe_update(index) or probed):
        return
    _resume(raft, node, index, progress)
    if maybe_commit(raft):
        release_pending_reads(raft)
        broadcast_append(raft)
    elif node != raft.id and progress.can_bump_commit(raft.log.committed):
        send_append(raft, node)
    if node == raft.id:
        return
    while send_append(raft, node, even_if_empty=False):
        pass
    if node == raft.lead_transferee and progress.match == raft.log.last_index():
        raft.logger.info("%x sent MsgTimeoutNow to %x after received MsgAppResp", raft.id, node)
        send_timeout_now(raft, node)


def _resume(raft: Raft, node: int, index: int, progress: Progress) -> None:
    """Where its log ends is known now: stop probing, or make room for more."""
    if progress.state is ProgressState.PROBE:
        progress.become_replicate()
    elif progress.state is ProgressState.REPLICATE:
        progress.inflights.free_le(index)
    elif progress.match + 1 >= raft.log.first_index():
        # Whatever snapshot it took, from here on the log will do.
        raft.logger.debug(
            "%x recovered from needing snapshot, resumed sending replication messages to %x [%s]",
            *(raft.id, node, progress),
        )
        progress.become_probe()
        progress.become_replicate()

"""Handing the leadership over (etcd: raft.go; thesis, section 3.10)."""

from __future__ import annotations

from .messages import NONE, Message, MessageType
from .replication import send_append
from .state import Raft
from .tracker import Progress


def handle_transfer_leader(raft: Raft, message: Message, progress: Progress) -> None:
    """Bring a member up to date, then tell it to campaign; meanwhile no proposals are taken."""
    transferee = message.from_
    if progress.is_learner:
        raft.logger.debug("%x is learner. Ignored transferring leadership", raft.id)
        return
    if raft.lead_transferee == transferee:
        raft.logger.info(
            "%x [term %d] transfer leadership to %x is in progress, ignores request to same "
            "node %x",
            *(raft.id, raft.term, transferee, transferee),
        )
        return
    if raft.lead_transferee != NONE:
        previous, raft.lead_transferee = raft.lead_transferee, NONE
        raft.logger.info(
            "%x [term %d] abort previous transferring leadership to %x",
            *(raft.id, raft.term, previous),
        )
    if transferee == raft.id:
        raft.logger.debug("%x is already leader. Ignored transferring leadership to self", raft.id)
        return
    raft.logger.info(
        "%x [term %d] starts to transfer leadership to %x", raft.id, raft.term, transferee
    )
    # It has to be done within an election timeout.
    raft.election_elapsed = 0
    raft.lead_transferee = transferee
    if progress.match == raft.log.last_index():
        send_timeout_now(raft, transferee)
        raft.logger.info(
            "%x sends MsgTimeoutNow to %x immediately as %x already has up-to-date log",
            *(raft.id, transferee, transferee),
        )
    else:
        send_append(raft, transferee)


def send_timeout_now(raft: Raft, to: int) -> None:
    """Tell a member to campaign at once."""
    raft.send(MessageType.TIMEOUT_NOW, to)

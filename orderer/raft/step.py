"""Where every message passes: its term first, then the part the node plays (etcd: raft.go)."""

from __future__ import annotations

from collections.abc import Callable

from .candidate import step_candidate
from .election import handle_vote_request, hup, in_lease, refuse_vote
from .follower import step_follower
from .install_snapshot import applied_snapshot
from .leader import step_leader
from .membership import applied_to
from .messages import FROM_LEADER, NONE, Message, MessageType
from .ready import StateType
from .replication import reduce_uncommitted_size
from .roles import become_follower
from .sizes import entries_size, payloads_size
from .state import Raft

_VOTE_REQUESTS = frozenset({MessageType.VOTE, MessageType.PRE_VOTE})


def step(raft: Raft, message: Message) -> None:
    """Take in a message.

    Raises ProposalDropped.
    """
    if message.term > raft.term:
        if not _enter_higher_term(raft, message):
            return
    elif 0 != message.term < raft.term:
        _handle_lower_term(raft, message)
        return
    handle = _IN_ANY_PART.get(message.type) or _BY_PART[raft.state]
    handle(raft, message)


def _handle_append_answer(raft: Raft, message: Message) -> None:
    if message.index:
        raft.log.unstable.stable_to(message.index, message.log_term)
    if message.snapshot is not None:
        applied_snapshot(raft, message.snapshot)


def _handle_apply_answer(raft: Raft, message: Message) -> None:
    if message.entries:
        applied_to(raft, message.entries[-1].index, entries_size(message.entries))
        reduce_uncommitted_size(raft, payloads_size(message.entries))


_IN_ANY_PART: dict[MessageType, Callable[[Raft, Message], None]] = {
    MessageType.HUP: lambda raft, _: hup(raft),
    MessageType.VOTE: handle_vote_request,
    MessageType.PRE_VOTE: handle_vote_request,
    MessageType.STORAGE_APPEND_RESP: _handle_append_answer,
    MessageType.STORAGE_APPLY_RESP: _handle_apply_answer,
}
_BY_PART = {
    StateType.FOLLOWER: step_follower,
    StateType.CANDIDATE: step_candidate,
    StateType.PRE_CANDIDATE: step_candidate,
    StateType.LEADER: step_leader,
}


def _enter_higher_term(raft: Raft, message: Message) -> bool:
    """Become a follower of the message's term; False if the message is to be ignored.

    Pre-votes speak of a term nobody is in yet; granted, they change nothing.
    """
    if message.type in _VOTE_REQUESTS and in_lease(raft, message):
        return False
    granted = message.type is MessageType.PRE_VOTE_RESP and not message.reject
    if message.type is MessageType.PRE_VOTE or granted:
        return True
    raft.logger.info(
        "%x [term: %d] received a %s message with higher term from %x [term: %d]",
        *(raft.id, raft.term, message.type, message.from_, message.term),
    )
    lead = message.from_ if message.type in FROM_LEADER else NONE
    become_follower(raft, message.term, lead)
    return True


def _handle_lower_term(raft: Raft, message: Message) -> None:
    """Ignore a message, but let an old leader and an old pre-candidate know.

    Without it a node that came back with a higher term could neither win an election, for the
    others do not listen to it, nor follow the leader, whose term is lower.
    """
    config = raft.config
    if (config.check_quorum or config.pre_vote) and message.type in (
        MessageType.HEARTBEAT,
        MessageType.APP,
    ):
        raft.send(MessageType.APP_RESP, message.from_)
    elif message.type is MessageType.PRE_VOTE:
        refuse_vote(raft, message)
    elif message.type is MessageType.STORAGE_APPEND_RESP:
        # Entries may have been replaced since; a snapshot is committed in any term.
        if message.index:
            raft.logger.info(
                "%x [term: %d] ignored entry appends from a %s message with lower term [term: %d]",
                *(raft.id, raft.term, message.type, message.term),
            )
        if message.snapshot is not None:
            applied_snapshot(raft, message.snapshot)
    else:
        raft.logger.info(
            "%x [term: %d] ignored a %s message with lower term from %x [term: %d]",
            *(raft.id, raft.term, message.type, message.from_, message.term),
        )

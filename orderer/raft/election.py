"""Campaigns and votes (etcd: raft.go; Raft, section 5.2; thesis, 9.6 for the pre-vote)."""

from __future__ import annotations

from enum import Enum

from .errors import Compacted, RaftPanic
from .messages import NONE, EntryType, Message, MessageType
from .quorum import VoteResult
from .ready import StateType
from .replication import broadcast_append
from .roles import become_candidate, become_follower, become_leader, become_pre_candidate
from .state import Raft

TRANSFER_CONTEXT = b"CampaignTransfer"
"""Marks the vote request of a node that was told to take over: a leader's lease does not hold."""


class Campaign(Enum):
    """Why there is an election."""

    PRE_ELECTION = "to see whether it would be won"
    ELECTION = "to win it"
    TRANSFER = "the leader wants it"


_RESPONSES = {
    MessageType.VOTE: MessageType.VOTE_RESP,
    MessageType.PRE_VOTE: MessageType.PRE_VOTE_RESP,
}


def hup(raft: Raft, kind: Campaign | None = None) -> None:
    """Campaign, if the node may; by default in the way it is set to."""
    if raft.state is StateType.LEADER:
        raft.logger.debug("%x ignoring MsgHup because already leader", raft.id)
    elif not raft.promotable:
        raft.logger.warning("%x is unpromotable and can not campaign", raft.id)
    elif _has_unapplied_conf_changes(raft):
        raft.logger.warning(
            "%x cannot campaign at term %d since there are still pending configuration changes "
            "to apply",
            *(raft.id, raft.term),
        )
    else:
        raft.logger.info("%x is starting a new election at term %d", raft.id, raft.term)
        default = Campaign.PRE_ELECTION if raft.config.pre_vote else Campaign.ELECTION
        campaign(raft, kind or default)


def _has_unapplied_conf_changes(raft: Raft) -> bool:
    log = raft.log
    if log.applied >= log.committed:
        return False
    lo, hi = log.applied + 1, log.committed + 1
    try:
        entries = log.scan(lo, hi, log.max_applying_size)
        return any(entry.type is not EntryType.NORMAL for entry in entries)
    except Compacted as error:
        raise RaftPanic(f"error scanning unapplied entries [{lo}, {hi}): {error}") from error


def campaign(raft: Raft, kind: Campaign) -> None:
    """Ask all voters for their votes; the own one counts once it is on the disk."""
    if kind is Campaign.PRE_ELECTION:
        become_pre_candidate(raft)
        request, term = MessageType.PRE_VOTE, raft.term + 1
    else:
        become_candidate(raft)
        request, term = MessageType.VOTE, raft.term
    index, log_term = raft.log.last_index(), raft.log.last_term()
    context = TRANSFER_CONTEXT if kind is Campaign.TRANSFER else b""
    for node in sorted(raft.tracker.config.voters.ids):
        if node == raft.id:
            raft.send(_RESPONSES[request], node, term=term)
            continue
        raft.logger.info(
            "%x [logterm: %d, index: %d] sent %s request to %x at term %d",
            *(raft.id, log_term, index, request, node, raft.term),
        )
        raft.send(request, node, term=term, index=index, log_term=log_term, context=context)


def in_lease(raft: Raft, message: Message) -> bool:
    """Whether a vote request comes too early: the leader has just been heard.  Says so."""
    lease = (
        raft.config.check_quorum
        and raft.lead != NONE
        and raft.election_elapsed < raft.config.election_tick
    )
    if not lease or message.context == TRANSFER_CONTEXT:
        return False
    _log_request(
        raft,
        message,
        "ignored",
        f": lease is not expired (remaining ticks: "
        f"{raft.config.election_tick - raft.election_elapsed})",
    )
    return True


def handle_vote_request(raft: Raft, message: Message) -> None:
    """Grant a vote or refuse it; learners vote, too.

    A learner may have been made a voter without knowing of it yet, and its vote may be needed.
    """
    pre_vote = message.type is MessageType.PRE_VOTE
    can_vote = (
        raft.vote == message.from_
        or (raft.vote == NONE and raft.lead == NONE)
        or (pre_vote and message.term > raft.term)
    )
    if not (can_vote and raft.log.is_up_to_date(message.index, message.log_term)):
        refuse_vote(raft, message)
        return
    _log_request(raft, message, "cast", "")
    # With the term of the request: a pre-candidate's is ahead of ours.
    raft.send(_RESPONSES[message.type], message.from_, term=message.term)
    if not pre_vote:
        raft.election_elapsed = 0
        raft.vote = message.from_


def refuse_vote(raft: Raft, message: Message) -> None:
    """Refuse a vote, with the own term."""
    _log_request(raft, message, "rejected", "")
    raft.send(_RESPONSES[message.type], message.from_, reject=True)


def _log_request(raft: Raft, message: Message, verdict: str, reason: str) -> None:
    preposition = "for" if verdict == "cast" else "from"
    raft.logger.info(
        "%x [logterm: %d, index: %d, vote: %x] %s %s %s %x [logterm: %d, index: %d] at term %d%s",
        *(raft.id, raft.log.last_term(), raft.log.last_index(), raft.vote),
        *(verdict, message.type, preposition, message.from_),
        *(message.log_term, message.index, raft.term, reason),
    )


def handle_vote_response(raft: Raft, message: Message) -> None:
    """Count a vote of the election under way; a stale pre-vote is none."""
    pre_candidate = raft.state is StateType.PRE_CANDIDATE
    if message.type is not (MessageType.PRE_VOTE_RESP if pre_candidate else MessageType.VOTE_RESP):
        return
    raft.logger.info(
        "%x received %s%s from %x at term %d",
        *(raft.id, message.type, " rejection" if message.reject else ""),
        *(message.from_, raft.term),
    )
    raft.tracker.record_vote(message.from_, not message.reject)
    granted, refused, result = raft.tracker.tally_votes()
    raft.logger.info(
        "%x has received %d %s votes and %d vote rejections",
        *(raft.id, granted, message.type, refused),
    )
    if result is VoteResult.LOST:
        become_follower(raft, raft.term, NONE)
    elif result is VoteResult.WON and pre_candidate:
        campaign(raft, Campaign.ELECTION)
    elif result is VoteResult.WON:
        become_leader(raft)
        broadcast_append(raft)

"""What a follower does with messages (etcd: stepFollower in raft.go)."""

from __future__ import annotations

from .config import ReadOnlyOption
from .election import Campaign, hup
from .errors import ProposalDropped
from .install_snapshot import handle_snapshot
from .messages import NONE, Message, MessageType
from .ready import ReadState
from .state import Raft


def step_follower(raft: Raft, message: Message) -> None:
    """Take in a message of the present term.

    Raises ProposalDropped.
    """
    match message.type:
        case MessageType.APP | MessageType.HEARTBEAT | MessageType.SNAP:
            raft.election_elapsed = 0
            raft.lead = message.from_
            follow(raft, message)
        case MessageType.PROP:
            _forward_proposal(raft, message)
        case MessageType.TRANSFER_LEADER:
            _forward(raft, message, "leader transfer msg", raft.term)
        case MessageType.FORGET_LEADER:
            _forget_leader(raft)
        case MessageType.TIMEOUT_NOW:
            raft.logger.info(
                "%x [term %d] received MsgTimeoutNow from %x and starts an election to get "
                "leadership.",
                *(raft.id, raft.term, message.from_),
            )
            # No pre-vote: the leader itself wants it.
            hup(raft, Campaign.TRANSFER)
        case MessageType.READ_INDEX:
            _forward(raft, message, "index reading msg", 0)
        case MessageType.READ_INDEX_RESP:
            _take_read_state(raft, message)
        case _:
            pass


def follow(raft: Raft, message: Message) -> None:
    """Do what the leader says."""
    if message.type is MessageType.APP:
        _handle_append(raft, message)
    elif message.type is MessageType.HEARTBEAT:
        raft.log.commit_to(message.commit)
        raft.send(MessageType.HEARTBEAT_RESP, message.from_, context=message.context)
    else:
        handle_snapshot(raft, message)


def _handle_append(raft: Raft, message: Message) -> None:
    log = raft.log
    if message.index < log.committed:
        raft.send(MessageType.APP_RESP, message.from_, index=log.committed)
        return
    last = log.maybe_append(message.index, message.log_term, message.entries, message.commit)
    if last is not None:
        raft.send(MessageType.APP_RESP, message.from_, index=last)
        return
    raft.logger.debug(
        "%x [logterm: %d, index: %d] rejected MsgApp [logterm: %d, index: %d] from %x",
        *(raft.id, log.term(message.index) or 0, message.index),
        *(message.log_term, message.index, message.from_),
    )
    # Before its entry the leader has no higher terms, so the logs part before ours.
    hint, hint_term = log.find_conflict_by_term(
        min(message.index, log.last_index()), message.log_term
    )
    raft.send(
        MessageType.APP_RESP,
        message.from_,
        index=message.index,
        reject=True,
        reject_hint=hint,
        log_term=hint_term,
    )


def _forward(raft: Raft, message: Message, what: str, term: int) -> None:
    if raft.lead == NONE:
        raft.logger.info("%x no leader at term %d; dropping %s", raft.id, raft.term, what)
    else:
        raft.forward(message, term=term)


def _forward_proposal(raft: Raft, message: Message) -> None:
    if raft.lead == NONE:
        raft.logger.info("%x no leader at term %d; dropping proposal", raft.id, raft.term)
        raise ProposalDropped
    if raft.config.disable_proposal_forwarding:
        raft.logger.info(
            "%x not forwarding to leader %x at term %d; dropping proposal",
            *(raft.id, raft.lead, raft.term),
        )
        raise ProposalDropped
    raft.forward(message)


def _forget_leader(raft: Raft) -> None:
    if raft.config.read_only_option is ReadOnlyOption.LEASE_BASED:
        raft.logger.error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased")
    elif raft.lead != NONE:
        raft.logger.info("%x forgetting leader %x at term %d", raft.id, raft.lead, raft.term)
        raft.lead = NONE


def _take_read_state(raft: Raft, message: Message) -> None:
    if len(message.entries) != 1:
        raft.logger.error(
            "%x invalid format of MsgReadIndexResp from %x, entries count: %d",
            *(raft.id, message.from_, len(message.entries)),
        )
        return
    raft.read_states.append(ReadState(message.index, message.entries[0].data))

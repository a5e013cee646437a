"""What a candidate, or pre-candidate, does with messages (etcd: stepCandidate in raft.go)."""

from __future__ import annotations

from .election import handle_vote_response
from .errors import ProposalDropped
from .follower import follow
from .messages import Message, MessageType
from .roles import become_follower
from .state import Raft


def step_candidate(raft: Raft, message: Message) -> None:
    """Take in a message of the present term.

    Raises ProposalDropped.
    """
    match message.type:
        case MessageType.PROP:
            raft.logger.info("%x no leader at term %d; dropping proposal", raft.id, raft.term)
            raise ProposalDropped
        case MessageType.APP | MessageType.HEARTBEAT | MessageType.SNAP:
            # Somebody else has won this term.
            become_follower(raft, message.term, message.from_)
            follow(raft, message)
        case MessageType.VOTE_RESP | MessageType.PRE_VOTE_RESP:
            handle_vote_response(raft, message)
        case MessageType.TIMEOUT_NOW:
            raft.logger.debug(
                "%x [term %d state %s] ignored MsgTimeoutNow from %x",
                *(raft.id, raft.term, raft.state, message.from_),
            )
        case _:
            pass

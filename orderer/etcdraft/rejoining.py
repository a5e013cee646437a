"""What a node without a log does before it takes part, lest it break a promise it forgot.

Pure.  Such a node is new, or its disk was lost: it cannot tell.  If it voted or counted towards
a majority at once, an entry that was agreed on with its former self could be lost.  So it

1. asks the others for their terms, by pre-votes that nobody can grant, until so many have
   answered that every majority its former self may have been part of is among them (of the
   very first start of a cluster its operator can say so: then a majority with itself will do);
2. follows the leader of the latest term it heard of, but neither votes nor stands for election,
   until it holds an entry that this leader has committed in its own term.

Where nobody is beyond the first term the cluster is only just beginning, and the node begins with
it.  (Raft thesis, 11.7.3 on lost disks; Fabric has no counterpart: docs/decisions/0016.)
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from ..raft.messages import Message, MessageType

FIRST_TERM = 1
"""The term of the entries that a new cluster begins with."""

_CANDIDACY = {
    MessageType.VOTE,
    MessageType.PRE_VOTE,
    MessageType.VOTE_RESP,
    MessageType.PRE_VOTE_RESP,
    MessageType.TIMEOUT_NOW,
}


class Phase(Enum):
    """How far a node without a log has come."""

    ASKING = "asking"
    FOLLOWING = "following"
    MEMBER = "member"


class Rejoining:
    """The rules of one node; others: ids of the other members.

    first_start: somebody vouches that no node of the cluster has ever agreed on anything.
    """

    def __init__(self, node_id: int, others: Collection[int], *, first_start: bool = False) -> None:
        self._node_id = node_id
        self._others = frozenset(others)
        self._terms: dict[int, int] = {}
        self.phase = Phase.ASKING
        size = len(self._others) + 1
        majority = size // 2 + 1
        missing = majority - 1 if first_start else size - majority + 1
        self.needed = min(len(self._others), missing)

    @property
    def unheard(self) -> list[int]:
        """The others that have not answered yet."""
        return sorted(self._others - self._terms.keys())

    @property
    def term(self) -> int:
        """The latest term heard of."""
        return max(self._terms.values(), default=0)

    @property
    def answered(self) -> bool:
        """Whether enough others have answered."""
        return len(self._terms) >= self.needed

    @property
    def beginning(self) -> bool:
        """Whether the cluster has not done anything yet."""
        return self.term <= FIRST_TERM

    def questions(self) -> list[Message]:
        """What to ask those that have not answered."""
        return [
            Message(MessageType.PRE_VOTE, to=other, from_=self._node_id, term=FIRST_TERM)
            for other in self.unheard
        ]

    def hear(self, message: Message) -> Message | None:
        """Learn from a message while asking; the answer to give, if one is due."""
        question = message.type is MessageType.PRE_VOTE
        if message.from_ in self._others:
            known = self._terms.get(message.from_, 0)
            # a pre-vote speaks of the term that would follow
            self._terms[message.from_] = max(known, message.term - question)
        if not question:
            return None
        return Message(
            MessageType.PRE_VOTE_RESP,
            to=message.from_,
            from_=self._node_id,
            term=FIRST_TERM,
            reject=True,
        )

    def admits(self, message: Message, last_index: int) -> bool:
        """Whether a message may reach the core while following.

        last_index: of this node's log; a leader that believes it longer is not yet up to date.
        """
        if message.type in _CANDIDACY:
            return False
        return message.type is not MessageType.HEARTBEAT or message.commit <= last_index

    def sends(self, message: Message) -> bool:
        """Whether the core's message may leave this node while following."""
        return message.type not in _CANDIDACY


def has_lost_its_log(message: Message, matched: int) -> bool:
    """Whether a message to a leader is the question of a member that had ``matched`` entries."""
    return (
        message.type is MessageType.PRE_VOTE
        and message.term == FIRST_TERM
        and message.index < matched
    )

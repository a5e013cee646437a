"""Agreement on one block after another among consenters that win the right to propose.

Pure: messages in, effects out.  For each height the consenters agree on one candidate, a
block whose proof of credit everybody verifies (Paxos, one decree for each height): who
has mined a candidate asks for promises; a majority of them lets him have a candidate
accepted, his own, or one that may have been accepted before; a majority of acceptances
decides.  So two candidates mined at the same time never fork the chain, and a minority of
crashed consenters does not stop it.  Votes must be stored before they are sent.
(Fabric counterpart: none; the seam is orderer/consensus.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias


class Ballot(NamedTuple):
    """An attempt: a round, and the consenter whose attempt it is; later rounds win."""

    round: int
    consenter: int


NO_BALLOT = Ballot(0, -1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block (serialized, without metadata) and its proof (serialized)."""

    block: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Votes:
    """What a consenter has promised and accepted at a height."""

    height: int
    promised: Ballot = NO_BALLOT
    accepted: Ballot = NO_BALLOT
    value: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Prepare:
    """May I have a candidate accepted?  The candidate shows the right to ask."""

    height: int
    ballot: Ballot
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Promise:
    """You may; this is what I accepted last, if anything."""

    height: int
    ballot: Ballot
    accepted: Ballot
    value: Candidate | None


@dataclass(frozen=True, slots=True)
class Accept:
    """Accept this candidate."""

    height: int
    ballot: Ballot
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Accepted:
    """I have."""

    height: int
    ballot: Ballot


@dataclass(frozen=True, slots=True)
class Reject:
    """I have promised a later ballot."""

    height: int
    promised: Ballot


@dataclass(frozen=True, slots=True)
class Decided:
    """The candidate is the block of this height."""

    height: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Ask:
    """What was decided at this height and after it?"""

    height: int


Message: TypeAlias = Prepare | Promise | Accept | Accepted | Reject | Decided | Ask


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message to one consenter."""

    to: int
    message: Message


@dataclass(frozen=True, slots=True)
class Save:
    """Store the votes; nothing after it may leave before they are stored."""

    votes: Votes


@dataclass(frozen=True, slots=True)
class Decide:
    """Write the candidate as the next block, then tell `advance`."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class SendDecided:
    """Send the blocks from this height on to a consenter that lacks them."""

    to: int
    height: int


Effect: TypeAlias = Send | Save | Decide | SendDecided


@dataclass(slots=True)
class _Attempt:
    ballot: Ballot
    candidate: Candidate
    promises: dict[int, Promise] = field(default_factory=dict)
    accepted: set[int] = field(default_factory=set)
    asking: bool = True


class Core:
    """One consenter's state.

    own: its number of count; votes: what it had stored; verify: whether a candidate is a
    block of the next height whose proof is good.
    """

    def __init__(
        self, own: int, count: int, votes: Votes, verify: Callable[[Candidate], bool]
    ) -> None:
        self._own = own
        self._count = count
        self._votes = votes
        self._verify = verify
        self._attempt: _Attempt | None = None
        self._decided = False
        self._doubted = False
        self._latest_round = votes.promised.round

    @property
    def height(self) -> int:
        """The height that is being agreed on."""
        return self._votes.height

    @property
    def promised_to_other(self) -> bool:
        """Whether somebody else has won the right to this height and is not doubted yet."""
        return not self._doubted and self._votes.promised.consenter not in (-1, self._own)

    @property
    def deciding(self) -> bool:
        """Whether a decision is being written."""
        return self._decided

    @property
    def attempting(self) -> bool:
        """Whether an attempt of our own is under way."""
        return self._attempt is not None

    def propose(self, candidate: Candidate) -> list[Effect]:
        """Try to have a mined candidate decided, in a later round than any seen."""
        self._latest_round += 1
        ballot = Ballot(self._latest_round, self._own)
        self._attempt = _Attempt(ballot, candidate)
        return self._to_all(Prepare(self.height, ballot, candidate))

    def advance(self, height: int, own: int, count: int) -> None:
        """The chain has grown to this height; agree on the next block as own of so many."""
        self._votes = Votes(height)
        self._own = own
        self._count = count
        self._attempt = None
        self._decided = self._doubted = False
        self._latest_round = 0

    def doubt(self) -> None:
        """Whoever has the right to this height takes too long, be it ourselves: try again."""
        self._attempt = None
        self._doubted = True

    def receive(self, sender: int, message: Message) -> list[Effect]:
        """Take a message of another consenter."""
        if message.height < self.height:
            answerable = isinstance(message, Prepare | Accept | Ask)
            return [SendDecided(sender, message.height)] if answerable else []
        if message.height > self.height:
            return [] if isinstance(message, Ask) else [Send(sender, Ask(self.height))]
        return self._handle(sender, message)

    def _handle(self, sender: int, message: Message) -> list[Effect]:
        effects: list[Effect] = []
        match message:
            case Prepare():
                effects = self._on_prepare(sender, message)
            case Promise():
                effects = self._on_promise(sender, message)
            case Accept():
                effects = self._on_accept(sender, message)
            case Accepted():
                effects = self._on_accepted(sender, message)
            case Reject():
                self._on_reject(message)
            case Decided():
                effects = self._on_decided(message)
            case Ask():
                pass  # nobody is ahead
        return effects

    def _on_prepare(self, sender: int, message: Prepare) -> list[Effect]:
        if message.ballot.consenter != sender or not self._verify(message.candidate):
            return []
        if message.ballot <= self._votes.promised:
            return self._to(sender, Reject(self.height, self._votes.promised))
        self._promise(message.ballot)
        votes = self._votes
        promise = Promise(self.height, message.ballot, votes.accepted, votes.value)
        return [Save(votes), *self._to(sender, promise)]

    def _on_promise(self, sender: int, message: Promise) -> list[Effect]:
        attempt = self._attempt
        if attempt is None or message.ballot != attempt.ballot or not attempt.asking:
            return []
        attempt.promises[sender] = message
        if not self._is_majority(attempt.promises):
            return []
        attempt.asking = False
        latest = max(attempt.promises.values(), key=lambda promise: promise.accepted)
        if latest.value is not None:
            attempt.candidate = latest.value
        return self._to_all(Accept(self.height, attempt.ballot, attempt.candidate))

    def _on_accept(self, sender: int, message: Accept) -> list[Effect]:
        if message.ballot.consenter != sender or not self._verify(message.candidate):
            return []
        if message.ballot < self._votes.promised:
            return self._to(sender, Reject(self.height, self._votes.promised))
        self._promise(message.ballot)
        self._votes = replace(self._votes, accepted=message.ballot, value=message.candidate)
        return [Save(self._votes), *self._to(sender, Accepted(self.height, message.ballot))]

    def _on_accepted(self, sender: int, message: Accepted) -> list[Effect]:
        attempt = self._attempt
        if attempt is None or attempt.asking or message.ballot != attempt.ballot:
            return []
        attempt.accepted.add(sender)
        if self._decided or not self._is_majority(attempt.accepted):
            return []
        self._decided = True
        decided = Decided(self.height, attempt.candidate)
        others = [Send(to, decided) for to in range(self._count) if to != self._own]
        return [*others, Decide(attempt.candidate)]

    def _on_reject(self, message: Reject) -> None:
        self._latest_round = max(self._latest_round, message.promised.round)
        if self._attempt is not None and message.promised > self._attempt.ballot:
            self._attempt = None

    def _on_decided(self, message: Decided) -> list[Effect]:
        if self._decided or not self._verify(message.candidate):
            return []
        self._decided = True
        return [Decide(message.candidate)]

    def _promise(self, ballot: Ballot) -> None:
        self._votes = replace(self._votes, promised=ballot)
        self._doubted = False
        self._latest_round = max(self._latest_round, ballot.round)
        if self._attempt is not None and ballot > self._attempt.ballot:
            self._attempt = None

    def _is_majority(self, voters: dict[int, Promise] | set[int]) -> bool:
        return 2 * len(voters) > self._count

    def _to_all(self, message: Message) -> list[Effect]:
        """To the others, and to ourselves at once."""
        others: list[Effect] = [Send(to, message) for to in range(self._count) if to != self._own]
        return [*self._to(self._own, message), *others]

    def _to(self, to: int, message: Message) -> list[Effect]:
        if to == self._own:
            return self._handle(self._own, message)
        return [Send(to, message)]

"""Everything a Raft node knows, and how it puts messages aside to be sent (etcd: raft in raft.go).

The rules stand in the other files; they are functions on a ``Raft``.
"""

from __future__ import annotations

from dataclasses import replace

from .config import Config
from .errors import RaftPanic
from .log import RaftLog
from .messages import NONE, Entry, HardState, Message, MessageType, Snapshot
from .read_only import ReadOnly
from .ready import ReadState, SoftState, StateType
from .tracker import ProgressTracker

PROMISES = frozenset({MessageType.APP_RESP, MessageType.VOTE_RESP, MessageType.PRE_VOTE_RESP})
"""What may only be said once the state it rests on is on the disk, refusals included."""


class Raft:
    """The state of one node."""

    __slots__ = (
        "config",
        "election_elapsed",
        "heartbeat_elapsed",
        "id",
        "lead",
        "lead_transferee",
        "log",
        "logger",
        "messages",
        "messages_after_append",
        "pending_conf_index",
        "pending_reads",
        "randomized_election_timeout",
        "read_only",
        "read_states",
        "state",
        "term",
        "tracker",
        "uncommitted_size",
        "vote",
    )

    def __init__(self, config: Config, log: RaftLog) -> None:
        self.config = config
        self.id = config.id
        self.logger = config.logger
        self.log = log
        self.tracker = ProgressTracker(config.max_inflight_msgs, config.max_inflight_bytes)

        self.term = 0
        self.vote = NONE
        self.state = StateType.FOLLOWER
        self.lead = NONE

        self.messages: list[Message] = []
        """To be sent at once; never to the node itself."""
        self.messages_after_append: list[Message] = []
        """Promises, to be sent once all that is unstable now is stable; some to the node itself."""
        self.read_states: list[ReadState] = []

        self.election_elapsed = 0
        """Ticks since the leader was heard; on the leader, since quorum was checked."""
        self.heartbeat_elapsed = 0
        self.randomized_election_timeout = config.election_tick

        # Of use to a leader only.
        self.lead_transferee = NONE
        self.pending_conf_index = 0
        """No membership change may be proposed until this entry is applied."""
        self.uncommitted_size = 0
        """Bytes proposed in this term and not committed yet, at least."""
        self.read_only = ReadOnly()
        self.pending_reads: list[Message] = []
        """Reads that wait for the first commit of the term."""

    @property
    def soft_state(self) -> SoftState:
        """See ``SoftState``."""
        return SoftState(self.lead, self.state)

    @property
    def hard_state(self) -> HardState:
        """See ``HardState``."""
        return HardState(self.term, self.vote, self.log.committed)

    @property
    def promotable(self) -> bool:
        """Whether the node may become a leader: it votes, and has no snapshot to take in."""
        progress = self.tracker.progress.get(self.id)
        member = progress is not None and not progress.is_learner
        return member and self.log.unstable.snapshot is None

    @property
    def committed_in_term(self) -> bool:
        """Whether an entry of the present term is committed."""
        return self.log.term(self.log.committed) == self.term

    def reset(self, term: int) -> None:
        """Enter a term, or the same again in another part."""
        if self.term != term:
            self.term = term
            self.vote = NONE
        self.lead = NONE
        self.election_elapsed = 0
        self.heartbeat_elapsed = 0
        timeout = self.config.election_tick
        self.randomized_election_timeout = timeout + self.config.draw(timeout)
        self.lead_transferee = NONE
        last = self.log.last_index()
        self.tracker.reset(last)
        own = self.tracker.progress.get(self.id)
        if own is not None:
            own.match = last
        self.pending_conf_index = 0
        self.uncommitted_size = 0
        self.read_only = ReadOnly()

    def send(
        self,
        type: MessageType,
        to: int,
        *,
        term: int | None = None,
        log_term: int = 0,
        index: int = 0,
        entries: tuple[Entry, ...] = (),
        commit: int = 0,
        snapshot: Snapshot | None = None,
        reject: bool = False,
        reject_hint: int = 0,
        context: bytes = b"",
    ) -> None:
        """Put a message of the present term, or another one for a vote, aside to be sent."""
        message = Message(
            type=type,
            to=to,
            from_=self.id,
            term=self.term if term is None else term,
            log_term=log_term,
            index=index,
            entries=entries,
            commit=commit,
            snapshot=snapshot,
            reject=reject,
            reject_hint=reject_hint,
            context=context,
        )
        if type in PROMISES:
            self.messages_after_append.append(message)
        elif to == self.id:
            raise RaftPanic(f"message should not be self-addressed when sending {type}")
        else:
            self.messages.append(message)

    def forward(self, message: Message, *, term: int = 0) -> None:
        """Pass a message on to the leader; proposals and reads stand outside terms."""
        sender = self.id if message.from_ == NONE else message.from_
        self.messages.append(replace(message, to=self.lead, from_=sender, term=term))

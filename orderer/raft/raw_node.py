"""The Raft core as its application uses it (etcd: rawnode.go).

node = RawNode(config)
each tick: node.tick()
each message of another node: node.step(message)
while node.has_ready():
    ready = node.ready()     # write, send, apply: see Ready
    node.advance()
"""

from __future__ import annotations

from collections.abc import Mapping

from .conf_changes import AnyConfChange
from .config import Config
from .errors import CannotStep, RaftPanic
from .membership import apply_conf_change
from .messages import (
    EMPTY_HARD_STATE,
    FROM_LEADER,
    LOCAL_MESSAGES,
    NONE,
    RESPONSES,
    ConfState,
    Entry,
    HardState,
    Message,
    MessageType,
    Snapshot,
    is_local_target,
)
from .ready import Ready, SnapshotStatus, SoftState, StateType
from .sizes import entries_size
from .start import bootstrap, new_raft
from .status import BasicStatus, Status
from .step import step
from .storage_messages import append_answer, append_order, apply_answer, apply_order
from .ticks import tick
from .tracker import ProgressMap
from .wire import encode_conf_change


class RawNode:
    """A Raft node without threads, clock, network or disk.  Not safe for several threads.

    Any method may raise RaftPanic, after which the node must not be used again.
    """

    def __init__(self, config: Config) -> None:
        self._raft = new_raft(config)
        self._async = config.async_storage_writes
        self._soft_state = self._raft.soft_state
        self._hard_state = self._raft.hard_state
        """As the application has them, like ``_soft_state``."""
        self._answers: list[Message] = []
        """What ``advance`` will take as done."""

    def bootstrap(self, peers: Mapping[int, bytes]) -> None:
        """Begin a log with these voters (id to context), in the same order on every node.

        Raises InvalidRaftConfig if there are none, or the storage is not empty.
        """
        bootstrap(self._raft, peers)
        self._hard_state = EMPTY_HARD_STATE

    def tick(self) -> None:
        """Let a tick pass."""
        tick(self._raft)

    def step(self, message: Message) -> None:
        """Take in a message of another node, or a storage thread's response.

        Raises CannotStep, ProposalDropped; MalformedMessage for an unreadable membership change.
        """
        if not is_local_target(message.from_):
            self._check_remote(message)
        step(self._raft, message)

    def _check_remote(self, message: Message) -> None:
        """Refuse what no sound node would send; a log full of it would be no log."""
        if message.type in LOCAL_MESSAGES:
            raise CannotStep("raft: cannot step raft local message")
        if message.type in RESPONSES and message.from_ not in self._raft.tracker.progress:
            raise CannotStep("raft: cannot step as peer not found")
        if message.type in FROM_LEADER and message.from_ in (NONE, self._raft.id):
            raise CannotStep("raft: cannot step as this node is not its own follower")
        if message.type is MessageType.APP:
            _check_entries(message)
        elif message.type in (MessageType.PROP, MessageType.READ_INDEX) and not message.entries:
            raise CannotStep(f"raft: cannot step {message.type} without entries")

    def campaign(self) -> None:
        """Try to become the leader now."""
        step(self._raft, Message(MessageType.HUP))

    def propose(self, *data: bytes) -> None:
        """Propose entries; a follower passes them on to its leader.

        Raises ProposalDropped.
        """
        entries = tuple(Entry(data=payload) for payload in data)
        step(self._raft, Message(MessageType.PROP, from_=self._raft.id, entries=entries))

    def propose_conf_change(self, change: AnyConfChange) -> None:
        """Propose a membership change, one at a time; a refused one becomes an empty entry.

        Raises ProposalDropped.
        """
        type, data = encode_conf_change(change)
        step(self._raft, Message(MessageType.PROP, entries=(Entry(type, data=data),)))

    def apply_conf_change(self, change: AnyConfChange) -> ConfState:
        """Put a committed membership change into force; returns the membership to store."""
        return apply_conf_change(self._raft, change)

    def has_ready(self) -> bool:
        """Whether there is something to do."""
        raft, log = self._raft, self._raft.log
        return bool(
            raft.messages
            or raft.messages_after_append
            or log.unstable.has_next_entries
            or log.has_next_committed(not self._async)
            or raft.read_states
            or log.unstable.next_snapshot() is not None
            or self._new_soft_state() is not None
            or self._new_hard_state() is not None
        )

    def _new_soft_state(self) -> SoftState | None:
        """The soft state, if it is not what the application has."""
        raft, known = self._raft, self._soft_state
        same = raft.lead == known.lead and raft.state is known.raft_state
        return None if same else raft.soft_state

    def _new_hard_state(self) -> HardState | None:
        """The hard state, if it is not what the application has."""
        raft, known = self._raft, self._hard_state
        same = (
            raft.log.committed == known.commit
            and raft.term == known.term
            and raft.vote == known.vote
        )
        return None if same else raft.hard_state

    def ready(self) -> Ready:
        """What there is to do; must be done, and ``advance`` called, before the next one."""
        raft = self._raft
        entries = raft.log.unstable.next_entries()
        committed = raft.log.next_committed(not self._async)
        snapshot = raft.log.unstable.next_snapshot()
        hard_state = self._new_hard_state()
        if self._async:
            messages = self._orders(entries, hard_state, snapshot, committed)
        else:
            messages = self._promises(snapshot, committed)
        ready = Ready(
            soft_state=self._new_soft_state(),
            hard_state=hard_state,
            read_states=tuple(raft.read_states),
            entries=entries,
            snapshot=snapshot,
            committed_entries=committed,
            messages=(*raft.messages, *messages),
            must_sync=bool(entries) or self._must_sync(hard_state),
        )
        self._accept(ready)
        return ready

    def _must_sync(self, state: HardState | None) -> bool:
        """Whether a crash would lose a vote or a term; the commit index is found out again."""
        known = self._hard_state
        return state is not None and (state.term != known.term or state.vote != known.vote)

    def _orders(
        self,
        entries: tuple[Entry, ...],
        hard_state: HardState | None,
        snapshot: Snapshot | None,
        committed: tuple[Entry, ...],
    ) -> list[Message]:
        """With asynchronous writes: what the storage threads have to do."""
        append = append_order(self._raft, entries, hard_state, snapshot)
        orders = [append] if append else []
        if committed:
            orders.append(apply_order(self._raft, committed))
        return orders

    def _promises(self, snapshot: Snapshot | None, committed: tuple[Entry, ...]) -> list[Message]:
        """Without: what may be sent once the Ready is written; puts aside what is for the node."""
        raft = self._raft
        if self._answers:
            raise RaftPanic("two accepted Ready structs without call to Advance")
        self._answers = [m for m in raft.messages_after_append if m.to == raft.id]
        if (written := append_answer(raft, snapshot)) is not None:
            self._answers.append(written)
        if committed:
            self._answers.append(apply_answer(raft, committed))
        return [m for m in raft.messages_after_append if m.to != raft.id]

    def _accept(self, ready: Ready) -> None:
        """Take note that a Ready is being handled."""
        raft = self._raft
        self._soft_state = ready.soft_state or self._soft_state
        self._hard_state = ready.hard_state or self._hard_state
        raft.read_states = []
        raft.messages = []
        raft.messages_after_append = []
        raft.log.unstable.accept_in_progress()
        if committed := ready.committed_entries:
            size = entries_size(committed)
            raft.log.accept_applying(committed[-1].index, size, not self._async)

    def advance(self) -> None:
        """The last Ready is done.  Not with asynchronous storage writes."""
        if self._async:
            raise RaftPanic("Advance must not be called when using AsyncStorageWrites")
        answers, self._answers = self._answers, []
        for answer in answers:
            step(self._raft, answer)

    def transfer_leader(self, transferee: int) -> None:
        """Hand the leadership over; given up after an election timeout."""
        step(self._raft, Message(MessageType.TRANSFER_LEADER, from_=transferee))

    def forget_leader(self) -> None:
        """As a follower, be willing to vote although the leader has been heard."""
        step(self._raft, Message(MessageType.FORGET_LEADER))

    def read_index(self, request_ctx: bytes) -> None:
        """Ask for a ReadState, which comes with a later Ready, or never if there is no leader."""
        entries = (Entry(data=request_ctx),)
        step(self._raft, Message(MessageType.READ_INDEX, entries=entries))

    def report_unreachable(self, node: int) -> None:
        """What was sent to this node last did not arrive."""
        step(self._raft, Message(MessageType.UNREACHABLE, from_=node))

    def report_snapshot(self, node: int, status: SnapshotStatus) -> None:
        """How the sending of a snapshot to this node ended; must follow each SNAP message."""
        failed = status is SnapshotStatus.FAILURE
        step(self._raft, Message(MessageType.SNAP_STATUS, from_=node, reject=failed))

    @property
    def status(self) -> Status:
        """State, configuration and, on the leader, every member's progress."""
        raft, basic = self._raft, self.basic_status
        leads = raft.state is StateType.LEADER
        members = raft.tracker.progress.items() if leads else ()
        return Status(
            id=basic.id,
            hard_state=basic.hard_state,
            soft_state=basic.soft_state,
            applied=basic.applied,
            lead_transferee=basic.lead_transferee,
            config=raft.tracker.config,
            progress=ProgressMap((node, progress.clone()) for node, progress in members),
        )

    @property
    def basic_status(self) -> BasicStatus:
        """The state alone, for frequent looks."""
        raft = self._raft
        return BasicStatus(
            id=raft.id,
            hard_state=raft.hard_state,
            soft_state=raft.soft_state,
            applied=raft.log.applied,
            lead_transferee=raft.lead_transferee,
        )


def _check_entries(message: Message) -> None:
    """Entries must follow each other, in terms that never go back nor beyond the leader's.

    Raises CannotStep.
    """
    index, term = message.index, message.log_term
    for entry in message.entries:
        index += 1
        if entry.index != index or entry.term < term:
            raise CannotStep(
                f"raft: entry {entry.term}/{entry.index} does not follow {term}/{index - 1}"
            )
        term = entry.term
    if term > message.term:
        raise CannotStep(f"raft: entry {term}/{index} is newer than its leader's {message.term}")

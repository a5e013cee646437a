"""A Raft group in one process: nodes with disks that survive, and a network that may fail them.

``raft_schedule`` decides what happens when; ``raft_safety`` watches.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from random import Random
from typing import Any

from gridloom.orderer.raft import (
    NONE,
    CannotStep,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MemoryStorage,
    Message,
    MessageType,
    ProposalDropped,
    RawNode,
    Ready,
    Snapshot,
    SnapshotStatus,
    StateType,
)
from gridloom.orderer.raft.wire import decode_conf_change

from .raft_safety import Safety


class Silent:
    """A logger that nobody reads."""

    def debug(self, msg: str, *args: object) -> None: ...

    info = warning = error = debug


SILENT = Silent()
FIRST_INDEX = 10
"""Where the log of the first members begins: they know each other from a snapshot."""


class Disk(MemoryStorage):
    """A disk; ``forgetful`` is a broken one, which loses votes in a crash."""

    forgetful = False


@dataclass(eq=False)
class Member:
    """A node with what survives its crashes (``disk``) and what does not."""

    id: int
    disk: Disk
    raw: RawNode | None
    pace: float
    """The chance that its clock ticks when time passes."""
    applied: int = 0
    state: bytes = b""
    conf_state: ConfState = ConfState()  # noqa: RUF009 - a value
    append_work: list[Message] = field(default_factory=list)
    apply_work: list[Message] = field(default_factory=list)

    @property
    def leads(self) -> bool:
        """Whether it believes to be the leader."""
        return self.raw is not None and self.raw._raft.state is StateType.LEADER


class Group:
    """Nodes, the messages between them, and what has been seen of them.

    size: how many nodes; the first ``voters`` know each other from the start.
    loss, doubling: the chances of a message; crashes: that of a node in the middle of its work.
    window: out of how many of the oldest messages the next one is taken.
    """

    def __init__(self, random: Random, settings: dict[str, Any], size: int, voters: int) -> None:
        self.random = random
        self.settings = settings
        self.safety = Safety()
        self.loss = self.doubling = self.crashes = 0.0
        self.window = 1
        self.in_flight: list[Message] = []
        self.cut: set[tuple[int, int]] = set()
        """Links that carry nothing, from and to."""
        self._counts: Counter[str] = Counter()
        origin = Snapshot(FIRST_INDEX, 1, ConfState(tuple(range(1, voters + 1))), b"origin")
        self.members = {
            id: self._member(id, origin if id <= voters else None) for id in range(1, size + 1)
        }

    def _member(self, id: int, origin: Snapshot | None) -> Member:
        disk = Disk()
        if origin is not None:
            disk.apply_snapshot(origin)
        member = Member(id, disk, None, pace=self.random.choice((0.4, 0.8, 0.8, 1.0)))
        self._start(member)
        return member

    def counts(self) -> dict[str, int]:
        """How much of what has happened."""
        return dict(self._counts) | {
            "leaders": self.safety.leaders,
            "committed": self.safety.committed - FIRST_INDEX,
        }

    def _any(self) -> Member:
        return self.members[self.random.randint(1, len(self.members))]

    # The network.

    def _deliver_any(self) -> None:
        """Deliver some message, or lose it; a doubled one stays in flight."""
        rng, flight = self.random, self.in_flight
        if not flight:
            return
        position = rng.randrange(min(len(flight), self.window))
        message = flight[position]
        if rng.random() >= self.doubling:
            del flight[position]
        member = self.members[message.to]
        lost = rng.random() < self.loss or (message.from_, message.to) in self.cut
        if member.raw is None or lost:
            self._report_loss(message)
            return
        self._step(member, message)
        self._work(member)

    def _report_loss(self, message: Message) -> None:
        sender = self.members[message.from_].raw
        if message.type is MessageType.SNAP and sender is not None:
            sender.report_snapshot(message.to, SnapshotStatus.FAILURE)

    def _step(self, member: Member, message: Message) -> None:
        assert member.raw is not None
        with suppress(CannotStep, ProposalDropped):
            member.raw.step(message)
        if member.leads:
            self.safety.leads(member.id, member.raw._raft)

    def _send(self, message: Message) -> None:
        if message.type is MessageType.SNAP:
            message = self._refresh(message)
        if message.to in self.members:
            self.in_flight.append(message)

    def _refresh(self, message: Message) -> Message:
        """Send the present state instead: an old snapshot may not know its addressee yet."""
        sender = self.members[message.from_]
        self._snapshot(sender)
        if sender.raw is not None:
            sender.raw.report_snapshot(message.to, SnapshotStatus.FINISH)
        return replace(message, snapshot=sender.disk.snapshot())

    # A node at work.

    def _work(self, member: Member, *, crash: bool = False) -> bool:
        """Handle a Ready; ``crash`` in the middle of it, when all is written and nothing sent.

        False if there was nothing to do.
        """
        raw = member.raw
        assert raw is not None
        busy = raw.has_ready()
        if busy:
            ready = raw.ready()
            if member.leads:
                self.safety.leads(member.id, raw._raft)
            self.safety.commits(raw._raft)
            for read in ready.read_states:
                self._counts["reads"] += 1
                self.safety.read(read)
            if self.settings["async_storage_writes"]:
                self._order(member, ready, crash=crash)
            else:
                self._handle(member, ready, crash=crash)
        if (member.append_work or member.apply_work) and self.random.random() < 0.8:
            busy = True
            self._run_threads(member)
        return busy

    def _handle(self, member: Member, ready: Ready, *, crash: bool) -> None:
        raw = member.raw
        assert raw is not None
        self._write(member, ready.hard_state, ready.entries, ready.snapshot)
        if crash:
            self._crash(member)
            return
        for message in ready.messages:
            self._send(message)
        self._apply(member, ready.committed_entries)
        raw.advance()

    def _order(self, member: Member, ready: Ready, *, crash: bool) -> None:
        for message in ready.messages:
            if message.type is MessageType.STORAGE_APPEND:
                member.append_work.append(message)
            elif message.type is MessageType.STORAGE_APPLY:
                member.apply_work.append(message)
            else:
                self._send(message)
        if crash:
            self._crash(member)

    def _run_threads(self, member: Member) -> None:
        """Let the storage threads follow an order each."""
        if member.append_work:
            order = member.append_work.pop(0)
            state = HardState(order.term, order.vote, order.commit)
            self._write(
                member, state if state != HardState() else None, order.entries, order.snapshot
            )
            self._answer(member, order)
        if member.apply_work and member.raw is not None:
            order = member.apply_work.pop(0)
            self._apply(member, order.entries)
            self._answer(member, order)

    def _answer(self, member: Member, order: Message) -> None:
        for response in order.responses:
            if response.to != member.id:
                self._send(response)
            elif member.raw is not None:
                self._step(member, response)

    def _write(
        self,
        member: Member,
        state: HardState | None,
        entries: tuple[Entry, ...],
        snapshot: Snapshot | None,
    ) -> None:
        if snapshot is not None:
            self._counts["snapshots"] += 1
            member.disk.apply_snapshot(snapshot)
            self._restore(member)
        if entries:
            member.disk.append(entries)
            self.safety.appends(member.disk, entries)
        if state is not None:
            member.disk.set_hard_state(
                HardState(state.term, NONE, state.commit) if member.disk.forgetful else state
            )

    def _apply(self, member: Member, entries: tuple[Entry, ...]) -> None:
        """Apply to a state machine that is the hash of all it was given."""
        for entry in entries:
            if entry.index <= member.applied:
                continue  # a snapshot was faster than the order to apply what is in it
            assert entry.index == member.applied + 1, "a gap between applied entries"
            member.applied = entry.index
            digest = blake2b(member.state, digest_size=8)
            digest.update(b"%d %d " % (entry.term, entry.type))
            digest.update(entry.data)
            member.state = digest.digest()
            self.safety.applies(entry, member.state)
            if entry.type is not EntryType.NORMAL:
                assert member.raw is not None
                self._counts["changes"] += 1
                member.conf_state = member.raw.apply_conf_change(decode_conf_change(entry))

    def _crash(self, member: Member) -> None:
        """Lose everything but the disk."""
        self._counts["crashes"] += 1
        member.raw = None
        member.append_work, member.apply_work = [], []

    def _start(self, member: Member) -> None:
        self._restore(member)
        member.raw = RawNode(
            Config(
                id=member.id,
                storage=member.disk,
                draw=self.random.randrange,
                applied=member.applied,
                logger=SILENT,
                **self.settings,
            )
        )

    def _restore(self, member: Member) -> None:
        """Go back to the snapshot: what was applied after it is applied again."""
        snapshot = member.disk.snapshot()
        member.applied, member.state = snapshot.index, snapshot.data
        member.conf_state = snapshot.conf_state

    def _snapshot(self, member: Member) -> None:
        if member.applied > member.disk.snapshot().index:
            member.disk.create_snapshot(member.applied, member.conf_state, member.state)

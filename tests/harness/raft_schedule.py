"""A Raft group under a random schedule: everything that may happen, in an order a seed decides.

Messages are lost, doubled, reordered and cut off one way or both; nodes crash between any two
steps, with or without what they were writing, and their clocks run at speeds of their own.
``Schedule.run`` lets it happen and then heals; ``raft_safety`` watches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import accumulate
from random import Random

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import (
    NONE,
    CannotStep,
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
    Config,
    ConfState,
    Entry,
    EntryType,
    HardState,
    MembershipConfig,
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

    info = warning = error = critical = debug


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


class Schedule:
    """A group of ``size`` nodes, some of them members from the start."""

    def __init__(self, seed: int) -> None:
        self.random = rng = Random(seed)
        self.safety = Safety()
        self.settings = {
            "election_tick": rng.choice((3, 6)),
            "heartbeat_tick": rng.choice((1, 2)),
            "pre_vote": rng.random() < 0.5,
            "check_quorum": rng.random() < 0.5,
            "async_storage_writes": rng.random() < 0.5,
            "max_size_per_msg": rng.choice((0, 30, 1 << 20)),
            "max_committed_size_per_ready": rng.choice((0, 50)),
            "max_inflight_msgs": rng.choice((1, 3, 256)),
            "step_down_on_removal": rng.random() < 0.5,
        }
        self.loss, self.doubling = rng.choice((0, 0.05, 0.2)), rng.choice((0, 0.1))
        self.window = rng.choice((1, 5, 1000))
        """Out of how many of the oldest messages the next one is taken."""
        self.crashes = rng.choice((0, 0.02, 0.1))
        chances = self._chances()
        self._acts, self._weights = tuple(chances), tuple(accumulate(chances.values()))
        size = rng.choice((3, 3, 4, 5))
        voters = tuple(range(1, rng.choice((3, size)) + 1))
        self.in_flight: list[Message] = []
        self.cut: set[tuple[int, int]] = set()
        """Links that carry nothing, from and to."""
        self.proposed = 0
        self._counts: Counter[str] = Counter()
        origin = Snapshot(FIRST_INDEX, 1, ConfState(voters), b"origin")
        self.members = {
            id: self._member(id, origin if id in voters else None) for id in range(1, size + 1)
        }

    def _member(self, id: int, origin: Snapshot | None) -> Member:
        disk = Disk()
        if origin is not None:
            disk.apply_snapshot(origin)
        member = Member(id, disk, None, pace=self.random.choice((0.4, 0.8, 0.8, 1.0)))
        self._start(member)
        return member

    # What may happen.

    def run(self, steps: int) -> None:
        """Let ``steps`` things happen; then mend everything and see the group agree."""
        for _ in range(steps):
            self._happen()
        self._heal()
        assert self._settle(), "no agreement after healing"

    def counts(self) -> dict[str, int]:
        """How much of what has happened."""
        return dict(self._counts) | {
            "leaders": self.safety.leaders,
            "committed": self.safety.committed - FIRST_INDEX,
        }

    def _happen(self) -> None:
        """One thing, and perhaps the work that some node has."""
        [act] = self.random.choices(self._acts, cum_weights=self._weights)
        act()
        member = self._any()
        if member.raw is None:
            if self.random.random() < 0.3:
                self._start(member)
        elif self.random.random() < 0.9:
            self._work(member, crash=self.random.random() < self.crashes)

    def _any(self) -> Member:
        return self.members[self.random.randint(1, len(self.members))]

    def _chances(self) -> dict[Callable[[], None], float]:
        """How often each thing happens under this seed."""
        choice = self.random.choice
        return {
            self._deliver_any: 60,
            self._pass_time: choice((3, 6, 15)),
            self._propose: choice((5, 10)),
            self._campaign: choice((0, 1, 5)),
            self._crash_any: choice((0, 1, 4)),
            self._cut_links: choice((0.5, 2, 5)),
            self._change_membership: choice((0, 2)),
            self._compact: choice((0, 1, 3)),
            self._transfer: choice((0, 1)),
            self._read: choice((1, 5)),
            self._report_unreachable: 0.5,
        }

    def _running(self) -> Iterator[tuple[Member, RawNode]]:
        """A node, unless it is down."""
        member = self._any()
        if member.raw is not None:
            yield member, member.raw

    def _pass_time(self) -> None:
        for member in self.members.values():
            if member.raw is not None and self.random.random() < member.pace:
                member.raw.tick()
                self._work(member)

    def _propose(self) -> None:
        for _, raw in self._running():
            self.proposed += 1
            with suppress(ProposalDropped):
                raw.propose(b"%d" % self.proposed)

    def _campaign(self) -> None:
        """One or several nodes at once."""
        for member in self.members.values():
            if member.raw is not None and self.random.random() < 0.4:
                member.raw.campaign()

    def _crash_any(self) -> None:
        self._crash(self._any())

    def _transfer(self) -> None:
        for _, raw in self._running():
            raw.transfer_leader(self._any().id)

    def _report_unreachable(self) -> None:
        for _, raw in self._running():
            raw.report_unreachable(self._any().id)

    def _read(self) -> None:
        for _, raw in self._running():
            raw.read_index(self.safety.reading())

    def _compact(self) -> None:
        for member, _ in self._running():
            self._snapshot(member)
            first = member.disk.first_index()
            last = min(member.disk.snapshot().index, member.disk.last_index())
            if last >= first:
                member.disk.compact(self.random.randint(first, last))

    def _snapshot(self, member: Member) -> None:
        if member.applied > member.disk.snapshot().index:
            member.disk.create_snapshot(member.applied, member.conf_state, member.state)

    def _change_membership(self) -> None:
        """Propose to whoever leads some change that keeps three voters."""
        for member, raw in self._running():
            if member.leads and (change := self._change(raw._raft.tracker.config)) is not None:
                with suppress(ProposalDropped):
                    raw.propose_conf_change(change)

    def _change(self, config: MembershipConfig) -> ConfChange | ConfChangeV2 | None:
        if config.joint:
            return ConfChangeV2()
        rng, voters, changes = self.random, set(config.voters.incoming), []
        for _ in range(rng.choice((1, 1, 2, 3))):
            single = ConfChangeSingle(rng.choice(tuple(ConfChangeType)), self._any().id)
            if single.type is ConfChangeType.ADD_NODE:
                voters.add(single.node_id)
            elif single.type is not ConfChangeType.UPDATE_NODE:
                if len(voters - {single.node_id}) < 3:
                    continue
                voters.discard(single.node_id)
            changes.append(single)
        if len(changes) == 1 and rng.random() < 0.5:
            return ConfChange(changes[0].type, changes[0].node_id)
        transition = rng.choice(tuple(ConfChangeTransition))
        return ConfChangeV2(transition, tuple(changes)) if changes else None

    def _cut_links(self) -> None:
        """Part the nodes, cut single links one way, or mend all."""
        rng, ids = self.random, list(self.members)
        kind = rng.random()
        if kind < 0.6:
            self.cut = set()
        elif kind < 0.8:
            side = {id for id in ids if rng.random() < 0.5}
            self.cut = {(a, b) for a in ids for b in ids if (a in side) != (b in side)}
        else:
            self.cut = {(a, b) for a in ids for b in ids if rng.random() < 0.3}

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
                **self.settings,  # type: ignore[arg-type]
            )
        )

    def _restore(self, member: Member) -> None:
        """Go back to the snapshot: what was applied after it is applied again."""
        snapshot = member.disk.snapshot()
        member.applied, member.state = snapshot.index, snapshot.data
        member.conf_state = snapshot.conf_state

    # The end.

    def _heal(self) -> None:
        """Mend the network and the clocks, and start everybody."""
        self.cut, self.loss, self.doubling, self.crashes = set(), 0, 0, 0
        for member in self.members.values():
            member.pace = 0.9
            if member.raw is None:
                self._start(member)

    def _switch_off_strangers(self) -> None:
        """Who is no member any more would campaign for ever, and keep the others from work."""
        for leader in (m.raw._raft for m in self.members.values() if m.raw and m.leads):
            config = leader.tracker.config
            if leader.log.applied == leader.log.last_index():
                for id in self.members.keys() - config.voters.ids - config.learners:
                    self._crash(self.members[id])

    def _settle(self) -> bool:
        """Let time pass until all that run have applied the same; propose to make it so."""
        for round in range(400):
            if round % 40 == 0:
                self._propose_anywhere()
            self._pass_time()
            for _ in range(3):
                self._exchange()
            self._switch_off_strangers()
            if round % 10 == 9 and self._agreed():
                return True
        return False

    def _propose_anywhere(self) -> None:
        for member in self.members.values():
            if member.leads and member.raw is not None:
                with suppress(GridloomError):
                    member.raw.propose(b"last")

    def _exchange(self) -> None:
        flight, self.in_flight = self.in_flight, []
        for message in flight:
            member = self.members[message.to]
            if member.raw is not None:
                self._step(member, message)
        for member in self.members.values():
            for _ in range(8):
                if member.raw is None or not self._work(member):
                    break

    def _agreed(self) -> bool:
        leaders = [m.raw._raft for m in self.members.values() if m.raw and m.leads]
        if len(leaders) != 1:
            return False
        last, config = leaders[0].log.last_index(), leaders[0].tracker.config
        members = [self.members[id] for id in config.voters.ids | config.learners]
        return leaders[0].log.committed == last and all(m.applied == last for m in members)

"""A Raft group under a random schedule: everything that may happen, in an order a seed decides.

Messages are lost, doubled, reordered and cut off one way or both; nodes crash between any two
steps, with or without what they were writing, and their clocks run at speeds of their own.
``Schedule.run`` lets it happen and then heals; ``raft_safety`` watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import accumulate
from random import Random

from gridloom.common.errors import GridloomError
from gridloom.orderer.raft import (
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
    MembershipConfig,
    ProposalDropped,
    RawNode,
)

from .raft_group import Group, Member


class Schedule(Group):
    """A group, and what a seed lets happen to it."""

    def __init__(self, seed: int) -> None:
        rng = Random(seed)
        settings = {
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
        size = rng.choice((3, 3, 4, 5))
        super().__init__(rng, settings, size, voters=rng.choice((3, size)))
        self.loss, self.doubling = rng.choice((0, 0.05, 0.2)), rng.choice((0, 0.1))
        self.window = rng.choice((1, 5, 1000))
        self.crashes = rng.choice((0, 0.02, 0.1))
        self.proposed = 0
        chances = self._chances()
        self._acts, self._weights = tuple(chances), tuple(accumulate(chances.values()))

    # What may happen.

    def run(self, steps: int) -> None:
        """Let ``steps`` things happen; then mend everything and see the group agree."""
        for _ in range(steps):
            self._happen()
        self._heal()
        assert self._settle(), "no agreement after healing"

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

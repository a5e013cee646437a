"""Runs the Raft core of one channel: ticks, the log, messages out, decisions to the chain.

What the core decides is done in its order: on the disk first, then to the others.  Only a leader
may send before its own disk is done, since it promises nothing by it (Raft thesis, 10.2.1).
When the disk fails the node falls silent and tries again, so that the others go on without it
(Fabric: orderer/consensus/etcdraft/node.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol

from ..chain import Timer, TimerHandle
from ..raft.conf_changes import AnyConfChange, ConfChange
from ..raft.config import Config
from ..raft.errors import CannotStep, ProposalDropped
from ..raft.messages import ConfState, Entry, HardState, Message, MessageType, Snapshot
from ..raft.raw_node import RawNode
from ..raft.ready import Ready, SnapshotStatus, SoftState, StateType
from ..raft.tracker.progress import Progress
from .log_writer import DiskWatcher, LogWriter
from .metadata import Options
from .rejoining import Phase, Rejoining, has_lost_its_log
from .storage import RaftStorage

log = logging.getLogger(__name__)

ASK_EVERY = 4
"""Ticks between questions of a node without a log."""
MAX_UNAPPLIED = 64
"""Decisions the chain has not carried out yet, above which the node waits for it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the chain is to carry out, in order.

    term: of this node when it was decided; pull_to: a block that others have, None for no need.
    """

    term: int
    soft_state: SoftState | None = None
    snapshot: Snapshot | None = None
    entries: tuple[Entry, ...] = ()
    pull_to: int | None = None


class NodeHost(DiskWatcher, Protocol):
    """What a node needs of its chain."""

    def send(self, message: Message, active: Sequence[int]) -> bool:
        """Send to ``message.to``; active: who is alive, for heartbeats; whether it was queued."""

    def failed(self, error: Exception) -> None:
        """The node has ended: nothing can be agreed on any more."""


@dataclass(frozen=True, slots=True)
class NodeParts:
    """What a node is given.

    draw: ``draw(n)`` is a number below n; disk: runs what waits for it; first_start: see Rejoining.
    """

    options: Options
    storage: RaftStorage
    timer: Timer
    draw: Callable[[int], int]
    disk: Executor
    max_size_per_msg: int
    first_start: bool = False


class RaftNode:
    """One channel's node with the id ``node_id``.

    bootstrap: the ids a new cluster begins with, empty when there is a cluster already; eager:
    stand for election at once if nobody leads; decisions: what the chain has to carry out.
    """

    def __init__(
        self,
        node_id: int,
        parts: NodeParts,
        host: NodeHost,
        others: Sequence[int],
        bootstrap: Sequence[int] = (),
        *,
        eager: bool = False,
    ) -> None:
        self.node_id = node_id
        self._eager = eager
        self.decisions: asyncio.Queue[Decision] = asyncio.Queue(MAX_UNAPPLIED)
        self.conf_state = parts.storage.memory.snapshot().conf_state
        self._parts = parts
        self._host = host
        self._bootstrap = tuple(bootstrap)
        self._work = asyncio.Event()
        self._ticks = 0
        self._heard: dict[int, int] = {}
        """At which tick each other member was last heard."""
        self._ticking: TimerHandle | None = None
        self._running: asyncio.Task[None] | None = None
        self._log = LogWriter(node_id, parts.storage, parts.disk, host)
        self._raw: RawNode | None = None
        self._rejoining: Rejoining | None = None
        if parts.storage.fresh:
            self._rejoining = Rejoining(node_id, others, first_start=parts.first_start)
        else:
            self._raw = self._make_core()

    # --- life ----------------------------------------------------------------

    def start(self) -> None:
        """Begin to tick, on the running event loop."""
        self._running = asyncio.get_running_loop().create_task(self._run())
        self._schedule_tick()
        if self._rejoining is not None:
            self._ask()

    async def stop(self) -> None:
        """End; what was promised is on the disk."""
        if self._ticking is not None:
            self._ticking.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        await self._log.close()

    def _make_core(self) -> RawNode:
        options = self._parts.options
        return RawNode(
            Config(
                id=self.node_id,
                election_tick=options.election_tick,
                heartbeat_tick=options.heartbeat_tick,
                storage=self._parts.storage.memory,
                draw=self._parts.draw,
                max_size_per_msg=self._parts.max_size_per_msg,
                max_inflight_msgs=options.max_inflight_blocks,
                check_quorum=True,
                pre_vote=True,
                disable_proposal_forwarding=True,
            )
        )

    # --- state ---------------------------------------------------------------

    @property
    def term(self) -> int:
        """The current term, 0 before the node takes part."""
        return 0 if self._raw is None else self._raw.basic_status.hard_state.term

    @property
    def leads(self) -> bool:
        """Whether this node is the leader."""
        return (
            self._raw is not None
            and self._raw.basic_status.soft_state.raft_state is StateType.LEADER
        )

    @property
    def active(self) -> list[int]:
        """The members heard within an election timeout, this one included."""
        since = self._ticks - self._parts.options.election_tick
        return sorted([self.node_id, *(n for n, tick in self._heard.items() if tick >= since)])

    @property
    def waiting_for(self) -> Sequence[int]:
        """The members that must answer before a node without a log takes part."""
        asking = self._rejoining is not None and self._rejoining.phase is Phase.ASKING
        return self._rejoining.unheard if self._rejoining is not None and asking else ()

    # --- inputs --------------------------------------------------------------

    def step(self, message: Message) -> None:
        """Take in a message of another member."""
        self._heard[message.from_] = self._ticks
        if self._rejoining is not None and not self._admitted(message, self._rejoining):
            return
        if self._raw is None:
            return
        if self.leads and has_lost_its_log(message, self._matched(message.from_)):
            log.warning("node %d has lost its log: another leader must learn so", message.from_)
            self.hand_over(but=message.from_)
        try:
            self._raw.step(message)
        except (CannotStep, ProposalDropped) as error:
            log.debug("message %s of node %d: %s", message.type, message.from_, error)
        self._work.set()

    def propose(self, data: bytes) -> None:
        """Propose an entry; ProposalDropped when this node does not lead."""
        if self._raw is None:
            raise ProposalDropped
        self._raw.propose(data)
        self._work.set()

    def propose_conf_change(self, change: ConfChange) -> None:
        """Propose a change of members; ProposalDropped when this node does not lead."""
        if self._raw is None:
            raise ProposalDropped
        self._raw.propose_conf_change(change)
        self._work.set()

    def apply_conf_change(self, change: AnyConfChange) -> ConfState:
        """Put a decided change of members into force."""
        if self._raw is not None:
            self.conf_state = self._raw.apply_conf_change(change)
            self._work.set()
        return self.conf_state

    def restore_conf_state(self, conf_state: ConfState) -> None:
        """Take over the members that a snapshot brought."""
        self.conf_state = conf_state

    def hand_over(self, but: int = 0) -> bool:
        """Let the most advanced other member lead; False if none is fit for it."""
        if self._raw is None or not self.leads:
            return False
        fit = {
            node_id: progress.match
            for node_id, progress in self._progress().items()
            if node_id not in {self.node_id, but}
            and progress.recent_active
            and not progress.is_learner
            and not progress.is_paused
        }
        if not fit:
            return False
        self._raw.transfer_leader(max(fit, key=lambda node_id: (fit[node_id], -node_id)))
        self._work.set()
        return True

    def unreachable(self, node_id: int) -> None:
        """Messages to a member did not arrive."""
        if self._raw is not None:
            self._raw.report_unreachable(node_id)

    def snapshot(self, index: int, data: bytes) -> None:
        """Let a block stand for the log up to its entry."""
        self._parts.storage.snapshot(index, self.conf_state, data)

    # --- ticks ---------------------------------------------------------------

    def _schedule_tick(self) -> None:
        seconds = self._parts.options.tick_interval.total_seconds()
        self._ticking = self._parts.timer(seconds, self._tick)

    def _tick(self) -> None:
        self._schedule_tick()
        self._ticks += 1
        asking = self._rejoining is not None and self._rejoining.phase is Phase.ASKING
        if asking and self._ticks % ASK_EVERY == 0:
            self._ask()
        if self._raw is None:
            return
        self._raw.tick()
        if self._eager and self._rejoining is None:
            self._eager = not self._raw.basic_status.soft_state.lead
            if self._eager:
                self._raw.campaign()
        self._work.set()

    def _progress(self) -> dict[int, Progress]:
        return {} if self._raw is None else dict(self._raw.status.progress)

    def _matched(self, node_id: int) -> int:
        progress = self._progress().get(node_id)
        return 0 if progress is None else progress.match

    # --- joining without a log -----------------------------------------------

    def _ask(self) -> None:
        rejoining = self._rejoining
        if rejoining is None:
            return
        if rejoining.answered:
            self._take_part(rejoining)
            return
        for question in rejoining.questions():
            self._host.send(question, ())

    def _admitted(self, message: Message, rejoining: Rejoining) -> bool:
        if rejoining.phase is Phase.ASKING:
            answer = rejoining.hear(message)
            if answer is not None:
                self._host.send(answer, ())
            if rejoining.answered:
                self._take_part(rejoining)
            return False
        return rejoining.admits(message, self._parts.storage.memory.last_index())

    def _take_part(self, rejoining: Rejoining) -> None:
        if self._bootstrap and rejoining.beginning:
            self._raw = self._make_core()
            self._raw.bootstrap(dict.fromkeys(self._bootstrap, b""))
            self._rejoining = None
        else:
            state = HardState(term=max(rejoining.term, 1), vote=self.node_id)
            self._parts.storage.keep(state)
            rejoining.phase = Phase.FOLLOWING
            self._raw = self._make_core()
            log.info(
                "node %d has no log and follows the leader of term %d", self.node_id, state.term
            )
        self._work.set()

    def _caught_up(self, ready: Ready) -> None:
        """End the probation once an entry that the leader committed in its own term is here."""
        rejoining = self._rejoining
        if rejoining is None or not any(e.term >= rejoining.term for e in ready.committed_entries):
            return
        if ready.committed_entries[-1].term == self.term:
            log.info("node %d has caught up and is a member again", self.node_id)
            self._rejoining = None

    # --- the loop ------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while True:
                await self._work.wait()
                self._work.clear()
                while self._raw is not None and self._raw.has_ready():
                    await self._process(self._raw, self._raw.ready())
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("the Raft node %d has failed", self.node_id)
            self._host.failed(error)

    async def _process(self, raw: RawNode, ready: Ready) -> None:
        leads = self.leads
        if leads:
            self._send(ready.messages)
        await self._log.store(ready)
        if not leads:
            self._send(ready.messages)
        self._caught_up(ready)
        if ready.soft_state or ready.snapshot or ready.committed_entries:
            decision = Decision(
                self.term, ready.soft_state, ready.snapshot, ready.committed_entries
            )
            await self.decisions.put(decision)
        raw.advance()

    def _send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._rejoining is not None and not self._rejoining.sends(message):
                continue
            sent = message
            if message.type is MessageType.SNAP and message.snapshot is not None:
                # who is a member now, lest the receiver find itself missing
                snapshot = replace(message.snapshot, conf_state=self.conf_state)
                sent = replace(message, snapshot=snapshot)
            queued = self._host.send(sent, self.active)
            if self._raw is None:
                continue
            if not queued:
                self._raw.report_unreachable(message.to)
            if message.type is MessageType.SNAP:
                status = SnapshotStatus.FINISH if queued else SnapshotStatus.FAILURE
                self._raw.report_snapshot(message.to, status)

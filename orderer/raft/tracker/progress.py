"""One member's progress in the eyes of the leader (etcd: tracker/progress.go)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from ..errors import RaftPanic
from .inflights import Inflights


class ProgressState(Enum):
    """How the leader sends to a member.

    PROBE: one append each heartbeat, to find out where its log ends.
    REPLICATE: everything at once, ahead of its answers.
    SNAPSHOT: nothing, for it is taking in a snapshot.
    """

    PROBE = "StateProbe"
    REPLICATE = "StateReplicate"
    SNAPSHOT = "StateSnapshot"

    def __str__(self) -> str:
        return self.value


@dataclass(slots=True)
class Progress:
    """How far a member is.

    match: up to here its log is known to be the leader's.
    next: the next entry to send; those in between are on their way.  match < next.
    sent_commit: the highest commit index on its way, as far as it is of use to the member.
    pending_snapshot: in SNAPSHOT, the index of the snapshot that was sent.
    recent_active: it was heard of within the last election timeout.
    flow_paused: nothing is sent until its next answer to a heartbeat.
    """

    match: int
    next: int
    inflights: Inflights
    state: ProgressState = ProgressState.PROBE
    sent_commit: int = 0
    pending_snapshot: int = 0
    recent_active: bool = False
    flow_paused: bool = False
    is_learner: bool = False

    def __str__(self) -> str:
        text = f"{self.state} match={self.match} next={self.next}"
        if self.is_learner:
            text += " learner"
        if self.is_paused:
            text += " paused"
        if self.pending_snapshot:
            text += f" pendingSnap={self.pending_snapshot}"
        if not self.recent_active:
            text += " inactive"
        if count := self.inflights.count:
            text += f" inflight={count}{'[full]' if self.inflights.full else ''}"
        return text

    @property
    def is_paused(self) -> bool:
        """Whether nothing may be sent now."""
        return self.flow_paused or self.state is ProgressState.SNAPSHOT

    def clone(self) -> Progress:
        """An equal progress that shares nothing."""
        return replace(self, inflights=self.inflights.clone())

    def become_probe(self) -> None:
        """Find out anew where its log ends, from the snapshot on if one was pending."""
        known = max(self.match, self.pending_snapshot)
        self._enter(ProgressState.PROBE)
        self.next = known + 1
        self.sent_commit = min(self.sent_commit, known)

    def become_replicate(self) -> None:
        """Send all there is."""
        self._enter(ProgressState.REPLICATE)
        self.next = self.match + 1

    def become_snapshot(self, index: int) -> None:
        """A snapshot goes out; wait for it."""
        self._enter(ProgressState.SNAPSHOT)
        self.pending_snapshot = index
        self.next = index + 1
        self.sent_commit = index

    def _enter(self, state: ProgressState) -> None:
        self.flow_paused = False
        self.pending_snapshot = 0
        self.state = state
        self.inflights.reset()

    def sent_entries(self, count: int, size: int) -> None:
        """An append goes out, with ``count`` entries of ``size`` bytes in all."""
        if self.state is ProgressState.REPLICATE:
            if count:
                self.next += count
                self.inflights.add(self.next - 1, size)
            # An append beyond the window only asks whether the member is still there.
            self.flow_paused = self.inflights.full
        elif self.state is ProgressState.PROBE:
            self.flow_paused = self.flow_paused or count > 0
        else:
            raise RaftPanic(f"sending append in unhandled state {self.state}")

    def can_bump_commit(self, index: int) -> bool:
        """Whether the member could commit more if it knew of ``index``."""
        return index > self.sent_commit and self.sent_commit < self.next - 1

    def maybe_update(self, index: int) -> bool:
        """It says that it has everything up to ``index``; False if that is old news."""
        if index <= self.match:
            return False
        self.match = index
        self.next = max(self.next, index + 1)
        self.flow_paused = False
        return True

    def maybe_decrease(self, rejected: int, hint: int) -> bool:
        """It refused an append after ``rejected`` and hints at ``hint``; False if that is old."""
        if self.state is ProgressState.REPLICATE:
            if rejected <= self.match:
                return False
            self.next = self.match + 1
        elif self.next - 1 != rejected:
            return False
        else:
            self.next = max(min(rejected, hint + 1), self.match + 1)
            self.flow_paused = False
        self.sent_commit = min(self.sent_commit, self.next - 1)
        return True


class ProgressMap(dict[int, Progress]):
    """The members by id, in ascending order of id."""

    def __str__(self) -> str:
        return "".join(f"{node}: {progress}\n" for node, progress in sorted(self.items()))

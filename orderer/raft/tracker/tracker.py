"""The members as the leader sees them (etcd: tracker/tracker.go)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..messages import ConfState
from ..quorum import JointConfig, VoteResult
from ..quorum.majority import format_ids
from .inflights import Inflights
from .progress import Progress, ProgressMap

NO_VOTERS = JointConfig()


@dataclass(frozen=True, slots=True)
class MembershipConfig:
    """Who votes and who only learns.

    learners: never voters in either half.
    learners_next: voters of the outgoing half that become learners when the joint one is left.
    auto_leave: the leader leaves the joint configuration by itself.
    """

    voters: JointConfig = NO_VOTERS
    learners: frozenset[int] = frozenset()
    learners_next: frozenset[int] = frozenset()
    auto_leave: bool = False

    def __str__(self) -> str:
        text = f"voters={self.voters}"
        if self.learners:
            text += f" learners={format_ids(self.learners)}"
        if self.learners_next:
            text += f" learners_next={format_ids(self.learners_next)}"
        return f"{text} autoleave" if self.auto_leave else text

    @property
    def joint(self) -> bool:
        """Whether a change is under way."""
        return bool(self.voters.outgoing)

    @property
    def conf_state(self) -> ConfState:
        """The same as it is stored."""
        return ConfState(
            voters=tuple(sorted(self.voters.incoming)),
            learners=tuple(sorted(self.learners)),
            voters_outgoing=tuple(sorted(self.voters.outgoing)),
            learners_next=tuple(sorted(self.learners_next)),
            auto_leave=self.auto_leave,
        )


NO_MEMBERS = MembershipConfig()


@dataclass(slots=True)
class ProgressTracker:
    """The configuration in force, every member's progress, and the votes of an election."""

    max_inflight: int
    max_inflight_bytes: int
    config: MembershipConfig = NO_MEMBERS
    progress: ProgressMap = field(default_factory=ProgressMap)
    votes: dict[int, bool] = field(default_factory=dict)

    def new_inflights(self) -> Inflights:
        """An empty window of this tracker's size."""
        return Inflights(self.max_inflight, self.max_inflight_bytes)

    @property
    def is_singleton(self) -> bool:
        """Whether there is one voter only."""
        voters = self.config.voters
        return len(voters.incoming) == 1 and not voters.outgoing

    def committed(self) -> int:
        """The highest index that a quorum has."""
        matches = {node: progress.match for node, progress in self.progress.items()}
        return self.config.voters.committed_index(matches)

    def quorum_active(self) -> bool:
        """Whether a quorum was heard of lately."""
        active = {
            node: progress.recent_active
            for node, progress in self.progress.items()
            if not progress.is_learner
        }
        return self.config.voters.vote_result(active) is VoteResult.WON

    def record_vote(self, node: int, granted: bool) -> None:
        """Count a vote; a node's first one holds."""
        self.votes.setdefault(node, granted)

    def tally_votes(self) -> tuple[int, int, VoteResult]:
        """Votes granted and refused by members, and how the election stands."""
        cast = [
            self.votes[node]
            for node, progress in self.progress.items()
            if not progress.is_learner and node in self.votes
        ]
        granted = sum(cast)
        return granted, len(cast) - granted, self.config.voters.vote_result(self.votes)

    def reset(self, last_index: int) -> None:
        """Begin a term: nothing is known of anybody, and no votes are cast."""
        self.votes = {}
        for node, progress in self.progress.items():
            self.progress[node] = Progress(
                match=0,
                next=last_index + 1,
                inflights=self.new_inflights(),
                is_learner=progress.is_learner,
            )

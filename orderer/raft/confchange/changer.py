"""Simple and joint changes of membership (etcd: confchange/confchange.go; Raft thesis, 4.3).

Voters are always changed in the incoming half; the outgoing half stays as it was until the joint
configuration is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

from ..conf_changes import ConfChangeSingle, ConfChangeType
from ..errors import InvalidConfChange
from ..messages import NONE
from ..quorum import JointConfig
from ..tracker import Inflights, MembershipConfig, Progress, ProgressMap

Membership = tuple[MembershipConfig, ProgressMap]


@dataclass(frozen=True, slots=True)
class Changer:
    """Makes changes to a configuration without touching it.

    Each returns the new configuration with its progress, or raises InvalidConfChange.
    last_index: the leader's, from where it will probe new members.
    """

    config: MembershipConfig
    progress: ProgressMap
    last_index: int
    max_inflight: int
    max_inflight_bytes: int

    def simple(self, changes: Iterable[ConfChangeSingle]) -> Membership:
        """Make changes that touch one voter at most."""
        draft = self._draft()
        if self.config.joint:
            raise InvalidConfChange("can't apply simple config change in joint config")
        draft.apply(changes)
        if len(self.config.voters.incoming ^ draft.incoming) > 1:
            raise InvalidConfChange("more than one voter changed without entering joint config")
        return draft.finish()

    def enter_joint(self, auto_leave: bool, changes: Iterable[ConfChangeSingle]) -> Membership:
        """Go to (1 2 3)&&(1 2 3) and make the changes in the incoming half."""
        draft = self._draft()
        if self.config.joint:
            raise InvalidConfChange("config is already joint")
        if not draft.incoming:
            raise InvalidConfChange("can't make a zero-voter config joint")
        draft.outgoing = frozenset(draft.incoming)
        draft.apply(changes)
        draft.auto_leave = auto_leave
        return draft.finish()

    def leave_joint(self) -> Membership:
        """Drop the outgoing half, with the members nobody needs any more."""
        draft = self._draft()
        if not self.config.joint:
            raise InvalidConfChange("can't leave a non-joint config")
        for node in draft.learners_next:
            draft.progress[node].is_learner = True
        draft.learners |= draft.learners_next
        draft.learners_next.clear()
        for node in draft.outgoing - draft.incoming - draft.learners:
            draft.progress.pop(node, None)
        draft.outgoing = frozenset()
        return draft.finish()

    def _draft(self) -> _Draft:
        check_invariants(self.config, self.progress)
        return _Draft(
            incoming=set(self.config.voters.incoming),
            outgoing=self.config.voters.outgoing,
            learners=set(self.config.learners),
            learners_next=set(self.config.learners_next),
            progress={node: copy(progress) for node, progress in self.progress.items()},
            first_progress=Progress(
                match=0,
                next=max(self.last_index, 1),
                inflights=Inflights(self.max_inflight, self.max_inflight_bytes),
                # Or an election timeout might end before it could say a word.
                recent_active=True,
            ),
        )


@dataclass(slots=True)
class _Draft:
    """A configuration in the making."""

    incoming: set[int]
    outgoing: frozenset[int]
    learners: set[int]
    learners_next: set[int]
    progress: dict[int, Progress]
    first_progress: Progress
    auto_leave: bool = field(default=False)

    def apply(self, changes: Iterable[ConfChangeSingle]) -> None:
        """Make the changes one after another."""
        make = {
            ConfChangeType.ADD_NODE: self._make_voter,
            ConfChangeType.ADD_LEARNER_NODE: self._make_learner,
            ConfChangeType.REMOVE_NODE: self._remove,
        }
        for change in changes:
            if change.node_id != NONE and change.type in make:
                make[change.type](change.node_id)
        if not self.incoming:
            raise InvalidConfChange("removed all voters")

    def finish(self) -> Membership:
        """The result, if it is sound."""
        config = MembershipConfig(
            voters=JointConfig(frozenset(self.incoming), self.outgoing),
            learners=frozenset(self.learners),
            learners_next=frozenset(self.learners_next),
            auto_leave=self.auto_leave,
        )
        progress = ProgressMap(sorted(self.progress.items()))
        check_invariants(config, progress)
        return config, progress

    def _make_voter(self, node: int) -> None:
        if node not in self.progress:
            self._track(node, is_learner=False)
        self.progress[node].is_learner = False
        self.learners.discard(node)
        self.learners_next.discard(node)
        self.incoming.add(node)

    def _make_learner(self, node: int) -> None:
        """A voter of the outgoing half has to wait until that is gone."""
        progress = self.progress.get(node)
        if progress is None:
            self._track(node, is_learner=True)
            self.learners.add(node)
        elif not progress.is_learner:
            self._remove(node)
            self.progress[node] = progress
            if node in self.outgoing:
                self.learners_next.add(node)
            else:
                progress.is_learner = True
                self.learners.add(node)

    def _remove(self, node: int) -> None:
        if node not in self.progress:
            return
        self.incoming.discard(node)
        self.learners.discard(node)
        self.learners_next.discard(node)
        if node not in self.outgoing:
            del self.progress[node]

    def _track(self, node: int, *, is_learner: bool) -> None:
        progress = self.first_progress.clone()
        progress.is_learner = is_learner
        self.progress[node] = progress


def check_invariants(config: MembershipConfig, progress: ProgressMap) -> None:
    """Raise InvalidConfChange unless configuration and progress fit together."""
    voters = config.voters
    for node in sorted(voters.ids | config.learners | config.learners_next):
        if node not in progress:
            raise InvalidConfChange(f"no progress for {node}")
    for node in sorted(config.learners_next):
        if node not in voters.outgoing:
            raise InvalidConfChange(f"{node} is in LearnersNext, but not Voters[1]")
        if progress[node].is_learner:
            raise InvalidConfChange(f"{node} is in LearnersNext, but is already marked as learner")
    for node in sorted(config.learners):
        for half, ids in ((1, voters.outgoing), (0, voters.incoming)):
            if node in ids:
                raise InvalidConfChange(f"{node} is in Learners and Voters[{half}]")
        if not progress[node].is_learner:
            raise InvalidConfChange(f"{node} is in Learners, but is not marked as learner")
    if config.auto_leave and not config.joint:
        raise InvalidConfChange("AutoLeave must be false when not joint")

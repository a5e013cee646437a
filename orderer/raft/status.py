"""A look at a node from outside (etcd: status.go)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .messages import HardState
from .ready import SoftState
from .tracker import MembershipConfig, ProgressMap
from .tracker.tracker import NO_MEMBERS


@dataclass(frozen=True, slots=True)
class BasicStatus:
    """A node's own state.

    applied: the last entry applied; lead_transferee: who is to lead next, NONE if nobody.
    """

    id: int
    hard_state: HardState
    soft_state: SoftState
    applied: int
    lead_transferee: int


@dataclass(frozen=True, slots=True)
class Status(BasicStatus):
    """With the membership and, on a leader, a copy of each member's progress."""

    config: MembershipConfig = NO_MEMBERS
    progress: ProgressMap = field(default_factory=ProgressMap)

"""The settings of a Raft node (etcd: Config in raft.go)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from .errors import InvalidRaftConfig
from .messages import NO_LIMIT, NONE, is_local_target
from .storage import Storage


class Logger(Protocol):
    """Where a node says what it does; a ``logging.Logger`` is one."""

    def debug(self, msg: str, *args: object) -> None:
        """What only helps to find a fault."""

    def info(self, msg: str, *args: object) -> None:
        """Elections, configurations, snapshots."""

    def warning(self, msg: str, *args: object) -> None:
        """What should not happen often."""

    def error(self, msg: str, *args: object) -> None:
        """What should not happen."""


class ReadOnlyOption(Enum):
    """How the leader makes sure that it still leads before it answers a read.

    SAFE: a round of heartbeats.  LEASE_BASED: not at all within an election timeout, which is
    only as good as the clocks; needs ``check_quorum``.
    """

    SAFE = "safe"
    LEASE_BASED = "lease-based"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings; raises InvalidRaftConfig if they cannot work together.

    id: this node, neither 0 nor a storage thread's.
    election_tick: ticks without a leader until a follower campaigns (up to twice as many, by lot).
    heartbeat_tick: ticks between a leader's heartbeats; about a tenth of ``election_tick``.
    storage: log and state as they are on the disk.
    draw: ``draw(n)`` gives a number in [0, n): the lot that keeps elections apart.
    applied: the last entry the application has applied; set when a node restarts.
    async_storage_writes: storage is asked and answers by messages, not by Ready and advance.
    max_size_per_msg: bytes of entries in one append; 0 is one entry each.
    max_committed_size_per_ready: bytes of entries being applied at a time; 0 is as above.
    max_uncommitted_entries_size: bytes of proposals a leader takes before they commit; 0: any.
    max_inflight_msgs: appends on their way to one follower.
    max_inflight_bytes: bytes of entries on their way to one follower; 0: any.
    check_quorum: a leader steps down if a majority is silent for an election timeout, and a
        follower that hears its leader votes for nobody else.
    pre_vote: ask whether one would win before disturbing the others with a new term.
    disable_proposal_forwarding: followers drop proposals instead of passing them on.
    disable_conf_change_validation: take any membership change; whoever proposes vouches for it.
    step_down_on_removal: a leader that is removed or demoted becomes a follower at once.
    """

    id: int
    election_tick: int
    heartbeat_tick: int
    storage: Storage
    draw: Callable[[int], int]
    applied: int = 0
    async_storage_writes: bool = False
    max_size_per_msg: int = NO_LIMIT
    max_committed_size_per_ready: int = 0
    max_uncommitted_entries_size: int = 0
    max_inflight_msgs: int = 256
    max_inflight_bytes: int = 0
    check_quorum: bool = False
    pre_vote: bool = False
    read_only_option: ReadOnlyOption = ReadOnlyOption.SAFE
    disable_proposal_forwarding: bool = False
    disable_conf_change_validation: bool = False
    step_down_on_removal: bool = False
    logger: Logger = logging.getLogger(__name__)  # noqa: RUF009 - one logger for all

    def __post_init__(self) -> None:
        lease_based = self.read_only_option is ReadOnlyOption.LEASE_BASED
        faults = {
            "cannot use none as id": self.id == NONE,
            "cannot use local target as id": is_local_target(self.id),
            "heartbeat tick must be greater than 0": self.heartbeat_tick <= 0,
            "election tick must be greater than heartbeat tick": (
                self.election_tick <= self.heartbeat_tick
            ),
            "max inflight messages must be greater than 0": self.max_inflight_msgs <= 0,
            "max inflight bytes must be >= max message size": (
                0 < self.max_inflight_bytes < self.max_size_per_msg
            ),
            "CheckQuorum must be enabled when ReadOnlyOption is ReadOnlyLeaseBased": (
                lease_based and not self.check_quorum
            ),
        }
        for fault, present in faults.items():
            if present:
                raise InvalidRaftConfig(fault)

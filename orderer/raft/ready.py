"""What a node has for its application to do (etcd: Ready in node.go)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .messages import NONE, Entry, HardState, Message, Snapshot


class StateType(Enum):
    """The part a node plays; ``str()`` gives etcd's name."""

    FOLLOWER = "StateFollower"
    CANDIDATE = "StateCandidate"
    LEADER = "StateLeader"
    PRE_CANDIDATE = "StatePreCandidate"

    def __str__(self) -> str:
        return self.value


class SnapshotStatus(Enum):
    """How the sending of a snapshot ended."""

    FINISH = 1
    FAILURE = 2


@dataclass(frozen=True, slots=True)
class SoftState:
    """Who leads and what this node is; it need not survive."""

    lead: int = NONE
    raft_state: StateType = StateType.FOLLOWER


@dataclass(frozen=True, slots=True)
class ReadState:
    """A read that may be served once ``index`` has been applied; ``request_ctx`` says which."""

    index: int
    request_ctx: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """Work, in the order it must be done.

    1. Write ``hard_state``, ``entries`` and ``snapshot`` to the disk, synced if ``must_sync``.
    2. Send ``messages``; report a snapshot's fate with ``report_snapshot``.
    3. Apply ``snapshot`` and ``committed_entries``; ``apply_conf_change`` for membership changes.
    4. ``advance``.

    soft_state, hard_state, snapshot: None if they have not changed.
    With asynchronous storage writes 1 and 3 are asked for by messages to LOCAL_APPEND_THREAD and
    LOCAL_APPLY_THREAD instead, whose responses take the place of ``advance``.
    A snapshot may then overtake an order to apply what it holds already: those entries are skipped.
    """

    soft_state: SoftState | None = None
    hard_state: HardState | None = None
    read_states: tuple[ReadState, ...] = ()
    entries: tuple[Entry, ...] = ()
    snapshot: Snapshot | None = None
    committed_entries: tuple[Entry, ...] = ()
    messages: tuple[Message, ...] = ()
    must_sync: bool = False

"""What a Raft node keeps and sends: entries, states, snapshots, messages.

Values, never changed after they are made.  ``wire`` turns them into raftpb's bytes and back,
``describe`` into text (etcd: raftpb/raft.proto).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique

NONE = 0
"""The id of no node: no leader, no vote."""
NO_LIMIT = 2**64 - 1
LOCAL_APPEND_THREAD = 2**64 - 1
"""Addressee of STORAGE_APPEND: whoever writes log and state to the disk."""
LOCAL_APPLY_THREAD = 2**64 - 2
"""Addressee of STORAGE_APPLY: whoever applies committed entries."""


@unique
class EntryType(IntEnum):
    """What an entry holds: the application's bytes, or a membership change."""

    NORMAL = 0
    CONF_CHANGE = 1
    CONF_CHANGE_V2 = 2

    def __str__(self) -> str:
        return _ENTRY_TYPE_NAMES[self]


_ENTRY_TYPE_NAMES = ("EntryNormal", "EntryConfChange", "EntryConfChangeV2")


@unique
class MessageType(IntEnum):
    """raftpb's message types; ``str()`` gives raftpb's name, as in MsgAppResp."""

    HUP = 0
    BEAT = 1
    PROP = 2
    APP = 3
    APP_RESP = 4
    VOTE = 5
    VOTE_RESP = 6
    SNAP = 7
    HEARTBEAT = 8
    HEARTBEAT_RESP = 9
    UNREACHABLE = 10
    SNAP_STATUS = 11
    CHECK_QUORUM = 12
    TRANSFER_LEADER = 13
    TIMEOUT_NOW = 14
    READ_INDEX = 15
    READ_INDEX_RESP = 16
    PRE_VOTE = 17
    PRE_VOTE_RESP = 18
    STORAGE_APPEND = 19
    STORAGE_APPEND_RESP = 20
    STORAGE_APPLY = 21
    STORAGE_APPLY_RESP = 22
    FORGET_LEADER = 23

    def __str__(self) -> str:
        return f"Msg{self.name.title().replace('_', '')}"


LOCAL_MESSAGES = frozenset(
    {
        MessageType.HUP,
        MessageType.BEAT,
        MessageType.UNREACHABLE,
        MessageType.SNAP_STATUS,
        MessageType.CHECK_QUORUM,
        MessageType.STORAGE_APPEND,
        MessageType.STORAGE_APPEND_RESP,
        MessageType.STORAGE_APPLY,
        MessageType.STORAGE_APPLY_RESP,
    }
)
"""Types that never come over a network."""

RESPONSES = frozenset(
    {
        MessageType.APP_RESP,
        MessageType.VOTE_RESP,
        MessageType.HEARTBEAT_RESP,
        MessageType.UNREACHABLE,
        MessageType.READ_INDEX_RESP,
        MessageType.PRE_VOTE_RESP,
        MessageType.STORAGE_APPEND_RESP,
        MessageType.STORAGE_APPLY_RESP,
    }
)
"""Types that are only heard from members."""


FROM_LEADER = frozenset({MessageType.APP, MessageType.HEARTBEAT, MessageType.SNAP})
"""Types that only the leader of their term sends."""


def is_local_target(node: int) -> bool:
    """Whether an id names one of the node's own storage threads."""
    return node in (LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD)


@dataclass(frozen=True, slots=True)
class Entry:
    """One position of the log.

    Empty data of a NORMAL entry is what a new leader appends; it means nothing to the application.
    """

    type: EntryType = EntryType.NORMAL
    term: int = 0
    index: int = 0
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class HardState:
    """What must survive a crash, besides the log."""

    term: int = 0
    vote: int = NONE
    commit: int = 0


EMPTY_HARD_STATE = HardState()


@dataclass(frozen=True, slots=True)
class ConfState:
    """A membership; outgoing voters and next learners only while it is joint."""

    voters: tuple[int, ...] = ()
    learners: tuple[int, ...] = ()
    voters_outgoing: tuple[int, ...] = ()
    learners_next: tuple[int, ...] = ()
    auto_leave: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The application's state after the entry at ``index``; the log before it may be gone.

    ``index`` 0 is no snapshot.
    """

    index: int = 0
    term: int = 0
    conf_state: ConfState = ConfState()
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """What nodes say to each other, and a node to its own storage.

    log_term, index: the entry before ``entries``, or the one that is spoken of.
    term 0: a message that stands outside terms (proposals, reads, local ones).
    vote: only in STORAGE_APPEND; with term and commit it makes the HardState to be written.
    responses: to be delivered once the storage has done what the message asks for.
    """

    type: MessageType
    to: int = NONE
    from_: int = NONE
    term: int = 0
    log_term: int = 0
    index: int = 0
    entries: tuple[Entry, ...] = ()
    commit: int = 0
    vote: int = NONE
    snapshot: Snapshot | None = None
    reject: bool = False
    reject_hint: int = 0
    context: bytes = b""
    responses: tuple[Message, ...] = ()

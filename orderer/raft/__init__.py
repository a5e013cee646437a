"""Raft, as a pure state machine: messages and ticks in, a ``Ready`` of work out.

No I/O, no clock, no threads; randomness comes in as ``Config.draw``.  The wire is raftpb's, which
Fabric's orderers speak (etcd: go.etcd.io/raft; "In Search of an Understandable Consensus
Algorithm", Ongaro and Ousterhout; Ongaro's thesis for membership, pre-vote and transfer).

Who uses it: ``raw_node`` (the way in), ``config``, ``storage`` with ``memory_storage``, ``ready``,
``status``, ``messages``, ``conf_changes``, ``wire`` (raftpb's bytes), ``errors``.
Who reads it begins at ``step``, which takes each message: ``election`` (campaigns and votes),
``replication`` (appends and commits), ``proposals``, ``membership`` (configurations),
``snapshots``, ``transfer``, ``read_index``; all of them work on ``state``, whose log is
``log`` upon ``unstable``.
``quorum``, ``tracker`` and ``confchange`` are arithmetic that knows nothing of the rest.
"""

from .conf_changes import (
    AnyConfChange,
    ConfChange,
    ConfChangeSingle,
    ConfChangeTransition,
    ConfChangeType,
    ConfChangeV2,
)
from .config import Config, Logger, ReadOnlyOption
from .errors import (
    CannotStep,
    Compacted,
    InvalidConfChange,
    InvalidRaftConfig,
    ProposalDropped,
    RaftError,
    RaftPanic,
    SnapshotOutOfDate,
    SnapshotTemporarilyUnavailable,
    StorageError,
    Unavailable,
)
from .memory_storage import MemoryStorage
from .messages import (
    LOCAL_APPEND_THREAD,
    LOCAL_APPLY_THREAD,
    NO_LIMIT,
    NONE,
    ConfState,
    Entry,
    EntryType,
    HardState,
    Message,
    MessageType,
    Snapshot,
    is_local_target,
)
from .raw_node import RawNode
from .ready import ReadState, Ready, SnapshotStatus, SoftState, StateType
from .status import BasicStatus, Status
from .storage import Storage
from .tracker import MembershipConfig, Progress, ProgressState

__all__ = [
    "LOCAL_APPEND_THREAD",
    "LOCAL_APPLY_THREAD",
    "NONE",
    "NO_LIMIT",
    "AnyConfChange",
    "BasicStatus",
    "CannotStep",
    "Compacted",
    "ConfChange",
    "ConfChangeSingle",
    "ConfChangeTransition",
    "ConfChangeType",
    "ConfChangeV2",
    "ConfState",
    "Config",
    "Entry",
    "EntryType",
    "HardState",
    "InvalidConfChange",
    "InvalidRaftConfig",
    "Logger",
    "MembershipConfig",
    "MemoryStorage",
    "Message",
    "MessageType",
    "Progress",
    "ProgressState",
    "ProposalDropped",
    "RaftError",
    "RaftPanic",
    "RawNode",
    "ReadOnlyOption",
    "ReadState",
    "Ready",
    "Snapshot",
    "SnapshotOutOfDate",
    "SnapshotStatus",
    "SnapshotTemporarilyUnavailable",
    "SoftState",
    "StateType",
    "Status",
    "Storage",
    "StorageError",
    "Unavailable",
    "is_local_target",
]

"""The Raft core as its application uses it (etcd: rawnode.go).

node = RawNode(config)
each tick: node.tick()
each message of another node: node.step(message)
while node.has_ready():
    ready = node.ready()     # write, send, apply: see Ready
    node.advance()
"""

from __future__ import annotations

from .conf_changes import AnyConfChange
from .config import Config
from .messages import ConfState, Message
from .ready import Ready, SnapshotStatus
from .status import BasicStatus, Status


class RawNode:
    """A Raft node without threads, clock, network or disk.  Not safe for several threads.

    Any method may raise RaftPanic, after which the node must not be used again.
    """

    def __init__(self, config: Config) -> None:
        raise NotImplementedError

    def bootstrap(self, peers: dict[int, bytes]) -> None:
        """Begin a log with these voters (id to context); only on an empty storage."""
        raise NotImplementedError

    def tick(self) -> None:
        """Let a tick pass."""
        raise NotImplementedError

    def step(self, message: Message) -> None:
        """Take in a message of another node, or a storage thread's response.

        Raises CannotStep, ProposalDropped.
        """
        raise NotImplementedError

    def campaign(self) -> None:
        """Try to become the leader now."""
        raise NotImplementedError

    def propose(self, *data: bytes) -> None:
        """Propose entries; a follower passes them on to its leader.

        Raises ProposalDropped.
        """
        raise NotImplementedError

    def propose_conf_change(self, change: AnyConfChange) -> None:
        """Propose a membership change, one at a time; a refused one becomes an empty entry.

        Raises ProposalDropped.
        """
        raise NotImplementedError

    def apply_conf_change(self, change: AnyConfChange) -> ConfState:
        """Put a committed membership change into force; returns the membership to store."""
        raise NotImplementedError

    def has_ready(self) -> bool:
        """Whether there is something to do."""
        raise NotImplementedError

    def ready(self) -> Ready:
        """What there is to do; must be done, and ``advance`` called, before the next one."""
        raise NotImplementedError

    def advance(self) -> None:
        """The last Ready is done.  Not with asynchronous storage writes."""
        raise NotImplementedError

    def transfer_leader(self, transferee: int) -> None:
        """Hand the leadership over; given up after an election timeout."""
        raise NotImplementedError

    def forget_leader(self) -> None:
        """As a follower, be willing to vote although the leader has been heard."""
        raise NotImplementedError

    def read_index(self, request_ctx: bytes) -> None:
        """Ask for a ReadState, which comes with a later Ready, or never if there is no leader."""
        raise NotImplementedError

    def report_unreachable(self, node: int) -> None:
        """What was sent to this node last did not arrive."""
        raise NotImplementedError

    def report_snapshot(self, node: int, status: SnapshotStatus) -> None:
        """How the sending of a snapshot to this node ended; must follow each SNAP message."""
        raise NotImplementedError

    @property
    def status(self) -> Status:
        """State, configuration and, on the leader, every member's progress."""
        raise NotImplementedError

    @property
    def basic_status(self) -> BasicStatus:
        """The state alone, for frequent looks."""
        raise NotImplementedError

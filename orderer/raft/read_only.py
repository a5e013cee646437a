"""Reads that wait for the leader to be confirmed (etcd: read_only.go).

Reads are numbered as they come. A heartbeat carries the number of the latest, and an answer to it
confirms all up to that one; what a quorum has confirmed may be served.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .messages import Message
from .quorum import JointConfig


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A READ_INDEX message and the commit index at which it came."""

    request: Message
    index: int


class ReadOnly:
    """The reads of a leader's term."""

    __slots__ = ("_acks", "_confirmed", "_unconfirmed")

    def __init__(self) -> None:
        self._acks: dict[int, int] = {}
        self._unconfirmed: deque[ReadRequest] = deque()
        self._confirmed = 0
        """How many reads have been confirmed, which is also the number of the last of them."""

    def add_request(self, index: int, request: Message) -> None:
        """A read has come while everything up to ``index`` is committed."""
        self._unconfirmed.append(ReadRequest(request, index))

    def receive_ack(self, node: int, context: bytes) -> None:
        """A node has answered a heartbeat with this context."""
        if context:
            number = int.from_bytes(context[:8], "little")
            self._acks[node] = max(self._acks.get(node, 0), number)

    def advance(self, voters: JointConfig) -> list[ReadRequest]:
        """Take out the reads that a quorum has confirmed."""
        confirmed = voters.committed_index(self._acks)
        count = min(confirmed - self._confirmed, len(self._unconfirmed))
        if count <= 0:
            return []
        self._confirmed += count
        return [self._unconfirmed.popleft() for _ in range(count)]

    def heartbeat_context(self) -> bytes:
        """What a heartbeat has to carry to confirm all reads; empty if there are none."""
        if not self._unconfirmed:
            return b""
        return (self._confirmed + len(self._unconfirmed)).to_bytes(8, "little")

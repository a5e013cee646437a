"""The appends on their way to one member (etcd: tracker/inflights.go)."""

from __future__ import annotations

from collections import deque

from ..errors import RaftPanic


class Inflights:
    """A window of messages, bounded by their number and their bytes.

    size: messages; max_bytes: bytes of entries, 0 is any.  The bytes are a soft bound: the message
    that reaches it is still sent.
    """

    __slots__ = ("_bytes", "_max_bytes", "_messages", "_size")

    def __init__(self, size: int, max_bytes: int) -> None:
        self._size = size
        self._max_bytes = max_bytes
        self._messages: deque[tuple[int, int]] = deque()
        self._bytes = 0

    @property
    def count(self) -> int:
        """Messages on their way."""
        return len(self._messages)

    @property
    def full(self) -> bool:
        """Whether nothing more may be sent."""
        return len(self._messages) >= self._size or 0 < self._max_bytes <= self._bytes

    def add(self, index: int, size: int) -> None:
        """A message with entries up to ``index`` and ``size`` bytes of them goes out."""
        if self.full:
            raise RaftPanic("cannot add into a Full inflights")
        self._messages.append((index, size))
        self._bytes += size

    def free_le(self, index: int) -> None:
        """Everything up to ``index`` has arrived."""
        messages = self._messages
        while messages and messages[0][0] <= index:
            self._bytes -= messages.popleft()[1]

    def reset(self) -> None:
        """Forget all: they are lost, or no longer of interest."""
        self._messages.clear()
        self._bytes = 0

    def clone(self) -> Inflights:
        """An equal window that shares nothing."""
        copy = Inflights(self._size, self._max_bytes)
        copy._messages.extend(self._messages)
        copy._bytes = self._bytes
        return copy

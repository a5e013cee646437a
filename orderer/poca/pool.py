"""Messages that a consenter has accepted and that no block contains yet.

Every consenter has all of them, each once; the next block is cut from the front.  Pure.
(Fabric counterpart: SmartBFT's request pool.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from hashlib import sha256

from ..arrival import Arrival
from ..block_cutter import BatchSize, BlockCutter

REMEMBERED = 1_000
"""Ordered messages that are still recognised when a fellow tells of them late."""


class Waiting(Arrival):
    """A message that waits for its block."""

    __slots__ = ()

    @property
    def key(self) -> bytes:
        """By which it is recognised in a block."""
        return sha256(self.envelope.SerializeToString()).digest()


class Pool:
    """The waiting messages in the order of their arrival."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Waiting] = {}
        self._ordered: deque[bytes] = deque(maxlen=REMEMBERED)

    def __len__(self) -> int:
        return len(self._waiting)

    def keys(self) -> set[bytes]:
        """Of all waiting messages."""
        return set(self._waiting)

    def add(self, message: Waiting) -> bool:
        """Take a message; False if it is here already."""
        return self._waiting.setdefault(message.key, message) is message

    def add_told(self, message: Waiting) -> bool:
        """Take a message that a fellow tells of; not if a block contains it by now."""
        return message.key not in self._ordered and self.add(message)

    def drop(self, entries: Iterable[bytes]) -> None:
        """Forget the messages with these serialized envelopes: a block contains them."""
        for entry in entries:
            key = sha256(entry).digest()
            self._waiting.pop(key, None)
            self._ordered.append(key)

    def forget(self, message: Waiting) -> None:
        """Forget a message that is no longer allowed."""
        self._waiting.pop(message.key, None)

    def judged_before(self, sequence: int) -> list[Waiting]:
        """The messages judged by an older configuration."""
        return [each for each in self._waiting.values() if each.config_sequence < sequence]

    def replace(self, old: Waiting, judged: Arrival) -> None:
        """Put a message that was judged again in the place of what it was."""
        new = Waiting(judged.envelope, judged.config_sequence, judged.is_config)
        self._waiting = {
            (new.key if key == old.key else key): (new if key == old.key else each)
            for key, each in self._waiting.items()
        }

    def batch(self, size: BatchSize) -> tuple[list[Waiting], bool]:
        """The messages of the next block, and whether they fill it.

        A config message has a block of its own; what stands before it is cut off by it.
        """
        cutter = BlockCutter()
        taken: list[Waiting] = []
        for message in self._waiting.values():
            if message.is_config:
                return (taken, True) if taken else ([message], True)
            batches = cutter.ordered(message.envelope, size)
            taken.append(message)
            if batches:
                return taken[: len(batches[0])], True
        return taken, False

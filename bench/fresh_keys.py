"""Keys that nobody has written before, with a value each.  (Fabric counterpart: none.)"""

from __future__ import annotations

import itertools
import os

from .workload import WorkloadContext

DEFAULT_BYTES = 64
"""With this value an envelope of two endorsements has 4.5 KB, most of it certificates."""


class FreshKeys:
    """The arguments of writes that cannot conflict: each key is new.

    size: bytes of a value, those of the argument ``bytes`` by default.
    """

    def __init__(self, context: WorkloadContext, size: int | None = None) -> None:
        size = context.number("bytes", DEFAULT_BYTES) if size is None else size
        self._value = "v" * size
        # Rounds of the same name, and runs on the same network, must not meet.
        self._prefix = f"{os.urandom(6).hex()}-{context.index}-"
        self._numbers = itertools.count()

    def next(self) -> tuple[str, str]:
        """Return a new key and its value."""
        return f"{self._prefix}{next(self._numbers):08}", self._value

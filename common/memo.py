"""A bounded memo for threads: remembers recent results, forgets the oldest half at a time.

Two dictionaries stand for young and old.  When the young one is full it becomes the old
one, so an entry survives between one and two times the capacity without any bookkeeping
on a hit.  Only forgetting takes a lock: otherwise a race can cause a miss, or a few entries
more, but never a wrong answer.
(Fabric: msp/cache, a second-chance cache of 100 entries)
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedMemo(Generic[K, V]):
    """At most ``2 * capacity`` entries; values are never None."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return what was remembered, or None."""
        found = self._young.get(key)
        if found is not None:
            return found
        found = self._old.get(key)
        if found is not None:
            self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Remember a value, forgetting the oldest generation when full."""
        if len(self._young) >= self._capacity:
            with self._lock:
                if len(self._young) >= self._capacity:
                    self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

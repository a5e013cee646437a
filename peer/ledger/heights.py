"""Tells who waits that the ledger has grown; commits may happen in another thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Heights(Generic[T]):
    """The number of committed blocks, and those who wait for the next.

    Waiters and listeners are woken on the event loop on which they came.
    """

    def __init__(self, height: int) -> None:
        self._height = height
        self._lock = Lock()
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._listeners: dict[int, tuple[asyncio.AbstractEventLoop, Callable[[T], None]]] = {}
        self._next_listener = 0

    @property
    def height(self) -> int:
        """Number of committed blocks."""
        return self._height

    async def wait_for(self, height: int) -> None:
        """Return once at least so many blocks are committed."""
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._height >= height:
                return
            self._waiting[future] = height
        try:
            await future
        finally:
            with self._lock:
                self._waiting.pop(future, None)

    def subscribe(self, listener: Callable[[T], None]) -> Callable[[], None]:
        """Have each committed block told on this loop; the result ends it.  Call on a loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._next_listener += 1
            number = self._next_listener
            self._listeners[number] = loop, listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return unsubscribe

    def behold(self, height: int) -> None:
        """So many were committed elsewhere; nobody waits for that here."""
        self._height = height

    def advance(self, height: int, committed: T) -> None:
        """Tell everyone; from any thread."""
        with self._lock:
            self._height = height
            due = [future for future, wanted in self._waiting.items() if wanted <= height]
            for future in due:
                del self._waiting[future]
            listeners = list(self._listeners.items())
        for number, (loop, listener) in listeners:
            if loop.is_closed():
                with self._lock:
                    self._listeners.pop(number, None)
            else:
                loop.call_soon_threadsafe(listener, committed)
        for future in due:
            if not future.get_loop().is_closed():
                future.get_loop().call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

"""An asynchronous iterator's items, as many as are there, read without waiting.

``async for`` tells nobody whether the next item is there already, so who wants to do with
several at a time what is cheaper together needs a second task to read them, and each item waits
for two turns of the event loop.  (Fabric: a goroutine's ``select`` with a default)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from .resumption import resume

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Reads ``items`` for one task; ``close`` it in the end.

    over: whether the last item has been read.
    """

    def __init__(self, items: AsyncIterator[T]) -> None:
        self._items = items
        self._step: Generator[Any, Any, T] | None = None
        self._awaited: object = None
        self.over = False

    def read(self, into: deque[T], most: int) -> None:
        """Append what is there, up to so many in all."""
        while self._step is None and not self.over and len(into) < most:
            step = self._items.__anext__().__await__()
            try:
                self._awaited = step.send(None)
            except StopIteration as done:
                into.append(done.value)
            except StopAsyncIteration:
                self.over = True
            else:
                self._step = step

    async def wait(self, into: deque[T]) -> None:
        """Append the next one, once ``read`` has found no more, or return at the end."""
        step, self._step = self._step, None
        if step is not None:
            try:
                into.append(await resume(step, self._awaited))
            except StopAsyncIteration:
                self.over = True

    async def close(self) -> None:
        """Read no more, as if whoever waits for the next item had been cancelled."""
        step, self._step = self._step, None
        self.over = True
        if step is not None:
            with suppress(asyncio.CancelledError, StopIteration, StopAsyncIteration):
                await resume(step, step.throw(asyncio.CancelledError()))

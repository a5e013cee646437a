"""The messages that have arrived on one stream and that nobody has taken yet."""

from __future__ import annotations

import asyncio
from collections import deque

from ..status import RpcError

_OVERHEAD = 64
"""Bytes that a message takes besides its own, so that even empty ones fill an inbox."""


class Inbox:
    """A queue for one reader, which ends well or with an error; held: bytes in it."""

    __slots__ = ("_arrived", "_ended", "_error", "_waiter", "held")

    def __init__(self) -> None:
        self._arrived: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: RpcError | None = None
        self.held = 0

    def put(self, message: bytes) -> None:
        """Add a message."""
        self._arrived.append(message)
        self.held += len(message) + _OVERHEAD
        self._wake()

    def end(self, error: RpcError | None = None) -> None:
        """Say that nothing follows, or what the reader learns after what is there."""
        if not self._ended:
            self._ended, self._error = True, error
            self._wake()

    async def get(self) -> bytes | None:
        """Return the next message, None after the last; RpcError if the stream failed."""
        while not self._arrived:
            if self._ended:
                error, self._error = self._error, None
                try:
                    if error is not None:
                        raise error
                finally:
                    del error  # which holds this frame: no cycle, or what it holds stays
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        message = self._arrived.popleft()
        self.held -= len(message) + _OVERHEAD
        return message

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

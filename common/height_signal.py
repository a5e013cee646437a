"""Waiting until a chain has reached a height (Fabric: the condition in blkstorage)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class HeightSignal:
    """The height of a chain, for many tasks of one event loop to wait on.

    Those who wait are taken to follow the chain: they come back for the next block when they
    have done with the one that woke them.
    """

    def __init__(self, height: int) -> None:
        self.height = height
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._busy = 0
        self._when_followed: Callable[[], None] | None = None

    def advance(self, height: int) -> None:
        """Set the height and wake whoever waited for it; call it on the loop."""
        self.height = height
        due = [future for future, wanted in self._waiting.items() if wanted <= height]
        self._busy = len(due)
        for future in due:
            del self._waiting[future]
            if not future.done():
                future.set_result(None)

    async def wait_for(self, height: int) -> None:
        """Return once the chain is ``height`` blocks high, at once if it already is."""
        if self.height >= height:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = height
        self._busy -= 1
        self._tell()
        try:
            await future
        finally:
            self._waiting.pop(future, None)

    def when_followed(self, action: Callable[[], None]) -> None:
        """Call ``action`` once as many wait as the last height has woken; only the last one told.

        If one of them never comes back, it is called at some later height or not at all.
        """
        self._when_followed = action
        self._tell()

    def _tell(self) -> None:
        action = self._when_followed
        if action is not None and self._busy <= 0:
            self._when_followed = None
            action()

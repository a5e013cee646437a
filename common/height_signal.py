"""Waiting until a chain has reached a height (Fabric: the condition in blkstorage)."""

from __future__ import annotations

import asyncio


class HeightSignal:
    """The height of a chain, for many tasks of one event loop to wait on."""

    def __init__(self, height: int) -> None:
        self.height = height
        self._waiting: dict[asyncio.Future[None], int] = {}

    def advance(self, height: int) -> None:
        """Set the height and wake whoever waited for it; call it on the loop."""
        self.height = height
        for future, wanted in list(self._waiting.items()):
            if wanted <= height and not future.done():
                future.set_result(None)

    async def wait_for(self, height: int) -> None:
        """Return once the chain is ``height`` blocks high, at once if it already is."""
        if self.height >= height:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[future] = height
        try:
            await future
        finally:
            del self._waiting[future]

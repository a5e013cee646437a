"""Who waits for a block that has been proposed to be written on this node."""

from __future__ import annotations

import asyncio


class AwaitedBlocks:
    """Waiting by block number, on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}

    async def wait_for(self, number: int) -> None:
        """Return when the block is there; raises what ``give_up`` is given."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(number, []).append(written)
        await written

    def written(self, number: int) -> None:
        """The block is there."""
        for waiting in self._waiting.pop(number, ()):
            if not waiting.done():
                waiting.set_result(None)

    def give_up(self, error: Exception) -> None:
        """No further block will come."""
        for waiting in (each for those in self._waiting.values() for each in those):
            if not waiting.done():
                waiting.set_exception(error)
        self._waiting.clear()

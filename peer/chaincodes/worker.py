"""Running a blocking function beside the event loop, in a thread of its own.

Chaincodes that call each other may wait for one another in several threads at once; a pool
of limited size could then wait for itself, so there is none.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

R = TypeVar("R")


async def in_thread(function: Callable[[], R]) -> R:
    """Return what ``function`` returns or raises in a new thread."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def settle(result: R | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # a result when no error

    def run() -> None:
        result: R | None = None
        failed: BaseException | None = None
        try:
            result = function()
        except BaseException as error:  # handed to whoever awaits
            failed = error
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:
            if not loop.is_closed():
                raise

    threading.Thread(target=run, name="chaincode", daemon=True).start()
    return await done

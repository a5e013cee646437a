"""A time limit that costs nothing where nobody waits.

Between the nodes of one process most calls end without waiting for anything, and a timer for
each would cost more than the call.  (Fabric: context.WithTimeout)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..resumption import resume

R = TypeVar("R")


async def within(deadline: float | None, work: Coroutine[Any, Any, R]) -> R:
    """Return what ``work`` returns; TimeoutError if it still waits for something at the deadline.

    deadline: in the running loop's time, None for no end.  The timer starts when ``work`` waits
    for the first time.
    """
    if deadline is None:
        return await work
    try:
        awaited = work.send(None)
    except StopIteration as done:
        result: R = done.value
        return result
    async with asyncio.timeout_at(deadline):
        return await resume(work, awaited)

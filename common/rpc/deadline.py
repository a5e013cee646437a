"""A time limit that costs nothing where nobody waits.

Between the nodes of one process most calls end without waiting for anything, and a timer for
each would cost more than the call.  (Fabric: context.WithTimeout)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

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
        return await _go_on(work, awaited)


@coroutine
def _go_on(work: Coroutine[Any, Any, R], awaited: object) -> Generator[object, Any, R]:
    """Run ``work`` to its end, which has just begun to wait for ``awaited``."""
    while True:
        resume: Callable[[Any], object] = work.send
        try:
            answer = yield awaited
        except BaseException as error:  # it is for the work to hear of, as when it is cancelled
            resume, answer = work.throw, error
        try:
            awaited = resume(answer)
        except StopIteration as done:
            result: R = done.value
            return result

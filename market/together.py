"""Work done side by side: the first failure stops the rest and is raised as itself.

(Fabric counterpart: none.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TypeVar

T = TypeVar("T")


async def together(work: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """The results in the order of the work."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def in_turn(
    work: Iterable[Coroutine[object, object, T]],
    *,
    at_once: int,
    done: Callable[[int], None] = lambda count: None,
) -> list[T]:
    """The same with only so many at once; done: told how many are finished."""
    listed = list(work)
    free, finished = asyncio.Semaphore(at_once), 0

    async def one(each: Coroutine[object, object, T]) -> T:
        nonlocal finished
        async with free:
            result = await each
        finished += 1
        done(finished)
        return result

    try:
        return await together([one(each) for each in listed])
    finally:
        for each in listed:
            each.close()  # what a failure kept from beginning

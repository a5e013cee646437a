"""Going on with a coroutine that was begun by hand, to see whether it waits for anything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

R = TypeVar("R")


@coroutine
def resume(
    work: Coroutine[Any, Any, R] | Generator[Any, Any, R], awaited: object
) -> Generator[object, Any, R]:
    """Return what ``work`` returns in the end, which has just begun to wait for ``awaited``.

    work: a coroutine, or what an awaitable's ``__await__`` gave; in the task that began it.
    """
    while True:
        go_on: Callable[[Any], object] = work.send
        try:
            answer = yield awaited
        except BaseException as error:  # it is for the work to hear of, as when it is cancelled
            go_on, answer = work.throw, error
        try:
            awaited = go_on(answer)
        except StopIteration as done:
            result: R = done.value
            return result

"""An event loop whose time passes only as far as somebody waits for it.

Whatever sleeps, times out or ticks does so at once, in the order of its time, so that hours of a
network's life take seconds and a seed decides everything.  What would be done by another thread,
such as a write to the disk, is done by this one and takes a moment of that time: how soon a thread
gets its turn on this machine must not decide anything.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple, Unpack

MOMENT = 0.001
"""Seconds that work of another thread takes."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Selector(selectors.DefaultSelector):
    """Never waits: what it was to wait is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            return super().select(0.05)  # only something outside can bring work
        self.now += timeout
        return found


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        work: asyncio.Future[T] = self.create_future()
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        self.call_later(MOMENT, _tell, work, done)
        return work


def _tell(waiting: asyncio.Future[T], done: concurrent.futures.Future[T]) -> None:
    if waiting.cancelled():
        return
    error = done.exception()
    if error is None:
        waiting.set_result(done.result())
    else:
        waiting.set_exception(error)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test that is a coroutine run in virtual time."""

    @wraps(test)
    def run(*arguments: object, **named: object) -> None:
        run_virtually(test(*arguments, **named))

    return run


def now() -> float:
    """The virtual time in seconds."""
    return asyncio.get_running_loop().time()

"""An event loop whose time passes only as far as somebody waits for it.

Whatever sleeps, times out or ticks does so at once, in the order of its time, so that hours of a
network's life take seconds and a seed decides everything.  While a thread works for the loop, such
as one that writes to a disk, time stands still: how fast it gets its turn must not decide anything.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import wraps
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Selector(selectors.DefaultSelector):
    """Never waits unless for threads: what it was to wait is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.working: set[asyncio.Future[Any]] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None or self.working:
            return super().select(0.05)  # only another thread can bring work
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
        work = super().run_in_executor(executor, func, *args)
        self._virtual.working.add(work)
        work.add_done_callback(self._virtual.working.discard)
        return work


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

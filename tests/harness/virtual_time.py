"""An event loop whose time passes only as far as somebody waits for it.

Whatever sleeps, times out or ticks does so at once, in the order of its time, so that hours of a
network's life take seconds and a seed decides everything.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Never waits: what it was to wait is added to the time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.external = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found:
            return found
        if timeout is None:
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

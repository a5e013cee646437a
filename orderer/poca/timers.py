"""Timers of a chain by name, each running at most once.

(Fabric counterpart: none.)
"""

from __future__ import annotations

from collections.abc import Callable

from ..chain import Timer, TimerHandle


class Timers:
    """timer: makes one."""

    def __init__(self, timer: Timer) -> None:
        self._timer = timer
        self._running: dict[str, TimerHandle] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        """Call action after so many seconds; it may start the timer again."""

        def fire() -> None:
            self._running.pop(name, None)
            action()

        self._running[name] = self._timer(seconds, fire)

    def stop(self, *names: str) -> None:
        """Stop these, or all."""
        for name in names or tuple(self._running):
            if (handle := self._running.pop(name, None)) is not None:
                handle.cancel()

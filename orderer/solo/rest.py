"""The rest of an idle chain between two blocks: group commit, paced by those who follow.

Pure: a timer and a clock come in.  (Fabric has none: it waits for BatchTimeout)
"""

from __future__ import annotations

from collections.abc import Callable

from ..chain import LONGEST_REST, REST_PER_MESSAGE, Timer, TimerHandle

REST_PER_WORK = 2.0
"""How many times as long as the last block kept its followers busy the next one waits, counted
from when that one was ended: under load at least half of the time is left for other work."""

LONGEST_WAIT = 0.1
"""Seconds after which nobody is waited for."""


class Rest:
    """Whether the next block may be ended.

    over: is called when it may again.
    """

    def __init__(
        self, timer: Timer, seconds: Callable[[], float], over: Callable[[], None]
    ) -> None:
        self._timer = timer
        self._seconds = seconds
        self._over = over
        self._running: TimerHandle | None = None
        self._began = self._least = 0.0

    @property
    def active(self) -> bool:
        """Whether the next block has to wait."""
        return self._running is not None

    def begin(self, messages: int) -> None:
        """A block of so many messages was ended."""
        self._began = self._seconds()
        self._least = min(LONGEST_REST, REST_PER_MESSAGE * messages)
        self._run(LONGEST_WAIT)

    def taken_up(self) -> None:
        """Everybody who follows the chain has done with the block."""
        if self._running is None:
            return
        took = self._seconds() - self._began
        self._run(min(LONGEST_WAIT, max(self._least, REST_PER_WORK * took)) - took)

    def stop(self) -> None:
        """Forget it, without a call."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()

    def _run(self, seconds: float) -> None:
        self.stop()
        if seconds > 0:
            self._running = self._timer(seconds, self._end)
        else:
            self._over()

    def _end(self) -> None:
        self._running = None
        self._over()

"""The rest of an idle chain between two blocks: group commit, paced by those who follow.

Pure: a timer and a clock come in.  (Fabric has none: it waits for BatchTimeout)
"""

from __future__ import annotations

from collections.abc import Callable

from ..chain import LONGEST_REST, REST_PER_MESSAGE, Timer, TimerHandle

LONGEST_WAIT = 0.5
"""Seconds after which nobody is waited for.

Well above what a loaded process takes for a block: where followers are slow because they are many,
as with many channels, blocks that come sooner than they can be followed only hold less each.
"""

ENOUGH = 64
"""Messages among which the fixed cost of a block is next to nothing for each: once the followers
that can be seen are done, so many wait no longer."""

ELSEWHERE = 0.0015
"""Seconds: who follows a block and is back sooner has only passed it on to another process."""


def gap(took: float, messages: int, *, seen: bool) -> float:
    """Seconds from the end of one block to that of the next.

    took: how long a block of so many messages took until its followers were back; seen: whether
    what they did with it was done in this process, so that it is in that time.
    """
    unseen = 0.0 if seen else min(LONGEST_REST, REST_PER_MESSAGE * messages)
    return min(LONGEST_WAIT, max(took, unseen))


class Rest:
    """Whether the next block may be ended.

    over: is called when it may again, and when it may with ENOUGH messages.
    """

    def __init__(
        self, timer: Timer, seconds: Callable[[], float], over: Callable[[], None]
    ) -> None:
        self._timer = timer
        self._seconds = seconds
        self._over = over
        self._running: TimerHandle | None = None
        self._began = self._written = 0.0
        self._messages = 0
        self._followed = False

    def holds(self, waiting: int) -> bool:
        """Whether the next block, for which so many messages wait, has to wait as well."""
        return self._running is not None and not (self._followed and waiting >= ENOUGH)

    def begin(self, messages: int) -> None:
        """A block of so many messages was ended."""
        self._began = self._written = self._seconds()
        self._messages = messages
        self._followed = False
        self._run(LONGEST_WAIT)

    def written(self) -> None:
        """Those who follow the chain have the block now."""
        self._written = self._seconds()

    def taken_up(self) -> None:
        """Everybody who follows the chain has done with the block."""
        if self._running is None:
            return
        now = self._seconds()
        took, seen = now - self._began, now - self._written > ELSEWHERE
        self._followed = True
        self._run(gap(took, self._messages, seen=seen) - took)
        if self._running is not None:
            self._over()

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

"""Whether this process has more to do than it can, so that another one should help.  Pure.

Help costs: two more ways to another process, some milliseconds for whoever waits.  So it is
asked for only while the event loop comes late to everything.
"""

from __future__ import annotations

SPAN = 1.0
"""Seconds over which is looked: what is over sooner than a process can be started needs none."""
LATE = 0.003
"""Seconds by which timers are late, on average, on a loop that has more to do than it can."""
IN_TIME = 0.001
"""The same of one that has not; help is over once it is so in STEADY spans one after the other."""
STEADY = 3
PAUSE = 2.0
"""Seconds without anything after which what was before says nothing."""


class Demand:
    """``note`` what comes, and how ``late`` timers are.

    last: when help was needed last; has_time: whether the last timer came in time.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._timers = 0
        self._lateness = 0.0
        self._in_time = 0
        self._needed = False
        self.last = float("-inf")
        self.has_time = True

    def late(self, seconds: float) -> None:
        """A timer came so late."""
        self._timers += 1
        self._lateness += seconds
        self.has_time = seconds < IN_TIME

    def note(self, now: float) -> bool:
        """Something has come, now in seconds that only grow; return whether help is needed."""
        if now - self._began >= SPAN and self._timers:
            self._look(now)
        if self._needed:
            self.last = now
        return self._needed

    def _look(self, now: float) -> None:
        lateness, seconds = self._lateness / self._timers, now - self._began
        self._in_time = self._in_time + 1 if lateness < IN_TIME else 0
        if seconds > PAUSE or self._in_time >= STEADY:
            self._needed = False
        elif lateness >= LATE:
            self._needed = True
        self._began, self._timers, self._lateness = now, 0, 0.0

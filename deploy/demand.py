"""Whether so much comes in that somebody should be called to help.  Pure."""

from __future__ import annotations

MANY = 100
"""What has to come within one span: about an eighth of what one core can endorse."""
SPAN = 0.5
"""Seconds."""


class Demand:
    """Counts what comes; ``note`` each with the time, seconds that only grow."""

    def __init__(self) -> None:
        self._began = 0.0
        self._came = 0
        self.last = 0.0

    def note(self, now: float) -> bool:
        """Count one; return whether many have come within the span under way."""
        if now - self._began >= SPAN:
            self._began, self._came = now, 0
        self._came += 1
        self.last = now
        return self._came >= MANY

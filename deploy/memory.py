"""Python's garbage collector, set for a process that starts quickly or runs nodes."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 50)
_WHILE_IMPORTING = 500_000


def collect_rarely() -> None:
    """Let a program import what it needs without a search for cycles every 700 objects."""
    gc.set_threshold(_WHILE_IMPORTING)


def settle_memory() -> None:
    """Let the collector pass over what lives as long as the process; call it once nodes run.

    A node makes messages by the thousand and hardly ever a cycle; with Python's own
    thresholds, collections took most of the time of a simulation (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

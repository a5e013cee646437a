"""Python's garbage collector and the C library's allocator, set for a process that runs nodes."""

from __future__ import annotations

import gc
import logging

log = logging.getLogger(__name__)

THRESHOLDS = (50_000, 20, 50)
_WHILE_IMPORTING = 500_000

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's ``mallopt``."""
KEPT_BYTES = 64 * 1024 * 1024
"""Free memory at the end of a heap that is kept for the next blocks instead of given back."""
LARGEST_IN_HEAP = 32 * 1024 * 1024


def collect_rarely() -> None:
    """Let a program import what it needs without a search for cycles every 700 objects."""
    gc.set_threshold(_WHILE_IMPORTING)


def settle_memory() -> None:
    """Let the collector pass over what lives as long as the process; call it once nodes run.

    A node makes messages by the thousand and hardly ever a cycle; with Python's own
    thresholds, collections took most of the time of a simulation.  And it makes blocks of
    megabytes over and over: while each was a mapping of its own, most of the time of writing one
    went into pages that the system had to clear (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    _keep_freed_pages()


def _keep_freed_pages() -> None:
    import ctypes  # noqa: PLC0415  # only for whoever runs nodes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        log.debug("no mallopt here: not glibc")
        return
    mallopt(_MMAP_THRESHOLD, LARGEST_IN_HEAP)
    mallopt(_TRIM_THRESHOLD, KEPT_BYTES)

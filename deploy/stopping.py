"""Being told to stop: by a signal, or by the end of the process that asked for this one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_event() -> asyncio.Event:
    """Return an event that SIGINT or SIGTERM sets; a second signal does what it always does."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for number in SIGNALS:
            loop.remove_signal_handler(number)

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    return stopped


def obey_supervisor(stopped: asyncio.Event) -> asyncio.Event:
    """Return an event that the first line on standard input sets: from then on start.

    The end of standard input, which a supervisor holds open while it lives, sets both.
    """
    released = asyncio.Event()
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def read() -> None:
        released.set()
        if not os.read(descriptor, 1024):
            loop.remove_reader(descriptor)
            stopped.set()

    loop.add_reader(descriptor, read)
    return released


async def unless(stopped: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    """Wait for ``work`` to end, or for the event, upon which it is cancelled."""
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        working.cancel()
        await asyncio.wait({working})
    if not working.cancelled():
        working.result()

"""The life of a node that has a process of its own, from its start until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .stopping import obey_supervisor, stop_event


class Startable(Protocol):
    """Something that serves between start and stop."""

    async def start(self) -> None:
        """Return once it serves."""

    async def stop(self) -> None:
        """End it, started or not."""


async def run_until_stopped(
    prepare: Callable[[], Startable], ready: Callable[[], None], *, supervised: bool
) -> None:
    """Run a node until SIGINT or SIGTERM; ``ready`` is called once it serves.

    prepare: makes it, once signals are heard; supervised: start at the first line on standard
    input, and stop, too, when that ends.
    """
    stopped = stop_event()
    released = obey_supervisor(stopped) if supervised else None
    node = prepare()
    try:
        if released is not None:
            await released.wait()
        if not stopped.is_set():
            await node.start()
            ready()
            await stopped.wait()
    finally:
        await node.stop()

"""Taking over new certificates while the network runs, when told so from outside the process.

Fabric's nodes are restarted for that; so are these, one after the other and only where something
has changed, by a signal that ``gridloom ca renew`` sends.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

from gridloom.common.errors import GridloomError

RENEW_SIGNAL = signal.SIGUSR2
"""What ``gridloom ca renew`` sends to the process of a network."""

log = logging.getLogger(__name__)


def renew_on_signal(renew: Callable[[], Awaitable[None]]) -> None:
    """Call ``renew`` at each signal, one call after the other; its failure is logged."""
    turns = asyncio.Lock()
    renewing: set[asyncio.Task[None]] = set()

    async def take_turns() -> None:
        async with turns:
            try:
                await renew()
            except (GridloomError, OSError):
                log.exception("the new certificates are not in use")

    def begin() -> None:
        task = asyncio.ensure_future(take_turns())
        renewing.add(task)
        task.add_done_callback(renewing.discard)

    asyncio.get_running_loop().add_signal_handler(RENEW_SIGNAL, begin)

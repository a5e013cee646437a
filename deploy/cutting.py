"""Ending blocks on demand from outside the process (``cutting: manual``).

There is no call for it on Fabric's wire, so it is a signal: whoever may end the process may
also end a block.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gridloom.orderer.node import Orderer

CUT_SIGNAL = signal.SIGUSR1
"""What ``gridloom cut`` sends to the process of an orderer."""


def cut_on_signal(orderers: Iterable[Orderer]) -> None:
    """End the block under way on every channel of those that are orderers at each signal."""
    cutting: set[asyncio.Task[int | None]] = set()

    def cut() -> None:
        for orderer in tuple(orderers):
            for channel in orderer.channels():
                task = asyncio.ensure_future(orderer.cut(channel.name))
                cutting.add(task)
                task.add_done_callback(cutting.discard)

    asyncio.get_running_loop().add_signal_handler(CUT_SIGNAL, cut)

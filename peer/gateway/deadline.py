"""The time a client is willing to wait, and what it is told when that is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gridloom.common.rpc import Call, Code, RpcError


def deadline_of(call: Call) -> float | None:
    """Return when the client of ``call`` stops waiting, in the running loop's time."""
    return None if call.deadline is None else asyncio.get_running_loop().time() + call.deadline


@asynccontextmanager
async def until(deadline: float | None, message: str) -> AsyncIterator[None]:
    """End what is inside at the deadline: RpcError DEADLINE_EXCEEDED with ``message``."""
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError as error:
        raise RpcError(Code.DEADLINE_EXCEEDED, message) from error

"""The time a client is willing to wait, and what it is told when that is over."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from gridloom.common.rpc import Call, Code, RpcError
from gridloom.common.rpc.deadline import within

R = TypeVar("R")


def deadline_of(call: Call) -> float | None:
    """Return when the client of ``call`` stops waiting, in the running loop's time."""
    return None if call.deadline is None else asyncio.get_running_loop().time() + call.deadline


async def until(deadline: float | None, message: str, work: Coroutine[Any, Any, R]) -> R:
    """Return what ``work`` returns; RpcError DEADLINE_EXCEEDED with ``message`` if it is late."""
    try:
        return await within(deadline, work)
    except TimeoutError as error:
        raise RpcError(Code.DEADLINE_EXCEEDED, message) from error

"""A channel to whichever of several equal servers is there (Fabric: grpc's pick_first).

A call that finds its server gone, before it has answered anything, is made again at the next one;
later calls begin where the last one succeeded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from google.protobuf.message import Message

from .channel import Channel
from .status import Code, RpcError

M = TypeVar("M", bound=Message)


class FailoverChannel:
    """See Channel for the contract; channels: at least one."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = tuple(channels)
        self._best = 0

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        async def call(channel: Channel) -> M:
            return await channel.unary(method, request, response_type, timeout=timeout)

        return await self._first(call)

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        def open_at(channel: Channel) -> AsyncGenerator[M, None]:
            return channel.server_stream(method, request, response_type, timeout=timeout)

        async with aclosing(self._streamed(open_at)) as responses:
            async for response in responses:
                yield response

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        sent = _Sent(requests)

        def open_at(channel: Channel) -> AsyncGenerator[M, None]:
            return channel.stream(method, sent.again(), response_type, timeout=timeout)

        async with aclosing(self._streamed(open_at)) as responses:
            async for response in responses:
                sent.forget()
                yield response

    async def close(self) -> None:
        await asyncio.gather(*(channel.close() for channel in self._channels))

    async def _first(self, call: Callable[[Channel], Awaitable[M]]) -> M:
        for attempt in range(len(self._channels)):
            try:
                return await call(self._channels[self._best])
            except RpcError as error:
                if error.code is not Code.UNAVAILABLE or attempt == len(self._channels) - 1:
                    raise
                self._turn()
        raise AssertionError("there is at least one channel")

    async def _streamed(
        self, open_at: Callable[[Channel], AsyncGenerator[M, None]]
    ) -> AsyncGenerator[M, None]:
        for attempt in range(len(self._channels)):
            answered = False
            try:
                async with aclosing(open_at(self._channels[self._best])) as responses:
                    async for response in responses:
                        answered = True
                        yield response
                return
            except RpcError as error:
                last = attempt == len(self._channels) - 1
                if answered or last or error.code is not Code.UNAVAILABLE:
                    raise
                self._turn()

    def _turn(self) -> None:
        self._best = (self._best + 1) % len(self._channels)


class _Sent:
    """Requests that are taken from their source once, but may have to be sent again."""

    def __init__(self, source: AsyncIterator[Message]) -> None:
        self._source = source
        self._kept: list[Message] | None = []

    def forget(self) -> None:
        """Somebody has answered: nothing will be sent again."""
        self._kept = None

    async def again(self) -> AsyncIterator[Message]:
        for request in self._kept or ():
            yield request
        async for request in self._source:
            if self._kept is not None:
                self._kept.append(request)
            yield request

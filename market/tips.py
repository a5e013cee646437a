"""Waits until every organisation's peer has committed a block.

A transaction that builds on another is endorsed by peers of several organisations; one
that has not committed the other yet would not see it and answer differently.  The commit
status comes from one peer only, so the others are followed by their block events.
(Fabric counterpart: the Gateway SDK's block events; in practice clients retry instead.)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Protocol, Self, cast

from google.protobuf.message import Message

from gridloom.protos.peer.events_pb2 import FilteredBlock

from .errors import EventsEnded


class BlockSource(Protocol):
    """Delivers blocks as one peer commits them (client.Network)."""

    def filtered_block_events(self, *, start_block: int | None = None) -> AsyncIterable[Message]:
        """FilteredBlock messages from start_block on, for ever."""


class Tips:
    """The chain's tip on several peers; an async context, as long as it is followed."""

    def __init__(self, sources: Iterable[BlockSource]) -> None:
        self._sources = list(sources)
        self._tips: list[_Tip] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for tip in self._tips:
            tip.task.cancel()
        await asyncio.gather(*(tip.task for tip in self._tips), return_exceptions=True)

    async def reached(self, block: int) -> None:
        """Return once every peer has committed the block; raise what ended the events."""
        if not self._tips:  # the first block asked for is where the events begin
            self._tips = [_Tip(source, block) for source in self._sources]
        await asyncio.gather(*(tip.reached(block) for tip in self._tips))


class _Tip:
    """One peer's last block."""

    def __init__(self, source: BlockSource, first: int) -> None:
        self._last = -1
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.task = asyncio.create_task(self._follow(source, first))
        self.task.add_done_callback(self._ended)

    async def reached(self, block: int) -> None:
        if self._last >= block:
            return
        if self.task.done():
            self.task.result()
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((block, future))
        await future

    async def _follow(self, source: BlockSource, first: int) -> None:
        async for message in source.filtered_block_events(start_block=first):
            self._last = cast(FilteredBlock, message).number
            ready = [future for block, future in self._waiting if block <= self._last]
            self._waiting = [entry for entry in self._waiting if entry[0] > self._last]
            for future in ready:
                if not future.done():
                    future.set_result(None)
        raise EventsEnded(self._last)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for a peer that is no longer heard."""
        error = None if task.cancelled() else task.exception()
        for _, future in self._waiting:
            if not future.done():
                if error is None:
                    future.cancel()
                else:
                    future.set_exception(error)

"""market/tips: waiting for the slowest peer."""

import asyncio

import pytest

from gridloom.market.errors import EventsEnded
from gridloom.market.tips import Tips
from gridloom.protos.peer.events_pb2 import FilteredBlock


class Peer:
    """Delivers the blocks put into it; an exception ends the delivery."""

    def __init__(self) -> None:
        self.blocks: asyncio.Queue[int | Exception] = asyncio.Queue()
        self.asked: list[int | None] = []
        self.closed = False

    async def filtered_block_events(self, *, start_block=None):
        self.asked.append(start_block)
        try:
            while True:
                block = await self.blocks.get()
                if isinstance(block, StopAsyncIteration):
                    return
                if isinstance(block, Exception):
                    raise block
                yield FilteredBlock(number=block)
        finally:
            self.closed = True


async def test_a_block_is_reached_when_the_slowest_peer_has_it():
    fast, slow = Peer(), Peer()
    async with Tips([fast, slow]) as tips:
        waiting = asyncio.create_task(tips.reached(5))
        for block in (5, 6, 7):
            fast.blocks.put_nowait(block)
        await asyncio.sleep(0.01)
        assert not waiting.done()
        slow.blocks.put_nowait(5)
        await waiting
        slow.blocks.put_nowait(7)
        await tips.reached(6)
        await tips.reached(5)
    assert fast.asked == slow.asked == [5]
    assert fast.closed
    assert slow.closed


async def test_a_peer_that_is_no_longer_heard_fails_whoever_waits_now_or_later():
    peer = Peer()
    async with Tips([peer]) as tips:
        waiting = asyncio.create_task(tips.reached(1))
        await asyncio.sleep(0)
        peer.blocks.put_nowait(ConnectionError("gone"))
        with pytest.raises(ConnectionError, match="gone"):
            await waiting
        with pytest.raises(ConnectionError, match="gone"):
            await tips.reached(2)


async def test_a_peer_that_ends_its_events_is_named_by_its_last_block():
    peer = Peer()
    async with Tips([peer]) as tips:
        peer.blocks.put_nowait(4)
        peer.blocks.put_nowait(StopAsyncIteration())
        with pytest.raises(EventsEnded, match="after block 4"):
            await tips.reached(5)


async def test_without_a_wait_nobody_is_asked_for_blocks():
    peer = Peer()
    async with Tips([peer]):
        pass
    assert peer.asked == []

"""A stream of events: waiting, giving up, closing."""

import asyncio

import pytest

from gridloom.client.errors import GatewayError
from gridloom.client.event_stream import EventStream
from gridloom.common.rpc import Code


class Source:
    """Yields what is put into it, and says how it ended."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.ended = False

    async def events(self):
        try:
            while (item := await self.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.ended = True


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def stream(source):
    return EventStream(source.events())


async def test_events_come_in_order_until_the_source_ends(source, stream):
    for item in ("a", "b", None):
        source.queue.put_nowait(item)
    assert [event async for event in stream] == ["a", "b"]
    assert source.ended


async def test_an_error_of_the_source_reaches_who_waits(source, stream):
    source.queue.put_nowait(GatewayError(Code.PERMISSION_DENIED, "no"))
    with pytest.raises(GatewayError):
        await anext(stream)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_entering_it_begins_to_listen_and_leaving_ends_it(source, stream):
    async with stream:
        await asyncio.sleep(0)
        assert source.queue._getters
        source.queue.put_nowait("a")
        assert await anext(stream) == "a"
    assert source.ended
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_giving_up_inside_keeps_it_and_loses_nothing(source, stream):
    async with stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        source.queue.put_nowait("a")
        source.queue.put_nowait("b")
        assert [await anext(stream), await anext(stream)] == ["a", "b"]


async def test_giving_up_outside_ends_it(source, stream):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 0.01)
    assert source.ended


async def test_an_event_that_came_while_nobody_waited_is_not_lost(source, stream):
    async with stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        source.queue.put_nowait("a")
        await asyncio.sleep(0.01)
        assert await anext(stream) == "a"


async def test_closing_may_come_at_any_time_and_again(source, stream):
    async def consume():
        return [event async for event in stream]

    waiting = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    await stream.aclose()
    await stream.aclose()
    assert await waiting == []
    assert source.ended


async def test_an_error_that_nobody_asked_for_is_not_reported_at_the_end(source, stream, caplog):
    async with stream:
        source.queue.put_nowait(GatewayError(Code.UNAVAILABLE, "gone"))
        await asyncio.sleep(0.01)
    del stream
    assert not caplog.records

"""Reading an asynchronous iterator as far as it goes without waiting."""

import asyncio
from collections import deque

import pytest

from gridloom.common.read_ahead import ReadAhead


class Source:
    """Items put in by hand; closed: whether it has been let go, which it may do slowly."""

    def __init__(self, *items: int) -> None:
        self.queue: asyncio.Queue[int | None] = asyncio.Queue()
        self.closed = self.slow = False
        self.put(*items)

    def put(self, *items: int | None) -> None:
        for item in items:
            self.queue.put_nowait(item)

    async def __aiter__(self):
        try:
            while (item := await self.queue.get()) is not None:
                yield item
        finally:
            if self.slow:
                await asyncio.sleep(0.001)
            self.closed = True


async def test_what_is_there_is_read_and_no_more_than_wanted():
    source, found = Source(1, 2, 3), deque()
    reading = ReadAhead(aiter(source))
    reading.read(found, 2)
    assert list(found) == [1, 2]
    reading.read(found, 2)
    assert list(found) == [1, 2]
    reading.read(found, 9)
    assert list(found) == [1, 2, 3]
    assert not reading.over
    await reading.close()


async def test_the_next_one_is_waited_for_even_if_it_came_meanwhile():
    source, found = Source(), deque()
    reading = ReadAhead(aiter(source))
    reading.read(found, 9)
    source.put(1)
    await asyncio.sleep(0)
    source.put(2)
    reading.read(found, 9)  # the first one is still on its way
    assert not found
    await reading.wait(found)
    assert list(found) == [1]
    reading.read(found, 9)
    assert list(found) == [1, 2]
    await reading.close()


@pytest.mark.parametrize("waits", [False, True])
async def test_the_end_is_known_once_it_is_reached(waits):
    source, found = Source(1), deque()
    reading = ReadAhead(aiter(source))
    if waits:
        reading.read(found, 9)
    source.put(None)
    reading.read(found, 9)
    await reading.wait(found)
    assert (list(found), reading.over, source.closed) == ([1], True, True)
    reading.read(found, 9)
    await reading.wait(found)
    assert list(found) == [1]


@pytest.mark.parametrize("waits", [False, True])
async def test_an_error_of_the_source_is_the_readers(waits):
    async def failing():
        if waits:
            await asyncio.sleep(0)
        raise ConnectionError("gone")
        yield

    reading, found = ReadAhead(failing()), deque()

    async def read():
        reading.read(found, 1)
        await reading.wait(found)

    with pytest.raises(ConnectionError, match="gone"):
        await read()
    await reading.close()


async def test_who_waits_can_be_cancelled():
    source = Source()
    reading = ReadAhead(aiter(source))
    reading.read(deque(), 1)
    waiting = asyncio.create_task(reading.wait(deque()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=60)
    assert waiting.cancelled()
    assert source.closed


@pytest.mark.parametrize("slowly", [False, True])
async def test_closing_lets_go_of_what_is_being_waited_for(slowly):
    source = Source()
    source.slow = slowly
    reading = ReadAhead(aiter(source))
    reading.read(deque(), 1)
    await reading.close()
    await reading.close()
    assert source.closed
    assert reading.over

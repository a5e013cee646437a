"""Waiting for blocks."""

import asyncio

import pytest

from gridloom.peer.ledger.heights import Heights


async def test_a_height_already_reached_is_not_waited_for():
    await asyncio.wait_for(Heights(3).wait_for(3), 60)


async def test_waiters_wake_when_their_height_is_reached():
    heights = Heights(0)
    waiters = [asyncio.create_task(heights.wait_for(height)) for height in (1, 3, 1)]
    await asyncio.sleep(0)
    heights.advance(1, "one")
    await asyncio.sleep(0.001)
    assert [waiter.done() for waiter in waiters] == [True, False, True]
    await asyncio.to_thread(heights.advance, 3, "three")
    await asyncio.wait_for(waiters[1], 60)
    assert heights.height == 3


async def test_a_cancelled_waiter_is_forgotten():
    heights = Heights(0)
    waiter = asyncio.create_task(heights.wait_for(1))
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert heights._waiting == {}
    heights.advance(1, "one")


async def test_listeners_are_told_in_order_until_they_leave():
    heights = Heights(0)
    told = []
    leave = heights.subscribe(told.append)
    for number in range(5):
        await asyncio.to_thread(heights.advance, number + 1, number)
    await asyncio.sleep(0)
    leave()
    leave()
    heights.advance(6, 5)
    await asyncio.sleep(0)
    assert told == [0, 1, 2, 3, 4]


def test_those_whose_loop_is_closed_are_passed_over():
    heights = Heights(0)
    told = []

    async def come():
        heights.subscribe(told.append)
        waiter = asyncio.ensure_future(heights.wait_for(1))
        await asyncio.sleep(0)
        waiter.cancel()

    asyncio.run(come())
    heights.advance(1, "one")
    assert told == []
    assert heights._listeners == {}

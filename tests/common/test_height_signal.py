"""Waiting for a height."""

import asyncio

from gridloom.common.height_signal import HeightSignal


async def test_each_waiter_wakes_when_its_height_is_reached() -> None:
    signal = HeightSignal(3)
    await asyncio.wait_for(signal.wait_for(3), 60)
    waiters = {height: asyncio.ensure_future(signal.wait_for(height)) for height in (4, 5, 5, 7)}
    await asyncio.sleep(0)
    signal.advance(5)
    await asyncio.sleep(0)
    assert {height: waiter.done() for height, waiter in waiters.items()} == {
        4: True,
        5: True,
        7: False,
    }
    waiters[7].cancel()
    await asyncio.gather(*waiters.values(), return_exceptions=True)
    assert signal._waiting == {}
    assert signal.height == 5

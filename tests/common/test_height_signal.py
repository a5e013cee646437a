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


async def test_a_height_is_followed_once_all_it_woke_wait_again() -> None:
    signal = HeightSignal(0)
    gates = [asyncio.Event(), asyncio.Event()]
    followers = [asyncio.ensure_future(follow(signal, gate)) for gate in gates]
    await asyncio.sleep(0)
    told: list[str] = []
    signal.advance(1)
    signal.when_followed(lambda: told.append("1"))
    gates[0].set()
    await settle()
    assert told == []
    gates[1].set()
    await settle()
    assert told == ["1"]
    for follower in followers:
        follower.cancel()
    await asyncio.gather(*followers, return_exceptions=True)
    signal.advance(2)
    signal.when_followed(lambda: told.append("nobody"))
    assert told == ["1", "nobody"]


async def test_of_those_who_want_to_know_only_the_last_is_told() -> None:
    signal = HeightSignal(0)
    gate = asyncio.Event()
    follower = asyncio.ensure_future(follow(signal, gate))
    await asyncio.sleep(0)
    told: list[str] = []
    signal.advance(1)
    signal.when_followed(lambda: told.append("first"))
    signal.when_followed(lambda: told.append("last"))
    gate.set()
    await settle()
    assert told == ["last"]
    follower.cancel()
    await asyncio.gather(follower, return_exceptions=True)


async def follow(signal: HeightSignal, gate: asyncio.Event) -> None:
    """Wait for each height, and work on it for as long as the gate is closed."""
    while True:
        await signal.wait_for(signal.height + 1)
        await gate.wait()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)

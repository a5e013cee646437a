"""Being told to stop."""

import asyncio
import os
import signal

import pytest

from gridloom.deploy.stopping import stop_event, unless


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_sets_the_event_and_the_next_one_acts_as_usual(number):
    before = signal.getsignal(number)
    stopped = stop_event()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(stopped.wait(), 60)
    assert signal.getsignal(number) in {before, signal.default_int_handler, signal.SIG_DFL}


async def test_work_is_cancelled_when_the_event_comes():
    stopped, ended = asyncio.Event(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    asyncio.get_running_loop().call_later(0.01, stopped.set)
    await unless(stopped, work())
    assert ended == [True]


async def test_work_that_ends_or_fails_first_is_not_waited_for_longer():
    stopped = asyncio.Event()
    await unless(stopped, asyncio.sleep(0))

    async def fail():
        raise OSError("address in use")

    with pytest.raises(OSError, match="address in use"):
        await unless(stopped, fail())
    assert not stopped.is_set()

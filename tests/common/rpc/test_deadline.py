"""A time limit for work that seldom waits."""

import asyncio

import pytest

from gridloom.common.rpc.deadline import within


def soon() -> float:
    return asyncio.get_running_loop().time() + 0.01


async def test_work_that_never_waits_needs_no_timer(monkeypatch):
    monkeypatch.delattr(asyncio, "timeout_at")

    async def work() -> str:
        return "done"

    assert await within(soon(), work()) == "done"


async def test_an_error_before_the_first_wait_is_the_callers():
    async def work() -> None:
        raise ValueError("at once")

    with pytest.raises(ValueError, match="at once"):
        await within(soon(), work())


async def test_what_is_awaited_comes_back_to_the_work():
    async def work() -> list[int]:
        first, second = asyncio.get_running_loop().create_future(), asyncio.sleep(0, 2)
        asyncio.get_running_loop().call_soon(first.set_result, 1)
        return [await first, await second]

    assert await within(asyncio.get_running_loop().time() + 60, work()) == [1, 2]


async def test_an_error_of_what_is_awaited_can_be_caught_by_the_work():
    async def work() -> str:
        for number in range(3):
            failing = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(failing.set_exception, KeyError(number))
            try:
                await failing
            except KeyError as error:
                last = error.args[0]
        return f"the last was {last}"

    assert await within(asyncio.get_running_loop().time() + 60, work()) == "the last was 2"


async def test_work_that_waits_beyond_the_deadline_is_cancelled():
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    with pytest.raises(TimeoutError):
        await within(soon(), work())
    assert ended == ["cleaned up"]


@pytest.mark.parametrize("limited", [True, False])
async def test_a_cancelled_caller_cancels_the_work(limited):
    ended, begun = [], asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    deadline = asyncio.get_running_loop().time() + 60 if limited else None
    task = asyncio.create_task(within(deadline, work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cancelled"]


async def test_without_a_deadline_it_waits():
    assert await within(None, asyncio.sleep(0, "slept")) == "slept"

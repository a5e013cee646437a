"""Registries: which methods a service has, and how many calls it answers at a time."""

import asyncio
from contextlib import aclosing

import pytest

from gridloom.common.rpc import Code, RpcError, ServiceRegistry
from gridloom.common.rpc.local import LocalChannel
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
)

EVALUATE = "/gateway.Gateway/Evaluate"
EVENTS = "/gateway.Gateway/ChaincodeEvents"


class Slow:
    """Answers when told to."""

    def __init__(self):
        self.released = asyncio.Event()

    async def evaluate(self, request, call):
        await self.released.wait()
        return EvaluateResponse()

    async def chaincode_events(self, request, call):
        yield ChaincodeEventsResponse(block_number=1)
        await self.released.wait()


@pytest.fixture
def slow():
    return Slow()


def channel_to(slow, concurrency):
    registry = ServiceRegistry()
    registry.add("gateway.Gateway", slow, concurrency=concurrency)
    return LocalChannel(registry)


def evaluate(channel):
    return channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)


def events(channel):
    return channel.server_stream(EVENTS, SignedChaincodeEventsRequest(), ChaincodeEventsResponse)


async def test_calls_and_streams_over_the_limit_are_refused_until_others_end(slow):
    channel = channel_to(slow, 2)
    waiting = asyncio.create_task(evaluate(channel))
    await asyncio.sleep(0)
    async with aclosing(events(channel)) as stream:
        await anext(stream)
        for refused in (evaluate(channel), anext(events(channel))):
            with pytest.raises(RpcError) as caught:
                await refused
            assert caught.value.code is Code.UNKNOWN
            assert caught.value.message == (
                "too many requests for /gateway.Gateway, exceeding concurrency limit (2)"
            )
    slow.released.set()
    await evaluate(channel)  # the closed stream has made room
    await waiting


async def test_without_a_limit_all_are_answered(slow):
    channel = channel_to(slow, 0)
    waiting = [asyncio.create_task(evaluate(channel)) for _ in range(50)]
    await asyncio.sleep(0)
    slow.released.set()
    assert len(await asyncio.gather(*waiting)) == 50


def test_a_service_that_the_wire_does_not_know_is_a_mistake(slow):
    with pytest.raises(KeyError):
        ServiceRegistry().add("gateway.Nothing", slow)


def test_only_the_methods_that_are_implemented_are_found(slow):
    registry = ServiceRegistry()
    registry.add("gateway.Gateway", slow)
    assert {method.path for method in registry} == {EVALUATE, EVENTS}
    assert registry.services == ("gateway.Gateway",)
    with pytest.raises(RpcError) as caught:
        registry.find("/gateway.Gateway/Submit")
    assert caught.value.code is Code.UNIMPLEMENTED

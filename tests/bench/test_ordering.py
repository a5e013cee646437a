"""Ordering by hand: what becomes of envelopes that the orderer refuses, or leaves alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from gridloom.bench.errors import NetworkUnusable
from gridloom.bench.ordering import BROADCAST, Ordering
from gridloom.client.admin import BroadcastError
from gridloom.protos.common.common_pb2 import BAD_REQUEST, SUCCESS, Block
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse
from harness.consortium import consortium


class Orderer:
    """Gives each envelope out in a block of its own, and ends a stream after so many answers.

    status: what it answers.
    """

    def __init__(self, answers: int, status: int = SUCCESS) -> None:
        self.answers = answers
        self.status = status
        self.blocks: asyncio.Queue[Block] = asyncio.Queue()
        self.blocks.put_nowait(Block())

    async def stream(
        self, method: str, requests: AsyncIterator[object], response_type: object
    ) -> AsyncGenerator[object, None]:
        if method != BROADCAST:
            while True:
                yield DeliverResponse(block=await self.blocks.get())
        async for envelope in requests:
            if not self.answers:
                return
            self.answers -= 1
            if self.status == SUCCESS:
                block = Block()
                block.data.data.append(envelope.SerializeToString())
                self.blocks.put_nowait(block)
            yield BroadcastResponse(status=self.status, info="no")


async def started(orderer: Orderer) -> Ordering:
    ordering = Ordering(orderer, consortium().peer(), "mychannel")
    await ordering.start(1)
    return ordering


async def test_an_envelope_is_ordered_when_a_block_brings_it():
    ordering = await started(Orderer(answers=3))
    await asyncio.gather(*(ordering.order(4096) for _ in range(3)))
    await ordering.stop()


async def test_a_refusal_is_told():
    ordering = await started(Orderer(answers=1, status=BAD_REQUEST))
    with pytest.raises(BroadcastError, match="no"):
        await ordering.order(4096)
    await ordering.stop()


async def test_who_waits_and_who_comes_later_is_told_that_the_stream_ended():
    ordering = await started(Orderer(answers=1))
    await ordering.order(4096)
    for _ in range(2):
        with pytest.raises(NetworkUnusable, match="closed the Broadcast stream"):
            await ordering.order(4096)
    await ordering.stop()

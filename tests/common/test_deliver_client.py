"""Pulling blocks: no gap and no repetition, whatever the orderers do."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from gridloom.common.deliver_client import DELIVER, Backoff, DeliverClient
from gridloom.common.envelopes import open_envelope
from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Block
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo


class Reader:
    msp_id = "Org1MSP"
    serialized = b"the reader"

    def sign(self, message: bytes) -> bytes:
        return b"signature"


def block(number: int) -> DeliverResponse:
    response = DeliverResponse()
    response.block.header.number = number
    return response


def status(status: int) -> DeliverResponse:
    return DeliverResponse(status=status)


BROKEN = RpcError(Code.UNAVAILABLE, "connection lost")


class Orderers:
    """Answers one connection after the other as scripted; the last one waits at its end."""

    def __init__(self, *scripts: list[object]) -> None:
        self.scripts = list(scripts)
        self.asked: list[SeekInfo] = []
        self.pauses: list[float] = []
        self.closed = 0

    def connect(self) -> "Orderers":
        return self

    async def stream(self, method, requests, response_type, *, timeout=None):
        assert (method, response_type) == (DELIVER, DeliverResponse)
        request = open_envelope(await anext(requests))
        assert request.channel_header.channel_id == "mychannel"
        assert request.signed_data.identity == Reader.serialized
        self.asked.append(parse(SeekInfo, request.payload.data, "seek info"))
        script = self.scripts.pop(0)
        try:
            for answer in script:
                if isinstance(answer, Exception):
                    raise answer
                yield answer
            if not self.scripts:
                await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(round(seconds, 3))


async def pull(orderers: Orderers, count: int, *, start: int = 0, **options) -> list[int]:
    client = DeliverClient(
        "mychannel",
        orderers.connect,
        Reader(),
        lambda: datetime(2026, 11, 20, tzinfo=UTC),
        bytes,
        sleep=orderers.sleep,
        **options,
    )
    numbers = []
    async with aclosing(client.blocks(start)) as blocks:
        async for found in blocks:
            numbers.append(found.header.number)
            if len(numbers) == count:
                break
    return numbers


async def test_blocks_are_asked_for_from_the_start_for_ever() -> None:
    orderers = Orderers([block(n) for n in (3, 4, 5)])
    assert await pull(orderers, 3, start=3) == [3, 4, 5]
    [seek] = orderers.asked
    assert (seek.start.specified.number, seek.stop.specified.number) == (3, 2**64 - 1)
    assert seek.behavior == SeekInfo.BLOCK_UNTIL_READY
    assert orderers.closed == 1


@pytest.mark.parametrize(
    "end",
    [
        BROKEN,
        status(common_pb2.SERVICE_UNAVAILABLE),
        status(common_pb2.NOT_FOUND),
        status(common_pb2.FORBIDDEN),
        status(common_pb2.SUCCESS),
        DeliverResponse(),
        block(7),
        block(0),
    ],
)
async def test_after_an_interruption_the_next_missing_block_is_asked_for(end) -> None:
    orderers = Orderers([block(0), block(1), end], [block(2), block(3)])
    assert await pull(orderers, 4) == [0, 1, 2, 3]
    assert [seek.start.specified.number for seek in orderers.asked] == [0, 2]


async def test_a_stream_that_just_ends_is_an_interruption() -> None:
    orderers = Orderers([block(0)], [], [block(1)])
    assert await pull(orderers, 2) == [0, 1]
    assert orderers.pauses == [0.05, 0.06]


async def test_pauses_grow_to_a_limit_and_start_anew_after_a_block() -> None:
    failing = [[BROKEN]] * 4
    orderers = Orderers(*failing, [block(0), BROKEN], [block(1)])
    backoff = Backoff(first=1, factor=2, limit=5)
    assert await pull(orderers, 2, backoff=backoff) == [0, 1]
    assert orderers.pauses == [1, 2, 4, 5, 1]
    assert Backoff().delay(10**9) == 10.0


async def test_a_block_that_does_not_verify_is_asked_of_the_next_orderer() -> None:
    forged = [1]

    def verify(found: Block) -> None:
        if found.header.number in forged:
            forged.remove(found.header.number)
            raise GridloomError("forged")

    orderers = Orderers([block(0), block(1)], [block(1), block(2)])
    assert await pull(orderers, 3, verify=verify) == [0, 1, 2]
    assert [seek.start.specified.number for seek in orderers.asked] == [0, 1]


async def test_an_orderer_that_cannot_be_reached_is_tried_again() -> None:
    orderers = Orderers([block(0)])
    attempts = []

    def connect() -> Orderers:
        attempts.append(1)
        if len(attempts) < 3:
            raise BROKEN
        return orderers

    orderers.connect = connect
    assert await pull(orderers, 1) == [0]
    assert len(attempts) == 3


async def test_a_bug_is_not_taken_for_an_interruption() -> None:
    with pytest.raises(ZeroDivisionError):
        await pull(Orderers([ZeroDivisionError()], []), 1)

"""Many envelopes on one stream: judged together and taken in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from gridloom.common.blocks import is_config_block
from gridloom.common.rpc.local import LocalChannel
from gridloom.deploy.topology import Batch
from gridloom.orderer.broadcast import MAX_TOGETHER
from gridloom.orderer.chain import CuttingMode
from gridloom.orderer.node import Orderer
from gridloom.orderer.storage import MemoryStorage
from gridloom.protos.common.common_pb2 import BAD_REQUEST, FORBIDDEN, SUCCESS, Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse
from harness.ordering import (
    BROADCAST,
    Client,
    change_orderer,
    genesis,
    message,
    orderer_signer,
    set_timeout,
    stream_of,
    user,
)


@asynccontextmanager
async def an_orderer() -> AsyncIterator[tuple[Orderer, Client]]:
    orderer = Orderer(
        orderer_signer(),
        "OrdererMSP",
        MemoryStorage(),
        cutting=CuttingMode.MANUAL,
    )
    orderer.join(genesis(Batch(max_message_count=50)))
    await orderer.start()
    try:
        yield orderer, Client(LocalChannel(orderer.services()), user())
    finally:
        await orderer.stop()


async def ordered(orderer: Orderer, client: Client) -> list[bytes]:
    """What has been ordered, config blocks apart, one after the other."""
    await orderer.cut("mychannel")
    blocks = [block for block in await client.blocks() if not is_config_block(block)]
    return [data for block in blocks for data in block.data.data]


def serialized(envelopes: list[Envelope]) -> list[bytes]:
    return [envelope.SerializeToString() for envelope in envelopes]


async def test_all_are_answered_and_ordered_as_they_came() -> None:
    envelopes = [message(bytes([n])) for n in range(2 * MAX_TOGETHER + 3)]
    async with an_orderer() as (orderer, client):
        assert await client.send(*envelopes) == [SUCCESS] * len(envelopes)
        assert await ordered(orderer, client) == serialized(envelopes)


@pytest.mark.parametrize("place", [0, 1, 30, 59])
async def test_nothing_behind_a_refused_one_is_ordered(place) -> None:
    envelopes = [message(bytes([n])) for n in range(60)]
    envelopes[place].signature = user().sign(b"something else")
    async with an_orderer() as (orderer, client):
        assert await client.send(*envelopes) == [SUCCESS] * place + [FORBIDDEN]
        assert await ordered(orderer, client) == serialized(envelopes[:place])


async def test_streams_at_the_same_time_do_not_mix_up_their_answers() -> None:
    good = [[message(bytes([s, n])) for n in range(40)] for s in range(4)]
    bad = [message(b"x"), message(channel_id="nosuch"), message(b"y")]
    async with an_orderer() as (orderer, client):
        *answers, refused = await asyncio.gather(*(client.send(*each) for each in [*good, bad]))
        assert answers == [[SUCCESS] * 40] * 4
        assert refused == [SUCCESS, BAD_REQUEST]
        found = await ordered(orderer, client)
    assert len(found) == 161
    for each in good:
        own = serialized(each)
        assert [data for data in found if data in own] == own


async def test_a_config_update_between_others_keeps_its_place() -> None:
    before, after = ([message(bytes([k, n])) for n in range(20)] for k in (1, 2))
    async with an_orderer() as (orderer, client):
        update = change_orderer(orderer.registrar.get("mychannel").get_block(0), set_timeout("7s"))
        answers = await client.send(*before, update, *after)
        assert answers == [SUCCESS] * 41
        await orderer.cut("mychannel")
        sizes = [len(b.data.data) for b in (await client.blocks())[1:] if not is_config_block(b)]
        kinds = [is_config_block(block) for block in await client.blocks()]
        assert (kinds, sizes) == ([True, False, True, False], [20, 20])
        assert await ordered(orderer, client) == serialized([*before, *after])


async def test_a_client_that_waits_for_each_answer_gets_it() -> None:
    async with an_orderer() as (_, client):
        answered = asyncio.Event()

        async def one_by_one() -> AsyncIterator[Envelope]:
            for n in range(5):
                yield message(bytes([n]))
                await answered.wait()
                answered.clear()

        statuses = []
        stream = client.channel.stream(BROADCAST, one_by_one(), BroadcastResponse)
        async with aclosing(stream) as answers:
            async for answer in answers:
                statuses.append(answer.status)
                answered.set()
    assert statuses == [SUCCESS] * 5


async def test_a_client_that_leaves_early_leaves_nothing_behind() -> None:
    async with an_orderer() as (_, client):
        before = asyncio.all_tasks()
        requests = stream_of([message(bytes([n])) for n in range(50)])
        stream = client.channel.stream(BROADCAST, requests, BroadcastResponse)
        async with aclosing(stream) as answers:
            await anext(answers)
        async with asyncio.timeout(60):
            while asyncio.all_tasks() != before:  # noqa: ASYNC110 - what others are at
                await asyncio.sleep(0.001)

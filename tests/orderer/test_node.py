"""An orderer as a whole: what is broadcast comes out of deliver, in signed, chained blocks."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from gridloom.common.blocks import (
    check_data,
    header_hash,
    is_config_block,
    last_config_index,
    verify_block_signatures,
)
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import NEVER, block_position, open_channel_header, open_payload
from gridloom.common.rpc import Channel
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.local import LocalChannel
from gridloom.common.wire import parse
from gridloom.deploy.topology import Batch
from gridloom.orderer.chain import ChainUnavailable, CuttingMode
from gridloom.orderer.node import Orderer, WrongMsp
from gridloom.orderer.registrar import ChannelMissing
from gridloom.orderer.storage import FileStorage, MemoryStorage
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope
from gridloom.protos.orderer.ab_pb2 import DeliverResponse
from harness.ordering import (
    CHANNEL,
    DELIVER,
    Client,
    change_orderer,
    genesis,
    message,
    orderer_signer,
    set_state,
    set_timeout,
    stream_of,
    user,
)
from harness.virtual_time import virtual

SUCCESS = common_pb2.SUCCESS


def make_orderer(storage=None, cutting=CuttingMode.MANUAL) -> Orderer:
    return Orderer(orderer_signer(), "OrdererMSP", storage or MemoryStorage(), cutting=cutting)


@asynccontextmanager
async def running(storage=None, cutting=CuttingMode.MANUAL, block: Block | None = None):
    """An orderer and a client of it; with ``block`` it joins the channel first."""
    orderer = make_orderer(storage, cutting)
    if block is not None:
        orderer.join(block)
    await orderer.start()
    try:
        yield orderer, Client(LocalChannel(orderer.services()), user())
    finally:
        await orderer.stop()


async def next_block(channel: Channel, client: Client, number: int) -> Block:
    """Block ``number``, waited for."""
    [block, status] = await client.deliver(
        client.seek(block_position(number), block_position(number))
    )
    assert status == SUCCESS
    return block


def envelopes_of(block: Block) -> list[Envelope]:
    return [parse(Envelope, data, "envelope") for data in block.data.data]


async def test_messages_come_out_in_the_order_they_were_accepted() -> None:
    messages = [message(bytes([number])) for number in range(5)]
    async with running(block=genesis()) as (orderer, client):
        assert await client.send(*messages[:3]) == [SUCCESS] * 3
        assert await orderer.cut(CHANNEL) == 1
        assert await client.send(*messages[3:]) == [SUCCESS] * 2
        assert await orderer.cut(CHANNEL) == 2
        blocks = await client.blocks()
    assert [envelopes_of(block) for block in blocks[1:]] == [messages[:3], messages[3:]]


async def test_every_block_is_chained_signed_and_acceptable_to_a_peer() -> None:
    first = genesis()
    bundle = ChannelBundle.from_config_block(first)
    async with running(block=first) as (orderer, client):
        for number in range(1, 4):
            await client.send(message())
            assert await orderer.cut(CHANNEL) == number
        blocks = await client.blocks()
    assert blocks[0] == first
    for previous, block in pairwise(blocks):
        assert block.header.previous_hash == header_hash(previous.header)
        check_data(block)
        verify_block_signatures(block, bundle)
        assert last_config_index(block) == 0
        slot = parse(common_pb2.Metadata, block.metadata.metadata[0], "metadata")
        assert slot.value.hex() == "0a00"
        assert list(block.metadata.metadata[1:]) == [b""] * 4


async def test_a_lone_message_is_in_a_block_at_once_when_idle() -> None:
    patient = genesis(Batch(timeout=timedelta(hours=1)))
    async with running(cutting=CuttingMode.IDLE, block=patient) as (_, client):
        assert await client.send(message(b"lone")) == [SUCCESS]
        block = await asyncio.wait_for(next_block(client.channel, client, 1), 60)
    assert len(block.data.data) == 1


@virtual  # else both messages might not come within the timeout
async def test_the_batch_timeout_of_the_channel_is_kept() -> None:
    first = genesis(Batch(timeout=timedelta(milliseconds=30)))
    async with running(cutting=CuttingMode.BATCH_TIMEOUT, block=first) as (_, client):
        loop = asyncio.get_running_loop()
        started = loop.time()
        await client.send(message(b"a"), message(b"b"))
        block = await next_block(client.channel, client, 1)
        assert 0.025 < loop.time() - started < 0.1
    assert len(block.data.data) == 2


async def test_a_reader_who_waits_gets_the_block_as_soon_as_it_is_stored() -> None:
    async with running(block=genesis()) as (orderer, client):
        requests = stream_of([client.seek(stop=NEVER)])
        stream = client.channel.stream(DELIVER, requests, DeliverResponse)
        assert (await anext(stream)).block.header.number == 0
        waiting = asyncio.ensure_future(anext(stream))
        await client.send(message())
        assert not waiting.done()
        await orderer.cut(CHANNEL)
        assert (await asyncio.wait_for(waiting, 60)).block.header.number == 1
        await stream.aclose()


async def test_a_block_is_durable_before_anybody_sees_it(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    async with running(storage, block=genesis()) as (orderer, client):
        stored = orderer.registrar.get(CHANNEL)._store
        append, seen = stored.append, []
        file = tmp_path / "chains" / CHANNEL / "blockfile_000000"
        before = file.stat().st_size

        def slow_append(block: Block) -> None:
            append(block)
            seen.append((file.stat().st_size > before, orderer.registrar.get(CHANNEL).height))

        stored.append = slow_append
        await client.send(message())
        await orderer.cut(CHANNEL)
    assert seen == [(True, 1)]


async def test_a_restarted_orderer_continues_its_chain(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    update = change_orderer(first := genesis(), set_timeout("7s"))
    async with running(storage, block=first) as (orderer, client):
        await client.send(message(), update, message(b"accepted, not yet cut"))
    async with running(storage) as (orderer, client):
        [info] = orderer.channels()
        assert (info.name, info.height, info.status) == (CHANNEL, 4, "active")
        support = orderer.registrar.get(CHANNEL)
        assert support.orderer_config.batch_timeout.total_seconds() == 7
        assert await client.send(message(b"after the restart")) == [SUCCESS]
        assert await orderer.cut(CHANNEL) == 4
        blocks = await client.blocks()
    assert [last_config_index(block) for block in blocks] == [0, 0, 2, 2, 2]
    for previous, block in pairwise(blocks):
        assert block.header.previous_hash == header_hash(previous.header)


async def test_a_config_update_becomes_a_block_of_its_own_signed_by_the_orderer() -> None:
    first = genesis()
    update = change_orderer(first, set_timeout("7s"))
    async with running(block=first) as (orderer, client):
        await client.send(message(b"before"), update, message(b"after"))
        await orderer.cut(CHANNEL)
        blocks = await client.blocks()
        bundle = orderer.registrar.get(CHANNEL).bundle
    assert [is_config_block(block) for block in blocks] == [True, False, True, False]
    assert [last_config_index(block) for block in blocks] == [0, 0, 2, 2]
    assert blocks[2].metadata.metadata[1].hex() == "0a020802"
    [config] = envelopes_of(blocks[2])
    header = open_channel_header(config)
    assert (header.type, header.version, header.tx_id) == (common_pb2.CONFIG, 0, "")
    assert bundle.sequence == 1
    assert bundle.orderer.batch_timeout.total_seconds() == 7
    # what each peer does with it, from the configuration before
    ChannelBundle.from_config_block(first).validate_config(
        parse(ConfigEnvelope, open_payload(config).data, "config envelope")
    )


async def test_of_two_updates_of_the_same_value_the_second_is_refused_or_dropped() -> None:
    """Both pass when they arrive; by its turn the second no longer fits and gets no block."""
    first = genesis()
    updates = [change_orderer(first, set_timeout(text)) for text in ("7s", "8s")]
    async with running(block=first) as (orderer, client):
        assert await client.send(*updates, message()) == [SUCCESS] * 3
        assert await orderer.cut(CHANNEL) == 2
        support = orderer.registrar.get(CHANNEL)
        assert support.orderer_config.batch_timeout.total_seconds() == 7
        assert await client.send(updates[1]) == [common_pb2.BAD_REQUEST]
        blocks = await client.blocks()
    assert [is_config_block(block) for block in blocks] == [True, True, False]


async def test_in_maintenance_only_orderers_read_and_nobody_writes() -> None:
    first = genesis()
    async with running(block=first) as (_, client):
        boss = Client(client.channel, user("OrdererMSP", "Admin"))
        assert await boss.send(change_orderer(first, set_state(1))) == [SUCCESS]
        config_block = await next_block(client.channel, boss, 1)
        [answer] = await client.broadcast(message())
        assert answer.status == common_pb2.SERVICE_UNAVAILABLE
        assert answer.info == "normal transactions are rejected: maintenance mode"
        assert await client.deliver(client.seek()) == [common_pb2.FORBIDDEN]
        assert len(await boss.blocks()) == 2
        with_other = change_orderer(
            config_block, lambda group: (set_state(0)(group), set_timeout("9s")(group))
        )
        [answer] = await boss.broadcast(with_other)
        assert answer.status == common_pb2.BAD_REQUEST
        assert "did not pass maintenance checks" in answer.info
        assert await boss.send(change_orderer(config_block, set_state(0))) == [SUCCESS]
        await next_block(client.channel, boss, 2)
        assert await client.send(message()) == [SUCCESS]


async def test_a_reader_is_judged_again_when_the_configuration_changes() -> None:
    first = genesis()
    async with running(block=first) as (_, client):
        stream = client.channel.stream(
            DELIVER, stream_of([client.seek(stop=NEVER)]), DeliverResponse
        )
        assert (await anext(stream)).HasField("block")
        await client.send(change_orderer(first, set_state(1)))
        answer = await asyncio.wait_for(anext(stream), 60)
        assert answer.status == common_pb2.FORBIDDEN
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_a_failed_disk_ends_deliver_and_broadcast_with_503(tmp_path: Path) -> None:
    async with running(FileStorage(tmp_path), block=genesis()) as (orderer, client):
        stored = orderer.registrar.get(CHANNEL)._store

        def failing(block: Block) -> None:
            raise OSError(5, "Input/output error")

        stored.append = failing
        stream = client.channel.stream(
            DELIVER, stream_of([client.seek(stop=NEVER)]), DeliverResponse
        )
        assert (await anext(stream)).HasField("block")
        await client.send(message())
        with pytest.raises(ChainUnavailable):
            await orderer.cut(CHANNEL)
        unavailable = common_pb2.SERVICE_UNAVAILABLE
        assert (await asyncio.wait_for(anext(stream), 60)).status == unavailable
        assert await client.send(message()) == [unavailable]
        assert await client.deliver(client.seek()) == [unavailable]
        best_effort = client.seek(error_response=1)
        [block, status] = await client.deliver(best_effort)
        assert (block.header.number, status) == (0, SUCCESS)


async def test_stopping_ends_the_streams_of_waiting_readers() -> None:
    async with running(block=genesis()) as (orderer, client):
        stream = client.channel.stream(
            DELIVER, stream_of([client.seek(stop=NEVER)]), DeliverResponse
        )
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        await orderer.stop()
        answer = await asyncio.wait_for(waiting, 60)
        assert answer.status == common_pb2.SERVICE_UNAVAILABLE


async def test_over_grpc_it_is_the_same_service() -> None:
    async with running(cutting=CuttingMode.IDLE, block=genesis()) as (orderer, local):
        server = GrpcServer(orderer.services(), "127.0.0.1:0")
        channel = GrpcChannel(f"127.0.0.1:{await server.start()}")
        client = Client(channel, user())
        assert await client.send(message(), message(channel_id="nosuch")) == [SUCCESS, 400]
        await next_block(channel, client, 1)
        assert await client.blocks() == await local.blocks()
        assert await client.deliver(client.seek(channel_id="nosuch")) == [404]
        await channel.close()
        await server.stop(grace=0)


async def test_channels_do_not_mix() -> None:
    async with running(block=genesis()) as (orderer, client):
        orderer.join(genesis(channel_id="other"))
        await client.send(message(b"for other", channel_id="other"), message(b"for mychannel"))
        assert await orderer.cut("other") == 1
        assert await orderer.cut(CHANNEL) == 1
        assert [info.name for info in orderer.channels()] == [CHANNEL, "other"]
        blocks = await client.blocks()
    assert [open_channel_header(e).channel_id for e in envelopes_of(blocks[1])] == [CHANNEL]


async def test_cutting_a_channel_that_is_not_there_is_an_error() -> None:
    async with running() as (orderer, _):
        with pytest.raises(ChannelMissing):
            await orderer.cut("nosuch")


def test_a_signer_of_another_organization_is_refused() -> None:
    with pytest.raises(WrongMsp, match="Org1MSP"):
        Orderer(user(), "OrdererMSP", MemoryStorage())

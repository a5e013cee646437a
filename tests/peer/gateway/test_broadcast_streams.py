"""Envelopes that share a stream to an orderer: each gets its own answer or none."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from gridloom.common.rpc import Code, RpcError
from gridloom.peer.gateway.broadcast_streams import BroadcastStreams, OrdererInfo
from gridloom.protos.common.common_pb2 import BAD_REQUEST, SERVICE_UNAVAILABLE, SUCCESS, Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse
from harness.gateway_parts import ScriptedEndorser
from harness.virtual_time import virtual

PATIENT = 60.0


class Orderer(ScriptedEndorser):
    """Answers each envelope with its payload as info; ends a stream as Fabric's orderer does.

    statuses: by payload, where it is not SUCCESS; broken: payloads at which the connection
    breaks, once each; silent: payloads that are never answered; streams: what came on each.
    """

    def __init__(self) -> None:
        super().__init__(b"")
        self.statuses: dict[bytes, int] = {}
        self.broken: set[bytes] = set()
        self.silent: set[bytes] = set()
        self.streams: list[list[bytes]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.asked_once = asyncio.Event()

    async def stream(
        self, method: str, requests: AsyncIterator[Envelope], response_type, *, timeout=None
    ) -> AsyncGenerator[BroadcastResponse, None]:
        received: list[bytes] = []
        self.streams.append(received)
        async for envelope in requests:
            await self.go.wait()
            received.append(envelope.payload)
            self.asked_once.set()
            if envelope.payload in self.broken:
                self.broken.discard(envelope.payload)
                raise RpcError(Code.UNAVAILABLE, "connection reset")
            if envelope.payload in self.silent:
                await asyncio.Event().wait()
            status = self.statuses.get(envelope.payload, SUCCESS)
            yield BroadcastResponse(status=status, info=envelope.payload.decode())
            if status != SUCCESS:
                return


@pytest.fixture
def orderer() -> Orderer:
    return Orderer()


@pytest.fixture
async def streams():
    streams = BroadcastStreams()
    yield streams
    await streams.close()


async def send(
    streams: BroadcastStreams, orderer: Orderer, payload: bytes, timeout: float = PATIENT
) -> tuple[int, str]:
    info = OrdererInfo("OrdererMSP", "orderer:7050", orderer)
    response = await streams.send("mychannel", info, Envelope(payload=payload), timeout)
    return response.status, response.info


def succeeded(*payloads: bytes) -> list[tuple[int, str]]:
    return [(SUCCESS, payload.decode()) for payload in payloads]


async def together(streams: BroadcastStreams, orderer: Orderer, *payloads: bytes) -> list:
    """Send all of them before the first is answered."""
    orderer.go.clear()
    sending = [asyncio.ensure_future(send(streams, orderer, payload)) for payload in payloads]
    await asyncio.sleep(0)
    orderer.go.set()
    return await asyncio.gather(*sending)


async def test_envelopes_share_one_stream_and_each_gets_its_own_answer(streams, orderer):
    assert await send(streams, orderer, b"first") == (SUCCESS, "first")
    payloads = [b"a", b"b", b"c"]
    assert await together(streams, orderer, *payloads) == succeeded(*payloads)
    assert orderer.streams == [[b"first", *payloads]]


async def test_each_channel_has_a_stream_of_its_own(streams, orderer):
    info = OrdererInfo("OrdererMSP", "orderer:7050", orderer)
    for channel_id in ("one", "two", "one"):
        await streams.send(channel_id, info, Envelope(payload=channel_id.encode()), PATIENT)
    assert orderer.streams == [[b"one", b"one"], [b"two"]]


async def test_behind_a_refused_one_the_others_are_sent_again(streams, orderer):
    orderer.statuses = {b"bad": BAD_REQUEST, b"worse": BAD_REQUEST}
    found = await together(streams, orderer, b"bad", b"worse", b"good")
    assert found == [(BAD_REQUEST, "bad"), (BAD_REQUEST, "worse"), (SUCCESS, "good")]
    assert orderer.streams == [[b"bad"], [b"worse"], [b"good"]]


async def test_a_stream_that_breaks_is_replaced_and_nobody_notices(streams, orderer):
    await send(streams, orderer, b"first")
    orderer.broken = {b"a"}
    assert await together(streams, orderer, b"a", b"b") == succeeded(b"a", b"b")
    assert orderer.streams == [[b"first", b"a"], [b"a", b"b"]]


async def test_a_new_stream_that_breaks_is_an_error(streams, orderer):
    orderer.broken = {b"a"}
    with pytest.raises(RpcError, match="connection reset"):
        await send(streams, orderer, b"a")


async def test_an_orderer_that_cannot_is_asked_once_more_if_the_stream_was_old(streams, orderer):
    orderer.statuses = {b"a": SERVICE_UNAVAILABLE}
    await send(streams, orderer, b"first")
    assert await send(streams, orderer, b"a") == (SERVICE_UNAVAILABLE, "a")
    assert orderer.streams == [[b"first", b"a"], [b"a"]]


@virtual
async def test_one_that_gets_no_answer_in_time_gives_the_stream_up(orderer):
    streams = BroadcastStreams()
    orderer.silent = {b"a"}
    with pytest.raises(RpcError) as late:
        await send(streams, orderer, b"a", timeout=0.01)
    assert late.value.code is Code.DEADLINE_EXCEEDED
    assert await send(streams, orderer, b"b") == (SUCCESS, "b")
    assert orderer.streams == [[b"a"], [b"b"]]
    await streams.close()


async def test_one_whose_client_has_gone_takes_no_answer_of_another(streams, orderer):
    orderer.go.clear()
    gone, stays = (asyncio.ensure_future(send(streams, orderer, p)) for p in (b"gone", b"stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    orderer.go.set()
    assert await stays == (SUCCESS, "stays")
    assert orderer.streams == [[b"gone", b"stays"]]


@virtual
async def test_a_stream_with_an_overdue_answer_is_used_no_more(orderer):
    streams = BroadcastStreams()
    orderer.silent = {b"gone"}
    gone = asyncio.ensure_future(send(streams, orderer, b"gone", timeout=0.01))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    await asyncio.sleep(0.02)  # by the same clock as the deadline
    assert await send(streams, orderer, b"b") == (SUCCESS, "b")
    assert orderer.streams == [[b"gone"], [b"b"]]
    await streams.close()


async def test_whoever_waits_or_comes_when_all_is_closed_is_told(streams, orderer):
    orderer.silent = {b"a"}
    waiting = asyncio.ensure_future(send(streams, orderer, b"a"))
    await orderer.asked_once.wait()
    await streams.close()
    for late in (waiting, send(streams, orderer, b"b")):
        with pytest.raises(RpcError) as cancelled:
            await late
        assert cancelled.value.code is Code.CANCELLED
    assert orderer.streams == [[b"a"]]

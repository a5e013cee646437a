"""Delivery: every rule of seeking, access in all its cases, and real dialogues byte for byte."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest

from gridloom.common.block_store import BlockNotFound, BlockStoreError
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.deliver import DeliverHandler, DeliverRefused
from gridloom.common.envelopes import (
    NEVER,
    NEWEST,
    NEXT_COMMIT,
    OLDEST,
    block_position,
    open_envelope,
    seek_envelope,
    signed_envelope,
)
from gridloom.common.errors import GridloomError
from gridloom.common.height_signal import HeightSignal
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Call
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo, SeekPosition
from gridloom.protos.peer import events_pb2
from harness.shared import shared

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SUCCESS, BAD_REQUEST, FORBIDDEN = 200, 400, 403
NOT_FOUND, UNAVAILABLE = 404, 503


class Reader:
    msp_id = "Org1MSP"
    serialized = b"the reader"

    def sign(self, message: bytes) -> bytes:
        return b"signed by the reader"


class Member:
    def __init__(self, expires_at: datetime) -> None:
        self.expires_at = expires_at


class FakeBundle:
    """A configuration in which one certificate is known."""

    def __init__(self) -> None:
        self.sequence = 0
        self.msp_manager = self
        self.expires_at = NOON + timedelta(days=1)

    def deserialize(self, serialized: bytes) -> Member:
        if serialized != Reader.serialized:
            raise GridloomError("unknown MSP")
        return Member(self.expires_at)


class Source:
    """A channel whose blocks appear when told to."""

    def __init__(self, height: int, first: int = 0) -> None:
        self.bundle = FakeBundle()
        self.first = first
        self.signal = HeightSignal(height)
        self.errored: asyncio.Event | None = asyncio.Event()
        self.damaged: set[int] = set()

    @property
    def height(self) -> int:
        return self.signal.height

    def get_block(self, number: int) -> Block:
        if not self.first <= number < self.height:
            raise BlockNotFound(number, self.first, self.height)
        if number in self.damaged:
            raise BlockStoreError("it cannot be read")
        block = Block()
        block.header.number = number
        block.data.data.append(b"an envelope")
        block.metadata.metadata.append(b"signatures")
        return block

    async def wait_for(self, height: int) -> None:
        await self.signal.wait_for(height)


class Responses:
    def status(self, status) -> DeliverResponse:
        return DeliverResponse(status=status)

    def block(self, block: Block, source, signed: SignedData) -> DeliverResponse:
        return DeliverResponse(block=block)


class Bench:
    """A handler over one channel; the time is noon until it is set."""

    def __init__(self, height: int = 6, first: int = 0) -> None:
        self.source = Source(height, first)
        self.now = NOON
        self.asked = 0
        self.allowed = True
        self.handler = DeliverHandler(
            {"mychannel": self.source}.get, lambda: self.now, time_window=timedelta(minutes=15)
        )

    def authorize(self, source: Source, signed: SignedData) -> None:
        self.asked += 1
        if not self.allowed:
            raise GridloomError("not a reader")

    def stream(self, *requests: Envelope, call: Call | None = None, responses=None):
        return self.handler.handle(
            stream_of(*requests), call or Call(), responses or Responses(), self.authorize
        )

    async def deliver(self, *requests: Envelope, call: Call | None = None) -> list[object]:
        """What a stream answers, blocks as ``#number``, to its end or until it waits."""
        answers: list[object] = []
        async with aclosing(self.stream(*requests, call=call)) as stream:
            while True:
                coming = asyncio.ensure_future(anext(stream, None))
                await settle()
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait([coming])
                    return [*answers, "waits"]
                if (answer := coming.result()) is None:
                    return answers
                answers.append(shown(answer))
                if len(answers) > 20:
                    return [*answers, "and so on"]


async def settle() -> None:
    """Let everything come to rest that waits for nobody outside."""
    for _ in range(100):
        await asyncio.sleep(0)


def shown(answer: DeliverResponse) -> object:
    return f"#{answer.block.header.number}" if answer.HasField("block") else answer.status


async def stream_of(*requests: Envelope):
    for request in requests:
        yield request


def seek(start, stop, *, fail: bool = False, channel: str = "mychannel", sent=NOON, **options):
    behavior = SeekInfo.FAIL_IF_NOT_READY if fail else SeekInfo.BLOCK_UNTIL_READY
    return seek_envelope(
        channel, start, stop, behavior, Reader(), lambda: sent, b"nonce", **options
    )


def at(number: int) -> SeekPosition:
    return block_position(number)


UNSET = SeekPosition()


@pytest.mark.parametrize(
    ("start", "stop", "answers"),
    [
        (OLDEST, NEWEST, ["#0", "#1", "#2", "#3", "#4", "#5", SUCCESS]),
        (OLDEST, OLDEST, ["#0", SUCCESS]),
        (NEWEST, NEWEST, ["#5", SUCCESS]),
        (NEWEST, OLDEST, ["#5", SUCCESS]),
        (at(2), at(4), ["#2", "#3", "#4", SUCCESS]),
        (at(4), at(4), ["#4", SUCCESS]),
        (at(4), OLDEST, ["#4", SUCCESS]),
        (at(4), NEWEST, ["#4", "#5", SUCCESS]),
        (at(4), at(7), ["#4", "#5", "waits"]),
        (NEWEST, NEVER, ["#5", "waits"]),
        (NEXT_COMMIT, NEVER, ["waits"]),
        (NEXT_COMMIT, at(6), ["waits"]),
        (at(6), at(6), ["waits"]),
        (at(4), at(3), [BAD_REQUEST]),
        (NEWEST, at(0), [BAD_REQUEST]),
        (NEXT_COMMIT, at(5), [BAD_REQUEST]),
        (at(7), at(9), [NOT_FOUND]),
        (at(7), at(2), [NOT_FOUND]),
        (at(2**64 - 1), NEVER, [NOT_FOUND]),
        (UNSET, NEWEST, [NOT_FOUND]),
        (OLDEST, NEXT_COMMIT, ["#0", SUCCESS]),
        (OLDEST, UNSET, ["#0", SUCCESS]),
        (at(4), NEXT_COMMIT, ["#4", "#5", "waits"]),
        (NEXT_COMMIT, NEWEST, ["waits"]),
    ],
)
async def test_positions_mean_what_they_mean_to_fabric(start, stop, answers) -> None:
    assert await Bench(height=6).deliver(seek(start, stop)) == answers


@pytest.mark.parametrize(
    ("start", "stop", "answers"),
    [
        (OLDEST, at(5), ["#0", "#1", "#2", "#3", "#4", "#5", SUCCESS]),
        (at(5), at(6), ["#5", NOT_FOUND]),
        (at(6), at(6), [NOT_FOUND]),
        (NEXT_COMMIT, NEVER, [NOT_FOUND]),
    ],
)
async def test_fail_if_not_ready_ends_where_the_blocks_end(start, stop, answers) -> None:
    assert await Bench(height=6).deliver(seek(start, stop, fail=True)) == answers


@pytest.mark.parametrize(
    ("height", "start", "answers"),
    [
        (9, OLDEST, [NOT_FOUND]),
        (9, at(4), [NOT_FOUND]),
        (9, at(5), ["#5", "#6", "#7", "#8", SUCCESS]),
        (9, NEWEST, ["#8", SUCCESS]),
        (5, NEWEST, ["waits"]),
    ],
)
async def test_a_chain_from_a_snapshot_begins_behind_it(height, start, answers) -> None:
    assert await Bench(height=height, first=5).deliver(seek(start, NEWEST)) == answers


async def test_newest_is_told_at_the_time_of_the_request() -> None:
    bench = Bench(height=3)
    async with aclosing(bench.stream(seek(OLDEST, NEWEST))) as stream:
        answers = [shown(await anext(stream))]
        bench.source.signal.advance(10)
        answers += [shown(answer) async for answer in stream]
    assert answers == ["#0", "#1", "#2", SUCCESS]


async def test_a_block_that_comes_later_is_delivered_when_it_comes() -> None:
    bench = Bench(height=2)
    async with aclosing(bench.stream(seek(at(2), at(3)))) as stream:
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        assert not waiting.done()
        bench.source.signal.advance(3)
        assert shown(await waiting) == "#2"
        bench.source.signal.advance(4)
        assert [shown(answer) async for answer in stream] == ["#3", SUCCESS]
    assert bench.source.signal._waiting == {}


async def test_a_stream_takes_requests_until_one_fails() -> None:
    answers = await Bench(height=3).deliver(
        seek(NEWEST, NEWEST), seek(OLDEST, at(1)), seek(at(2), at(1)), seek(OLDEST, OLDEST)
    )
    assert answers == ["#2", SUCCESS, "#0", "#1", SUCCESS, BAD_REQUEST]


async def test_a_source_without_consenter_just_waits() -> None:
    bench = Bench(height=1)
    bench.source.errored = None
    assert await bench.deliver(seek(OLDEST, NEVER)) == ["#0", "waits"]


def envelope_of(data: bytes) -> Envelope:
    return signed_envelope(5, "mychannel", data, Reader(), lambda: NOON, b"nonce")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (Envelope(payload=b"\xff"), BAD_REQUEST),
        (Envelope(), BAD_REQUEST),
        (envelope_of(b"\xff"), BAD_REQUEST),
        (envelope_of(SeekInfo(start=OLDEST).SerializeToString()), BAD_REQUEST),
        (envelope_of(SeekInfo(stop=OLDEST).SerializeToString()), BAD_REQUEST),
        (seek(OLDEST, OLDEST, channel="nosuch"), NOT_FOUND),
        (seek(OLDEST, OLDEST, channel=""), NOT_FOUND),
        (seek(OLDEST, OLDEST, sent=NOON + timedelta(minutes=14, seconds=59)), "#0"),
        (seek(OLDEST, OLDEST, sent=NOON - timedelta(minutes=15)), "#0"),
        (seek(OLDEST, OLDEST, sent=NOON - timedelta(minutes=15, seconds=1)), BAD_REQUEST),
        (seek(OLDEST, OLDEST, sent=NOON + timedelta(minutes=15, seconds=1)), BAD_REQUEST),
        (seek(OLDEST, OLDEST, channel="nosuch", sent=NOON + timedelta(hours=1)), BAD_REQUEST),
    ],
)
async def test_bad_requests_are_answered_in_fabrics_order(request_, status) -> None:
    answers = await Bench().deliver(request_)
    assert answers == [status] if status != "#0" else answers[0] == "#0"


@pytest.mark.parametrize("seconds", [None, -(2**63), 2**63 - 1])
async def test_a_missing_or_absurd_time_is_a_bad_request(seconds) -> None:
    request = seek(OLDEST, OLDEST)
    payload = parse(common_pb2.Payload, request.payload, "payload")
    header = parse(common_pb2.ChannelHeader, payload.header.channel_header, "header")
    header.ClearField("timestamp")
    if seconds is not None:
        header.timestamp.seconds = seconds
    payload.header.channel_header = header.SerializeToString()
    assert await Bench().deliver(Envelope(payload=payload.SerializeToString())) == [BAD_REQUEST]


async def test_a_consenter_in_error_refuses_all_but_best_effort() -> None:
    bench = Bench(height=2)
    bench.source.errored.set()
    assert await bench.deliver(seek(OLDEST, NEWEST)) == [UNAVAILABLE]
    best_effort = seek(OLDEST, NEWEST, error_response=SeekInfo.BEST_EFFORT)
    assert await bench.deliver(best_effort) == ["#0", "#1", SUCCESS]


async def test_a_consenter_that_fails_ends_the_wait_of_all_but_best_effort() -> None:
    bench = Bench(height=1)
    streams = [
        bench.stream(seek(at(1), NEVER, error_response=response))
        for response in SeekInfo.SeekErrorResponse.values()
    ]
    strict, best_effort = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0.01)
    bench.source.errored.set()
    assert shown(await asyncio.wait_for(strict, 60)) == UNAVAILABLE
    assert not best_effort.done()
    bench.source.signal.advance(2)
    assert shown(await best_effort) == "#1"
    for stream in streams:
        await stream.aclose()


async def waits(stream: AsyncGenerator[DeliverResponse, None]) -> asyncio.Future[DeliverResponse]:
    """The next answer of a stream, for which it has begun to wait."""
    reading = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.01)
    assert not reading.done()
    return reading


async def test_a_consenter_that_fails_again_ends_the_wait_too() -> None:
    bench = Bench(height=0)
    stream = bench.stream(seek(at(0), NEVER))
    reading = await waits(stream)
    bench.source.signal.advance(1)
    assert shown(await reading) == "#0"
    bench.source.errored.set()  # while nobody waits
    await asyncio.sleep(0.01)
    bench.source.errored.clear()
    reading = await waits(stream)
    bench.source.errored.set()
    assert shown(await asyncio.wait_for(reading, 60)) == UNAVAILABLE
    await stream.aclose()


async def test_a_block_that_comes_with_the_error_does_not_hide_it() -> None:
    bench = Bench(height=0)
    stream = bench.stream(seek(at(0), NEVER))
    reading = await waits(stream)
    bench.source.errored.set()
    bench.source.signal.advance(1)
    assert shown(await asyncio.wait_for(reading, 60)) == UNAVAILABLE
    await stream.aclose()


@pytest.mark.parametrize("errs", [False, True])
async def test_who_waits_can_be_cancelled_whether_the_consenter_fails_or_not(errs: bool) -> None:
    bench = Bench(height=0)
    stream = bench.stream(seek(at(0), NEVER))
    reading = await waits(stream)
    if errs:
        bench.source.errored.set()
        await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading], timeout=60)
    assert reading.cancelled()
    await stream.aclose()
    assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_who_may_not_read_is_told_so_before_the_positions_are_looked_at() -> None:
    bench = Bench()
    bench.allowed = False
    assert await bench.deliver(seek(OLDEST, OLDEST)) == [FORBIDDEN]
    assert await bench.deliver(envelope_of(b"")) == [FORBIDDEN]


async def test_the_policy_is_asked_once_and_again_when_the_configuration_changes() -> None:
    bench = Bench(height=4)
    async with aclosing(bench.stream(seek(OLDEST, NEVER))) as stream:
        for _ in range(3):
            await anext(stream)
        assert bench.asked == 1
        bench.source.bundle.sequence = 1
        assert shown(await anext(stream)) == "#3"
        assert bench.asked == 2
        bench.source.bundle.sequence, bench.allowed = 2, False
        bench.source.signal.advance(5)
        assert [shown(answer) async for answer in stream] == [FORBIDDEN]


async def test_the_end_of_a_certificate_ends_its_stream() -> None:
    bench = Bench(height=3)
    bench.source.bundle.expires_at = NOON + timedelta(minutes=1)
    async with aclosing(bench.stream(seek(OLDEST, NEVER))) as stream:
        await anext(stream)
        bench.now = NOON + timedelta(minutes=1)
        assert shown(await anext(stream)) == "#1"
        bench.now += timedelta(microseconds=1)
        assert [shown(answer) async for answer in stream] == [FORBIDDEN]
    bench.now = NOON + timedelta(minutes=2)
    assert await bench.deliver(seek(OLDEST, OLDEST)) == [FORBIDDEN]


async def test_expiry_can_be_ignored() -> None:
    bench = Bench(height=1)
    bench.source.bundle.expires_at = NOON - timedelta(days=1)
    bench.handler = DeliverHandler(
        {"mychannel": bench.source}.get, lambda: NOON, check_expiration=False
    )
    assert await bench.deliver(seek(OLDEST, OLDEST)) == ["#0", SUCCESS]


@pytest.mark.parametrize(
    ("claimed", "certificate", "status"),
    [
        (sha256(b"cert").digest(), b"cert", SUCCESS),
        (sha256(b"other").digest(), b"cert", BAD_REQUEST),
        (sha256(b"cert").digest(), None, BAD_REQUEST),
        (b"", b"cert", BAD_REQUEST),
    ],
)
async def test_under_mutual_tls_a_request_is_bound_to_its_connection(
    claimed, certificate, status
) -> None:
    request = seek(OLDEST, OLDEST, tls_cert_hash=claimed)
    call = Call(certificate=certificate, mutual_tls=True)
    assert (await Bench().deliver(request, call=call))[-1] == status
    without = Call(certificate=certificate, mutual_tls=False)
    assert (await Bench().deliver(request, call=without))[-1] == SUCCESS


async def test_headers_with_signatures_leave_the_data_out_but_not_of_config_blocks() -> None:
    genesis = parse(Block, shared("golden", "config", "genesis.block").read_bytes(), "block")

    class WithConfig(Source):
        def get_block(self, number: int) -> Block:
            return genesis if number == 0 else super().get_block(number)

    bench = Bench()
    source = WithConfig(2)
    bench.handler = DeliverHandler({"mychannel": source}.get, lambda: NOON)
    request = seek(OLDEST, NEWEST, content_type=SeekInfo.HEADER_WITH_SIG)
    config, other, _ = [answer async for answer in bench.stream(request)]
    assert config.block == genesis
    assert not other.block.HasField("data")
    assert other.block.header == source.get_block(1).header
    assert other.block.metadata == source.get_block(1).metadata


async def test_a_block_that_cannot_be_read_ends_the_stream() -> None:
    bench = Bench(height=3)
    bench.source.damaged = {1}
    assert await bench.deliver(seek(OLDEST, NEWEST)) == ["#0", UNAVAILABLE]


async def test_a_response_that_cannot_be_built_ends_the_stream_with_its_status() -> None:
    class Picky(Responses):
        def block(self, block: Block, source, signed: SignedData) -> DeliverResponse:
            if block.header.number == 1:
                raise DeliverRefused(common_pb2.BAD_REQUEST, "undecodable transaction")
            return super().block(block, source, signed)

    bench = Bench(height=3)
    stream = bench.stream(seek(OLDEST, NEWEST), seek(OLDEST, NEWEST), responses=Picky())
    assert [shown(answer) async for answer in stream] == ["#0", BAD_REQUEST]


class GoldenSource(Source):
    """The chain that a node of the real network delivered."""

    def __init__(self, node: str) -> None:
        paths = sorted(shared("golden", "blocks", node).glob("*.pb"))
        self.blocks = [parse(Block, path.read_bytes(), "block") for path in paths]
        super().__init__(len(self.blocks))
        self.bundle = ChannelBundle.from_config_block(self.blocks[0])

    def get_block(self, number: int) -> Block:
        return self.blocks[number]


class PeerResponses:
    def status(self, status) -> events_pb2.DeliverResponse:
        return events_pb2.DeliverResponse(status=status)

    def block(self, block: Block, source, signed: SignedData) -> events_pb2.DeliverResponse:
        return events_pb2.DeliverResponse(block=block)


@pytest.mark.parametrize(
    ("node", "request_", "answers", "responses"),
    [
        ("peer", "31-qscc-GetBlockByHash-Deliver_Deliver", [32, 33], PeerResponses),
        ("peer", "76-deliver-peer-Deliver_Deliver", [77, 78], PeerResponses),
        ("orderer", "79-deliver-orderer-AtomicBroadcast_Deliver", [80, 81], Responses),
        ("peer", "88-deliver-forbidden-Deliver_Deliver", [89], PeerResponses),
    ],
)
async def test_a_real_dialogue_is_repeated_byte_for_byte(
    node, request_, answers, responses
) -> None:
    request = parse(
        Envelope, shared("golden", "wire", f"{request_}.req.pb").read_bytes(), "request"
    )
    sent = open_envelope(request).channel_header.timestamp.ToDatetime(UTC)
    source = GoldenSource(node)

    def authorize(source: GoldenSource, signed: SignedData) -> None:
        source.bundle.evaluate("/Channel/Readers", [signed])

    handler = DeliverHandler({"golden1": source}.get, lambda: sent)
    stream = handler.handle(stream_of(request), Call(), responses(), authorize)
    got = [answer.SerializeToString() async for answer in stream]
    label = request_.partition("-")[2]
    real = [
        shared("golden", "wire", f"{number}-{label}.resp.pb").read_bytes() for number in answers
    ]
    assert got == real

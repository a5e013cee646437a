"""Both sides of a connection without sockets: violations, windows, limits, and going away."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator

import pytest

from gridloom.common.rpc import Call, Code, RpcError, ServiceRegistry
from gridloom.common.rpc.http2 import frames
from gridloom.common.rpc.http2.client_side import ClientConnection, Unprocessed
from gridloom.common.rpc.http2.closing import RESPONSE, SUCCESS
from gridloom.common.rpc.http2.connection import CONNECTION_WINDOW
from gridloom.common.rpc.http2.frames import ErrorCode, Setting
from gridloom.common.rpc.http2.header_blocks import block, header_frames
from gridloom.common.rpc.http2.messages import MessageReader
from gridloom.common.rpc.http2.opening import opening_block
from gridloom.common.rpc.http2.server_side import ServerConnection
from gridloom.common.rpc.http2.stream import STREAM_WINDOW
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.gateway.gateway_pb2 import EvaluateRequest, EvaluateResponse
from harness.http2_wires import RecordingWire, prefixed, tied
from harness.transport_conformance import BROADCAST, EVALUATE, EVENTS, scripted_registry

ONLY_HERE = 2
"""What sys.getrefcount says of an object that one variable holds."""
ENVELOPE = Envelope(payload=bytes(10_000)).SerializeToString()
HELLO = frames.PREFACE + frames.settings({})
OPEN = opening_block(EVALUATE, "peer0", "http", None)
STREAMING = opening_block(BROADCAST, "peer0", "http", None)


def headers(stream: int, fields: bytes = OPEN, *, last: bool = False) -> bytes:
    return header_frames(stream, fields, last=last)


def data(stream: int, payload: bytes, flags: int = 0) -> bytes:
    return frames.frame(frames.DATA, flags, stream, payload)


def call(stream: int, script: str = "fine") -> bytes:
    request = EvaluateRequest(transaction_id=script).SerializeToString()
    return headers(stream) + data(stream, prefixed(request), frames.END_STREAM)


@pytest.fixture
async def served() -> AsyncIterator[tuple[ServerConnection, RecordingWire]]:
    registry, _ = scripted_registry()
    wire = RecordingWire()
    server = ServerConnection(wire, registry)
    server.receive(HELLO)
    wire.taken()
    yield server, wire
    await server.cancel()


BROKEN_CONNECTIONS = {
    "no preface": (b"GET / HTTP/1.1\r\n\r\n", ErrorCode.PROTOCOL_ERROR),
    "no settings first": (frames.PREFACE + frames.window_update(0, 1), ErrorCode.PROTOCOL_ERROR),
    "an even stream": (HELLO + headers(2), ErrorCode.PROTOCOL_ERROR),
    "stream 0": (HELLO + headers(0), ErrorCode.PROTOCOL_ERROR),
    "a stream that is over": (HELLO + headers(3) + headers(1), ErrorCode.STREAM_CLOSED),
    "data of no stream": (HELLO + data(1, b""), ErrorCode.PROTOCOL_ERROR),
    "reset of no stream": (HELLO + frames.reset(1, ErrorCode.CANCEL), ErrorCode.PROTOCOL_ERROR),
    "a pushed stream": (
        HELLO + frames.frame(frames.PUSH_PROMISE, 4, 1, bytes(4)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "an interrupted block": (
        HELLO + frames.frame(frames.HEADERS, 0, 1, OPEN) + call(3),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a continuation of nothing": (
        HELLO + frames.frame(frames.CONTINUATION, 4, 1, OPEN),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a block without end": (
        HELLO
        + frames.frame(frames.HEADERS, 0, 1, b"")
        + 100 * frames.frame(frames.CONTINUATION, 0, 1, b""),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a block that is none": (HELLO + headers(1, b"\xff" * 20), ErrorCode.COMPRESSION_ERROR),
    "padding beyond the frame": (
        HELLO + headers(1) + data(1, b"\x09abc", frames.PADDED),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a large frame": (
        HELLO + frames.HEAD.pack((1 << 23) << 8 | frames.DATA, 0, 1),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "a cut ping": (HELLO + frames.frame(frames.PING, 0, 0, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
    "settings cut off": (
        HELLO + frames.frame(frames.SETTINGS, 0, 0, b"12345"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "an absurd window": (
        HELLO + frames.settings({Setting.INITIAL_WINDOW_SIZE: 1 << 31}),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "absurd frames": (
        HELLO + frames.settings({Setting.MAX_FRAME_SIZE: 100}),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "an overflowing window": (
        HELLO + frames.window_update(0, frames.MOST_WINDOW),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "no credit": (HELLO + frames.window_update(0, 0), ErrorCode.PROTOCOL_ERROR),
    "a dependency on itself": (
        HELLO + frames.frame(frames.PRIORITY, 0, 1, bytes((0, 0, 0, 1, 0))),
        ErrorCode.PROTOCOL_ERROR,
    ),
}


@pytest.mark.parametrize(("sent", "code"), BROKEN_CONNECTIONS.values(), ids=BROKEN_CONNECTIONS)
async def test_a_client_that_breaks_the_protocol_is_sent_away(sent: bytes, code: ErrorCode) -> None:
    wire = RecordingWire()
    server = ServerConnection(wire, scripted_registry()[0])
    server.receive(sent)
    kind, _, _, payload = wire.frames()[-1]
    assert kind == frames.GOAWAY
    assert frames.NUMBER.unpack_from(payload, 4)[0] == code
    assert wire.closed
    assert not server.streams


BROKEN_STREAMS = {
    "data after the end": (call(1) + data(1, b"x"), ErrorCode.STREAM_CLOSED),
    "headers in the middle": (headers(1) + headers(1), ErrorCode.PROTOCOL_ERROR),
    "a malformed request": (headers(1, block([(":method", "POST")])), ErrorCode.PROTOCOL_ERROR),
    "an overflowing window": (
        headers(1) + frames.window_update(1, frames.MOST_WINDOW),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "no credit": (headers(1) + frames.window_update(1, 0), ErrorCode.PROTOCOL_ERROR),
}


@pytest.mark.parametrize(("sent", "code"), BROKEN_STREAMS.values(), ids=BROKEN_STREAMS)
async def test_a_broken_stream_is_reset_and_the_others_go_on(
    served: tuple[ServerConnection, RecordingWire], sent: bytes, code: ErrorCode
) -> None:
    server, wire = served
    server.receive(sent)
    assert frames.reset(1, code) in wire.taken()
    assert 1 not in server.streams
    server.receive(call(3))
    await answered(server)
    assert SUCCESS in wire.taken()


async def answered(server: ServerConnection) -> None:
    async with asyncio.timeout(60):
        while server.streams:  # noqa: ASYNC110  # a connection has no event for it
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (headers(1, last=True), Code.INTERNAL),  # no request
        (headers(1) + data(1, prefixed(b"") * 2, frames.END_STREAM), Code.INTERNAL),
        (headers(1) + data(1, prefixed(b"\xff"), frames.END_STREAM), Code.INTERNAL),
        (headers(1) + data(1, b"\0\x7f\xff\xff\xff"), Code.RESOURCE_EXHAUSTED),
        (headers(1) + data(1, b"\0\0", frames.END_STREAM), Code.INTERNAL),  # a cut message
        (call(1, "cancelled"), Code.CANCELLED),
        (call(1, "bug"), Code.UNKNOWN),
        (headers(1, opening_block("/no/thing", "a", "http", None)), Code.UNIMPLEMENTED),
    ],
)
async def test_a_call_that_is_wrong_ends_with_a_status(
    served: tuple[ServerConnection, RecordingWire], sent: bytes, code: Code
) -> None:
    server, wire = served
    server.receive(sent)
    await answered(server)
    assert block([("grpc-status", str(int(code)))]) in wire.taken()
    assert not wire.closed


async def test_what_is_not_grpc_gets_an_http_status(
    served: tuple[ServerConnection, RecordingWire],
) -> None:
    server, wire = served
    pseudo = [(":method", "GET"), (":scheme", "http"), (":path", "/")]
    server.receive(headers(1, block(pseudo), last=True))
    assert block([(":status", "405")]) in wire.taken()


async def test_a_reset_cancels_who_answers(
    served: tuple[ServerConnection, RecordingWire],
) -> None:
    server, wire = served
    server.receive(call(1, "slow"))
    await asyncio.sleep(0)
    server.receive(frames.reset(1, ErrorCode.CANCEL))
    await server.cancel()
    assert wire.taken() == b""


async def test_more_data_than_was_granted_is_refused(
    served: tuple[ServerConnection, RecordingWire],
) -> None:
    server, wire = served
    server.receive(headers(1, STREAMING))
    piece = prefixed(bytes(99_995))
    for _ in range(30):  # the service reads nothing in the meantime
        server.receive(data(1, piece))
    assert frames.reset(1, ErrorCode.FLOW_CONTROL_ERROR) in wire.taken()


async def test_empty_messages_fill_an_inbox_too(
    served: tuple[ServerConnection, RecordingWire],
) -> None:
    server, wire = served
    server.receive(headers(1, STREAMING))
    piece = prefixed(b"") * 10_000
    for _ in range(200):
        if 1 in server.streams:
            inbox = server.streams[1].inbox
            assert inbox is not None
            assert inbox.held < 16 * STREAM_WINDOW  # 64 bytes for each of 5
        server.receive(data(1, piece))
    assert frames.reset(1, ErrorCode.FLOW_CONTROL_ERROR) in wire.taken()


async def test_the_last_word_of_a_long_settings_counts(
    served: tuple[ServerConnection, RecordingWire],
) -> None:
    server, wire = served
    windows = b"".join(frames.SETTING.pack(Setting.INITIAL_WINDOW_SIZE, n) for n in range(40_000))
    server.receive(frames.frame(frames.SETTINGS, 0, 0, windows))
    assert wire.frames() == [(frames.SETTINGS, frames.ACK, 0, b"")]
    server.receive(headers(1, STREAMING))
    assert server.fits(server.streams[1], 15_000)
    server.receive(frames.settings({Setting.INITIAL_WINDOW_SIZE: 14_999}))
    assert not server.fits(server.streams[1], 15_000)


class SlowReader:
    """Takes a request each time it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Semaphore(0)
        self.taken = 0

    async def broadcast(self, requests: AsyncIterator[object], call: Call) -> AsyncIterator[object]:
        async for _ in requests:
            self.taken += 1
            await self.go.acquire()
        return
        yield


async def test_a_service_that_does_not_read_stops_the_client_and_no_other() -> None:
    reader, registry = SlowReader(), scripted_registry()[0]
    registry.add("orderer.AtomicBroadcast", reader)
    server, client = tied(registry)
    try:
        stream = await client.stream(BROADCAST, None)
        sending = asyncio.create_task(send_all(client, stream, 300))
        for _ in range(200):
            await asyncio.sleep(0)
        assert not sending.done()
        assert server.streams[1].inbox is not None
        assert server.streams[1].inbox.held < 2 * STREAM_WINDOW
        assert await client.unary(EVALUATE, b"", None) is not None
        for _ in range(300):
            reader.go.release()
        async with asyncio.timeout(60):
            await sending
            assert await stream.next() is None
        assert reader.taken == 300
    finally:
        await server.cancel()


async def send_all(client: ClientConnection, stream: object, number: int) -> None:
    for _ in range(number):
        await client.send(stream, ENVELOPE)  # type: ignore[arg-type]  # a ResponseStream
    client.send_last(stream)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("piece", [1, 7, 1000])
async def test_bytes_may_arrive_in_any_pieces(piece: int) -> None:
    server, client = tied(scripted_registry()[0], piece)
    request = EvaluateRequest()
    request.proposed_transaction.proposal_bytes = b"x" * 5000
    answer = await client.unary(EVALUATE, request.SerializeToString(), 60.0)
    assert EvaluateResponse.FromString(answer).result.payload == b"x" * 5000
    assert not server.streams
    assert not client.streams


async def test_a_lot_of_large_messages_both_ways_at_once_all_arrive() -> None:
    server, client = tied(scripted_registry()[0])
    request = EvaluateRequest()
    request.proposed_transaction.proposal_bytes = b"x" * 3_000_000
    encoded = request.SerializeToString()
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(
                client.unary(EVALUATE, encoded, None)
                for _ in range(2 * CONNECTION_WINDOW // 3_000_000)
            )
        )
    assert {len(answer) for answer in answers} == {len(answers[0])}
    assert not server.streams


@pytest.mark.parametrize("window", [1, 4, 5, 6, 70])
async def test_a_response_comes_in_pieces_as_small_as_the_client_asks_for(window: int) -> None:
    wire = RecordingWire()
    server = ServerConnection(wire, scripted_registry()[0])
    request = EvaluateRequest()
    request.proposed_transaction.proposal_bytes = b"x" * 60
    sent = headers(1) + data(1, prefixed(request.SerializeToString()), frames.END_STREAM)
    server.receive(frames.PREFACE + frames.settings({Setting.INITIAL_WINDOW_SIZE: window}) + sent)
    received = b""
    async with asyncio.timeout(60):
        while server.streams:
            await asyncio.sleep(0)
            for kind, _, stream, payload in wire.frames():
                if kind == frames.DATA:
                    assert len(payload) <= window
                    received += payload
                    server.receive(frames.window_update(stream, len(payload)))
    (message,) = MessageReader(b"identity", 100).feed(received)
    assert EvaluateResponse.FromString(message).result.payload == b"x" * 60


async def test_a_client_may_ping_between_the_pieces_of_a_response() -> None:
    """As grpc-go does to measure the way, without being sent away for it."""
    wire = RecordingWire()
    server = ServerConnection(wire, scripted_registry()[0], min_ping=60.0)
    request = EvaluateRequest()
    request.proposed_transaction.proposal_bytes = b"x" * 900_000
    encoded = prefixed(request.SerializeToString())
    server.receive(HELLO + headers(1))
    for at in range(0, len(encoded), 200_000):
        server.receive(data(1, encoded[at : at + 200_000]))
    server.receive(data(1, b"", frames.END_STREAM))
    pings, asked = 0, False
    async with asyncio.timeout(60):
        while server.streams:
            await asyncio.sleep(0)
            for kind, _, _, payload in wire.frames():
                asked = asked and kind != frames.PING
                if kind == frames.DATA:
                    credit = frames.window_update(0, len(payload))
                    server.receive(credit + frames.window_update(1, len(payload)))
                    if not asked:
                        server.receive(frames.frame(frames.PING, 0, 0, b"how long"))
                        pings, asked = pings + 1, True
    assert not wire.closed
    assert pings > 5


async def test_who_gives_up_leaves_nothing_in_memory() -> None:
    """Without waiting for the collector of cycles, which runs rarely in a node."""
    wire = RecordingWire()
    server = ServerConnection(wire, scripted_registry()[0])
    server.receive(HELLO + call(1, "slow"))
    await asyncio.sleep(0)
    stream = server.streams[1]
    gc.disable()
    try:
        server.receive(frames.reset(1, ErrorCode.CANCEL))
        await server.cancel()
        await asyncio.sleep(0)
        assert sys.getrefcount(stream) == ONLY_HERE
    finally:
        gc.enable()


async def test_a_call_that_failed_leaves_nothing_in_memory() -> None:
    client = ClientConnection(RecordingWire(), "peer0", "http")
    client.receive(frames.settings({}))
    calling = asyncio.create_task(client.unary(EVALUATE, b"", None))
    await asyncio.sleep(0)
    stream = client.streams[1]
    gc.disable()
    try:
        client.receive(frames.reset(1, ErrorCode.CANCEL))
        with pytest.raises(RpcError):
            await calling
        del calling
        assert sys.getrefcount(stream) == ONLY_HERE
    finally:
        gc.enable()


async def test_calls_wait_for_a_place_where_the_server_limits_them() -> None:
    wire = RecordingWire()
    client = ClientConnection(wire, "peer0", "http")
    client.receive(frames.settings({Setting.MAX_CONCURRENT_STREAMS: 1}))
    first = asyncio.create_task(client.unary(EVALUATE, b"", None))
    second = asyncio.create_task(client.unary(EVALUATE, b"", None))
    await asyncio.sleep(0)
    with pytest.raises(RpcError, match="before the server took the call"):
        await client.unary(EVALUATE, b"", 0.001)
    assert len(client.streams) == 1
    client.receive(answer(1))
    await first
    while not client.streams:  # noqa: ASYNC110  # a connection has no event for it
        await asyncio.sleep(0)
    client.receive(answer(3))
    assert await second == b"yes"


async def test_calls_go_on_when_the_server_raises_its_limit() -> None:
    client = ClientConnection(RecordingWire(), "peer0", "http")
    client.receive(frames.settings({Setting.MAX_CONCURRENT_STREAMS: 0}))
    calls = [asyncio.create_task(client.unary(EVALUATE, b"", None)) for _ in range(3)]
    await asyncio.sleep(0)
    client.receive(frames.settings({Setting.MAX_CONCURRENT_STREAMS: 1}))
    calls[0].cancel()  # its place goes to the next one
    async with asyncio.timeout(60):
        while not client.streams:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0)
        client.receive(answer(1))
        assert await calls[1] == b"yes"
    client.lost(RpcError(Code.UNAVAILABLE, "gone"))
    with pytest.raises(RpcError):
        await calls[2]


def answer(stream: int) -> bytes:
    return (
        header_frames(stream, RESPONSE, last=False)
        + data(stream, prefixed(b"yes"))
        + header_frames(stream, SUCCESS, last=True)
    )


BAD_ANSWERS = {
    "nothing of gRPC": (header_frames(1, block([(":status", "502")]), last=True), Code.UNAVAILABLE),
    "HTML": (
        header_frames(1, block([(":status", "200"), ("content-type", "text/html")]), last=False),
        Code.UNKNOWN,
    ),
    "no trailers": (
        header_frames(1, RESPONSE, last=False) + data(1, prefixed(b"yes"), frames.END_STREAM),
        Code.INTERNAL,
    ),
    "no response": (
        header_frames(1, RESPONSE, last=False) + headers(1, SUCCESS, last=True),
        Code.INTERNAL,
    ),
    "a cut response": (
        header_frames(1, RESPONSE, last=False) + data(1, b"\0\0") + headers(1, SUCCESS, last=True),
        Code.INTERNAL,
    ),
    "two responses": (
        header_frames(1, RESPONSE, last=False) + data(1, prefixed(b"yes") * 2),
        Code.INTERNAL,
    ),
    "data first": (data(1, prefixed(b"yes")), Code.INTERNAL),
    "a reset": (frames.reset(1, ErrorCode.CANCEL), Code.CANCELLED),
    "an unknown reset": (frames.frame(frames.RST_STREAM, 0, 1, b"\0\0\x99\x99"), Code.INTERNAL),
    "a broken connection": (frames.frame(frames.PING, 0, 0, b"no"), Code.UNAVAILABLE),
}


@pytest.mark.parametrize(("sent", "code"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_a_bad_answer_is_an_error_with_a_code(sent: bytes, code: Code) -> None:
    client = ClientConnection(RecordingWire(), "peer0", "http")
    client.receive(frames.settings({}))
    calling = asyncio.create_task(client.unary(EVALUATE, b"", None))
    await asyncio.sleep(0)
    client.receive(sent)
    with pytest.raises(RpcError) as caught:
        await calling
    assert caught.value.code is code
    assert not client.streams


async def test_a_server_that_goes_away_finishes_what_it_has_begun() -> None:
    server, client = tied(scripted_registry()[0])
    first = asyncio.create_task(client.unary(EVALUATE, b"", None))
    while not server.streams:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0)
    server.drain()
    assert await first is not None
    with pytest.raises(Unprocessed):
        await client.unary(EVALUATE, b"", None)
    assert not client.usable


async def test_calls_beyond_the_last_one_that_is_answered_may_be_made_again() -> None:
    client = ClientConnection(RecordingWire(), "peer0", "http")
    client.receive(frames.settings({}))
    calls = [asyncio.create_task(client.unary(EVALUATE, b"", None)) for _ in range(2)]
    await asyncio.sleep(0)
    client.receive(frames.goaway(1, ErrorCode.NO_ERROR, "restart"))
    with pytest.raises(Unprocessed, match="restart"):
        await calls[1]
    client.receive(answer(1))
    assert await calls[0] == b"yes"


async def test_a_refused_call_may_be_made_again() -> None:
    client = ClientConnection(RecordingWire(), "peer0", "http")
    client.receive(frames.settings({}))
    calling = asyncio.create_task(client.unary(EVALUATE, b"", None))
    await asyncio.sleep(0)
    client.receive(frames.reset(1, ErrorCode.REFUSED_STREAM))
    with pytest.raises(Unprocessed):
        await calling


async def test_deadlines_expire_on_both_sides() -> None:
    wire = RecordingWire()
    server = ServerConnection(wire, scripted_registry()[0])
    server.receive(HELLO + headers(1, opening_block(EVENTS, "a", "http", 5.0)))
    server.expire(wire.alarms[0])
    assert block([("grpc-status", "4")]) in wire.taken()
    client = ClientConnection(RecordingWire(), "peer0", "http")
    calling = asyncio.create_task(client.unary(EVALUATE, b"", 5.0))
    await asyncio.sleep(0)
    client.expire(asyncio.get_running_loop().time() + 6)
    with pytest.raises(RpcError, match="DEADLINE_EXCEEDED"):
        await calling


async def test_a_cancelled_call_is_reset() -> None:
    wire = RecordingWire()
    client = ClientConnection(wire, "peer0", "http")
    calling = asyncio.create_task(client.unary(EVALUATE, b"", None))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert wire.taken().endswith(frames.reset(1, ErrorCode.CANCEL))


async def test_a_registry_can_change_under_a_connection() -> None:
    registry = ServiceRegistry()
    server, client = tied(registry)
    with pytest.raises(RpcError, match="UNIMPLEMENTED"):
        await client.unary(EVALUATE, b"", None)
    registry.exchange(scripted_registry()[0])
    assert await client.unary(EVALUATE, b"", None) is not None
    assert not server.streams

"""What comes over a connection: any bytes are taken or end it, and a call always ends."""

import asyncio

from gridloom.common.rpc import RpcError
from gridloom.common.rpc.http2 import frames
from gridloom.common.rpc.http2.client_side import ClientConnection
from gridloom.common.rpc.http2.closing import RESPONSE, SUCCESS
from gridloom.common.rpc.http2.frames import ErrorCode, Setting
from gridloom.common.rpc.http2.header_blocks import header_frames
from gridloom.common.rpc.http2.opening import opening_block
from gridloom.common.rpc.http2.server_side import ServerConnection
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.gateway.gateway_pb2 import EvaluateRequest
from harness.fuzz import fuzz_async
from harness.http2_wires import RecordingWire, prefixed
from harness.transport_conformance import BROADCAST, EVALUATE, scripted_registry

SETTINGS = frames.settings({Setting.INITIAL_WINDOW_SIZE: 70_000, Setting.MAX_FRAME_SIZE: 20_000})
CONTROL = [
    SETTINGS,
    frames.frame(frames.SETTINGS, frames.ACK, 0),
    frames.frame(frames.PING, 0, 0, bytes(8)),
    frames.window_update(0, 1000),
    frames.goaway(5, ErrorCode.NO_ERROR, "bye"),
]


def message(stream: int, data: bytes, *, last: bool = True) -> bytes:
    return frames.frame(frames.DATA, frames.END_STREAM if last else 0, stream, prefixed(data))


async def test_a_server_takes_or_refuses_whatever_a_client_sends() -> None:
    registry, _ = scripted_registry()
    request = EvaluateRequest(transaction_id="x").SerializeToString()
    envelope = Envelope(payload=b"x").SerializeToString()
    unary = header_frames(1, opening_block(EVALUATE, "a", "http", 5.0), last=False)
    stream = header_frames(3, opening_block(BROADCAST, "a", "http", None), last=False)
    calls = unary + message(1, request) + stream + message(3, envelope, last=False)
    more = frames.window_update(3, 5) + frames.reset(3, ErrorCode.CANCEL)
    seeds = [calls, calls + more, *CONTROL]

    async def serve(data: bytes) -> None:
        wire = RecordingWire()
        server = ServerConnection(wire, registry)
        server.receive(frames.PREFACE + SETTINGS + data)
        await asyncio.sleep(0)
        await server.cancel()
        assert not server.streams

    await fuzz_async(serve, seeds, inputs=20_000)
    assert len(asyncio.all_tasks()) == 1


async def test_a_call_ends_whatever_a_server_answers() -> None:
    whole = header_frames(1, RESPONSE, last=False) + message(1, b"yes", last=False)
    answer = whole + header_frames(1, SUCCESS, last=True)
    seeds = [answer, whole + frames.reset(1, ErrorCode.REFUSED_STREAM), *CONTROL]

    async def call(data: bytes) -> None:
        client = ClientConnection(RecordingWire(), "a", "http")
        client.receive(SETTINGS)
        calling = asyncio.create_task(client.unary(EVALUATE, b"", 5.0))
        await asyncio.sleep(0)
        client.receive(data)
        client.expire(asyncio.get_running_loop().time() + 6)
        try:
            await calling
        except RpcError:
            assert not client.streams

    await fuzz_async(call, seeds, inputs=20_000)

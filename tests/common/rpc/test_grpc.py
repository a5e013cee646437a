"""Channel and server over gRPC, on a free port of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from gridloom.common.rpc import Channel, Code, RpcError, grpc_server
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.grpcio_channel import GrpcioChannel
from gridloom.common.rpc.grpcio_server import GrpcioServer
from gridloom.common.rpc.liveness import (
    MIN_PING_INTERVAL_MS,
    PATIENT,
    PING_TIMEOUT_MS,
    Liveness,
)
from gridloom.common.rpc.tls import ClientTls, ServerTls
from gridloom.protos.gateway.gateway_pb2 import (
    ChaincodeEventsResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
)
from harness.transport_conformance import (
    EVALUATE,
    EVENTS,
    ScriptedGateway,
    TransportConformance,
    scripted_registry,
)


class GrpcConformance(TransportConformance):
    """Two ends of a connection; ours and Google's must do for each other."""

    server: type[GrpcServer | GrpcioServer]
    client: type[GrpcChannel | GrpcioChannel]

    @pytest.fixture
    def address(self) -> str:
        return "127.0.0.1:0"

    @pytest_asyncio.fixture
    async def parts(self, address: str) -> AsyncIterator[tuple[Channel, ScriptedGateway]]:
        registry, gateway = scripted_registry()
        server = self.server(registry, address)
        port = await server.start()
        channel = self.client(address.replace(":0", f":{port}"))
        yield channel, gateway
        await channel.close()
        await server.stop(0)

    @pytest.fixture
    def channel(self, parts: tuple[Channel, ScriptedGateway]) -> Channel:
        return parts[0]

    @pytest.fixture
    def gateway(self, parts: tuple[Channel, ScriptedGateway]) -> ScriptedGateway:
        return parts[1]

    async def test_bytes_that_do_not_parse_are_refused_and_the_server_goes_on(
        self, channel: GrpcChannel
    ) -> None:
        async with grpc.aio.insecure_channel(channel.target) as raw:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await raw.unary_unary("/gateway.Gateway/Evaluate")(b"\xff\xff\xff")
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert await self.call(channel, "fine")

    async def test_a_response_without_end_is_cut_off_when_the_client_goes(
        self, channel: Channel, gateway: ScriptedGateway
    ) -> None:
        request = SignedChaincodeEventsRequest(request=b"wait")
        responses = channel.server_stream(EVENTS, request, ChaincodeEventsResponse)
        await anext(responses)
        await channel.close()
        await asyncio.wait_for(gateway.closed.wait(), 60)
        with pytest.raises(RpcError) as caught:
            await anext(responses)
        assert caught.value.code is Code.CANCELLED

    async def test_calls_after_a_close_are_cancelled(self, channel: Channel) -> None:
        await channel.close()
        with pytest.raises(RpcError) as caught:
            await self.call(channel, "fine")
        assert caught.value.code is Code.CANCELLED

    async def test_nobody_listens(self) -> None:
        channel = self.client("127.0.0.1:1")
        with pytest.raises(RpcError, match=r"127\.0\.0\.1:1") as caught:
            await self.call(channel, "fine")
        assert caught.value.code is Code.UNAVAILABLE
        await channel.close()


class TestOursWithOurs(GrpcConformance):
    server, client = GrpcServer, GrpcChannel


class TestOurServerWithTheirClient(GrpcConformance):
    server, client = GrpcServer, GrpcioChannel


class TestTheirServerWithOurClient(GrpcConformance):
    server, client = GrpcioServer, GrpcChannel


class TestTheirsWithTheirs(GrpcConformance):
    server, client = GrpcioServer, GrpcioChannel


class OverUnixSockets(GrpcConformance):
    @pytest.fixture
    def address(self, tmp_path: Path) -> str:
        return f"unix:{tmp_path / 'socket'}"


class TestOursOverUnixSockets(OverUnixSockets):
    server, client = GrpcServer, GrpcChannel


class TestOurServerWithTheirClientOverUnixSockets(OverUnixSockets):
    server, client = GrpcServer, GrpcioChannel


class TestTheirServerWithOurClientOverUnixSockets(OverUnixSockets):
    server, client = GrpcioServer, GrpcChannel


async def test_a_socket_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    registry, _ = scripted_registry()
    with pytest.raises(
        OSError, match=f"cannot listen on unix:{tmp_path}/nowhere/socket: .*No such"
    ):
        await GrpcServer(registry, f"unix:{tmp_path}/nowhere/socket").start()
    with pytest.raises(OSError, match="path too long"):
        await GrpcServer(registry, f"unix:{tmp_path}/{'long' * 30}").start()


async def test_a_socket_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    channel = GrpcChannel(f"unix:{tmp_path}/socket")
    with pytest.raises(RpcError, match=f"failed to connect to unix:{tmp_path}/socket") as caught:
        await channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)
    assert caught.value.code is Code.UNAVAILABLE
    await channel.close()


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
PING = bytes((0, 0, 8, 6, 0, 0, 0, 0, 0)) + b"are you?"
GOAWAY, ENHANCE_YOUR_CALM = 7, 11


async def goaway_after(pings: int, port: int) -> tuple[int, bytes] | None:
    """Ping so often over bare HTTP/2, each when the last is answered: what a GOAWAY then says."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(PREFACE)
        for _ in range(pings):
            writer.write(PING)
            kind = None
            while kind != PING[3]:
                header = await reader.readexactly(9)
                payload = await reader.readexactly(int.from_bytes(header[:3], "big"))
                kind = header[3]
                if kind == GOAWAY:
                    return int.from_bytes(payload[4:8], "big"), payload[8:]
        return None
    finally:
        writer.close()


async def test_a_client_that_pings_too_often_is_sent_away() -> None:
    registry, _ = scripted_registry()
    server = GrpcServer(registry, "127.0.0.1:0")
    port = await server.start()
    try:
        assert await asyncio.wait_for(goaway_after(1, port), 60) is None
        away = await asyncio.wait_for(goaway_after(20, port), 60)
        assert away == (ENHANCE_YOUR_CALM, b"too_many_pings")
    finally:
        await server.stop(0)


def test_a_patient_client_asks_as_often_as_servers_put_up_with_and_no_more() -> None:
    """Or else it would be sent away, or notice later than Fabric's that a host has vanished."""
    assert MIN_PING_INTERVAL_MS < PATIENT.ping <= MIN_PING_INTERVAL_MS + 2_000
    assert PATIENT.ping_timeout == PING_TIMEOUT_MS == 20_000


async def test_a_taken_port_is_an_error_that_names_the_address() -> None:
    registry, _ = scripted_registry()
    first = GrpcServer(registry, "127.0.0.1:0")
    port = await first.start()
    with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
        await GrpcServer(registry, f"127.0.0.1:{port}").start()
    await first.stop(0)


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Accepts connections and says nothing; its address."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_server_that_says_nothing_is_unavailable() -> None:
    async with silent_server() as target:
        channel = GrpcChannel(target, liveness=Liveness(attempt=100))
        with pytest.raises(RpcError, match=target) as caught:
            await channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)
        assert caught.value.code is Code.UNAVAILABLE
        await channel.close()


async def test_a_channel_that_is_closed_while_it_connects_cancels_its_calls() -> None:
    async with silent_server() as target:
        channel = GrpcChannel(target)
        calling = asyncio.create_task(channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse))
        await asyncio.sleep(0.01)
        await channel.close()
        with pytest.raises(RpcError) as caught:
            await calling
        assert caught.value.code is Code.CANCELLED


async def test_a_client_that_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_server, "_HANDSHAKE_SECONDS", 0.05)
    server = GrpcServer(scripted_registry()[0], "127.0.0.1:0")
    reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
    try:
        async with asyncio.timeout(60):
            with suppress(ConnectionError):
                while await reader.read(1000):
                    pass
    finally:
        writer.close()
        await server.stop(0)


async def test_an_answer_within_the_same_tick_of_the_clock_is_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """uvloop's clock has milliseconds, and a ping to a neighbour takes less."""
    loop = asyncio.get_running_loop()
    exact = loop.time
    monkeypatch.setattr(loop, "time", lambda: exact() // 0.02 * 0.02)
    server = GrpcServer(scripted_registry()[0], "127.0.0.1:0", min_ping_interval=0)
    liveness = Liveness(ping=20, ping_timeout=20)
    channel = GrpcChannel(f"127.0.0.1:{await server.start()}", liveness=liveness)
    request = SignedChaincodeEventsRequest(request=b"wait")
    stream = channel.server_stream(EVENTS, request, ChaincodeEventsResponse)
    try:
        assert (await anext(stream)).block_number == 0
        with pytest.raises(TimeoutError):  # and not UNAVAILABLE
            await asyncio.wait_for(anext(stream), 1)
    finally:
        await channel.close()
        await server.stop(0)


async def test_a_channel_finds_a_server_that_came_back() -> None:
    registry, _ = scripted_registry()
    server = GrpcServer(registry, "127.0.0.1:0")
    port = await server.start()
    channel = GrpcChannel(f"127.0.0.1:{port}", liveness=Liveness(reconnect=(10, 20)))
    try:
        assert await channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)
        await server.stop(0)
        with pytest.raises(RpcError, match="UNAVAILABLE"):
            await channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)
        server = GrpcServer(registry, f"127.0.0.1:{port}")
        await server.start()
        async with asyncio.timeout(60):
            await channel.wait_for_ready()
        assert await channel.unary(EVALUATE, EvaluateRequest(), EvaluateResponse)
    finally:
        await channel.close()
        await server.stop(0)


def test_private_keys_stay_out_of_representations() -> None:
    assert "secret" not in repr(ServerTls(b"certificate", b"secret"))
    assert "secret" not in repr(ClientTls(b"roots", b"certificate", b"secret"))

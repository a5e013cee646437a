"""Channel and server over gRPC, on a free port of this machine."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio

from gridloom.common.rpc import Channel
from gridloom.common.rpc.grpc_channel import ClientTls, GrpcChannel
from gridloom.common.rpc.grpc_server import GrpcServer, ServerTls
from harness.transport_conformance import ScriptedGateway, TransportConformance, scripted_registry


class TestGrpcChannel(TransportConformance):
    @pytest_asyncio.fixture
    async def parts(self) -> AsyncIterator[tuple[Channel, ScriptedGateway]]:
        registry, gateway = scripted_registry()
        server = GrpcServer(registry, "127.0.0.1:0")
        channel = GrpcChannel(f"127.0.0.1:{await server.start()}")
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


async def test_a_taken_port_is_an_error_that_names_the_address() -> None:
    registry, _ = scripted_registry()
    first = GrpcServer(registry, "127.0.0.1:0")
    port = await first.start()
    with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
        await GrpcServer(registry, f"127.0.0.1:{port}").start()
    await first.stop(0)


def test_private_keys_stay_out_of_representations() -> None:
    assert "secret" not in repr(ServerTls(b"certificate", b"secret"))
    assert "secret" not in repr(ClientTls(b"roots", b"certificate", b"secret"))

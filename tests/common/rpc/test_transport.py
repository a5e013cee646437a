"""Which gRPC carries calls is chosen by the environment, at each server and channel."""

import pytest

from gridloom.common.rpc import ServiceRegistry
from gridloom.common.rpc.grpc_channel import GrpcChannel
from gridloom.common.rpc.grpc_server import GrpcServer
from gridloom.common.rpc.grpcio_channel import GrpcioChannel
from gridloom.common.rpc.grpcio_server import GrpcioServer
from gridloom.common.rpc.transport import GRPC, UnknownTransport, grpc_channel, grpc_server


@pytest.mark.parametrize(
    ("chosen", "server", "channel"),
    [
        ("", GrpcServer, GrpcChannel),
        ("gridloom", GrpcServer, GrpcChannel),
        ("grpcio", GrpcioServer, GrpcioChannel),
    ],
)
async def test_ours_is_taken_unless_the_environment_says_grpcio(
    monkeypatch: pytest.MonkeyPatch, chosen: str, server: type, channel: type
) -> None:
    monkeypatch.setenv(GRPC, chosen)
    assert isinstance(grpc_server(ServiceRegistry(), "127.0.0.1:0"), server)
    connected = grpc_channel("127.0.0.1:1")
    assert isinstance(connected, channel)
    await connected.close()


def test_what_there_is_not_is_refused_with_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GRPC, "grpc-go")
    with pytest.raises(UnknownTransport, match="GRIDLOOM_GRPC=grpc-go: say gridloom or grpcio"):
        grpc_server(ServiceRegistry(), "127.0.0.1:0")

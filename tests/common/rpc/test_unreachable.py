"""A channel to nobody."""

import pytest

from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.unreachable import UnreachableChannel
from gridloom.protos.common.common_pb2 import Envelope


async def requests():
    yield Envelope()


async def test_every_call_is_unavailable():
    channel = UnreachableChannel("nowhere:7050")
    with pytest.raises(RpcError, match="nowhere:7050") as caught:
        await channel.unary("/x/Y", Envelope(), Envelope)
    assert caught.value.code is Code.UNAVAILABLE
    for stream in (
        channel.server_stream("/x/Y", Envelope(), Envelope),
        channel.stream("/x/Y", requests(), Envelope),
    ):
        with pytest.raises(RpcError, match="nowhere:7050"):
            await anext(stream)
    await channel.close()

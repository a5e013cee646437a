"""An orderer that only delivers: blocks a test gives it, over the transport seam."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from gridloom.common.envelopes import open_envelope
from gridloom.common.height_signal import HeightSignal
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.common.common_pb2 import Block, Envelope
from gridloom.protos.orderer.ab_pb2 import DeliverResponse, SeekInfo

M = TypeVar("M", bound=Message)


class BlockOrderer:
    """Delivers its blocks by number, waits for more, and counts who connects.

    connections: the number each connection asked for first; attempts: how many there were.
    broken: every connection ends at once, as with an orderer that is down.
    """

    def __init__(self, blocks: Sequence[Block] = ()) -> None:
        self._blocks = list(blocks)
        self._signal = HeightSignal(len(self._blocks))
        self.connections: list[int] = []
        self.attempts = HeightSignal(0)
        self.broken = False

    def add(self, *blocks: Block) -> None:
        """Deliver more blocks."""
        self._blocks.extend(blocks)
        self._signal.advance(len(self._blocks))

    async def unary(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> M:
        raise RpcError(Code.UNIMPLEMENTED, method)

    async def server_stream(
        self, method: str, request: Message, response_type: type[M], *, timeout: float | None = None
    ) -> AsyncGenerator[M, None]:
        raise RpcError(Code.UNIMPLEMENTED, method)
        yield response_type()

    async def stream(
        self,
        method: str,
        requests: AsyncIterator[Message],
        response_type: type[M],
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[M, None]:
        request = await anext(requests)
        assert isinstance(request, Envelope)
        seek = SeekInfo.FromString(open_envelope(request).payload.data)
        number = seek.start.specified.number
        self.connections.append(number)
        self.attempts.advance(len(self.connections))
        if self.broken:
            raise RpcError(Code.UNAVAILABLE, "the orderer is down")
        while True:
            await self._signal.wait_for(number + 1)
            response = DeliverResponse(block=self._blocks[number])
            assert isinstance(response, response_type)
            yield response
            number += 1

    async def close(self) -> None:
        """Nothing to release."""

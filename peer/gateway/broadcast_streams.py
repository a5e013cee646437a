"""One open Broadcast stream to each orderer, on which a channel's envelopes follow one another.

Opening a stream for each envelope, as Fabric's gateway does, costs several times what sending
the envelope does.  Orderers answer in the order of what they were sent and end the stream with
the first answer that is no success, unread what came behind it.
(Fabric: broadcast of internal/pkg/gateway/submit.go, orderer/common/broadcast)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from google.protobuf.message import Message

from gridloom.common.rpc import Channel, Code, RpcError
from gridloom.common.rpc.deadline import within
from gridloom.protos.common.common_pb2 import Envelope, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
CLIENT_ERRORS = range(400, 500)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OrdererInfo:
    """One orderer of a channel: the organisation it belongs to, its endpoint, a way to it."""

    msp_id: str
    endpoint: str
    channel: Channel


class BroadcastStreams:
    """The streams of one gateway; they open when they are needed."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, str], _Stream] = {}
        self._closed = False

    async def send(
        self, channel_id: str, orderer: OrdererInfo, envelope: Envelope, timeout: float
    ) -> BroadcastResponse:
        """Return the orderer's answer to an envelope; RpcError if there is none.

        timeout: seconds.  What failed on a stream that was open before is tried once more on a
        new one, since the orderer may have been restarted meanwhile.
        """
        end = asyncio.get_running_loop().time() + timeout
        last_try = False
        while True:
            stream, new = self._stream((channel_id, orderer.endpoint), orderer.channel)
            last_try = last_try or new
            try:
                response = await stream.send(envelope, end)
            except RpcError as error:
                if last_try or error.code is Code.DEADLINE_EXCEEDED:
                    raise
                last_try = True
                continue
            if response is None:
                continue  # another one's envelope was refused, and ours not read
            if last_try or response.status == Status.SUCCESS or response.status in CLIENT_ERRORS:
                return response
            last_try = True

    async def close(self) -> None:
        """End all streams; who still waits for an answer, or comes later, gets CANCELLED."""
        self._closed = True
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            await stream.close()

    def _stream(self, key: tuple[str, str], channel: Channel) -> tuple[_Stream, bool]:
        """Return the stream to use, and whether it is a new one."""
        if self._closed:
            raise RpcError(Code.CANCELLED, "the gateway has been closed")
        stream = self._streams.get(key)
        if stream is not None:
            if stream.usable(channel):
                return stream, False
            stream.abandon()
        stream = self._streams[key] = _Stream(channel)
        return stream, True


class _Waiting(NamedTuple):
    """An envelope that was sent; answer: None if it was not read; deadline: in loop time."""

    answer: asyncio.Future[BroadcastResponse | None]
    deadline: float


class _Stream:
    """One stream; its answers go to whoever waits longest."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._requests: asyncio.Queue[Envelope] = asyncio.Queue()
        self._waiting: deque[_Waiting] = deque()
        self._over = False
        self._reading = asyncio.create_task(self._read(), name="broadcast")

    def usable(self, channel: Channel) -> bool:
        """Whether it leads where this channel does, is open, and no answer is overdue."""
        if self._over or channel is not self._channel:
            return False
        now = asyncio.get_running_loop().time()
        return not self._waiting or now < self._waiting[0].deadline

    async def send(self, envelope: Envelope, deadline: float) -> BroadcastResponse | None:
        """Return the answer to an envelope, None if it was not read; RpcError if none can come.

        If the deadline passes the stream is given up: nothing behind this one was answered.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(answer, deadline))
        self._requests.put_nowait(envelope)
        try:
            return await within(deadline, _result(answer))
        except TimeoutError as error:
            self.abandon()
            raise RpcError(Code.DEADLINE_EXCEEDED, "Deadline Exceeded") from error

    def abandon(self) -> None:
        """End it; who still waits gets CANCELLED."""
        self._end(RpcError(Code.CANCELLED, "the stream to the orderer was given up"))
        self._reading.cancel()

    async def close(self) -> None:
        """End it, and return when it has ended."""
        self.abandon()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        end: RpcError | None = RpcError(
            Code.UNAVAILABLE, "the orderer ended the stream without an answer"
        )
        responses = self._channel.stream(BROADCAST, self._sent(), BroadcastResponse)
        try:
            async with aclosing(responses):
                async for response in responses:
                    if not self._answered(response):
                        end = None
                        break
        except RpcError as error:
            end = error
        except Exception as error:
            log.exception("broadcast")
            end = RpcError(Code.UNKNOWN, f"{type(error).__name__}: {error}")
        self._end(end)

    def _answered(self, response: BroadcastResponse) -> bool:
        """Pass an answer on; False if it was the last one, because it is a refusal."""
        if not self._waiting:
            raise RpcError(Code.INTERNAL, "the orderer answered what it was not asked")
        answer = self._waiting.popleft().answer
        if not answer.done():  # whoever sent it may have gone
            answer.set_result(response)
        return response.status == Status.SUCCESS

    async def _sent(self) -> AsyncIterator[Message]:
        while True:
            yield await self._requests.get()

    def _end(self, reason: RpcError | None) -> None:
        """Tell everyone who waits that no answer will come; no reason: they were not read."""
        self._over = True
        while self._waiting:
            answer = self._waiting.popleft().answer
            if answer.done():
                continue
            if reason is None:
                answer.set_result(None)
            else:
                answer.set_exception(reason)


async def _result(
    answer: asyncio.Future[BroadcastResponse | None],
) -> BroadcastResponse | None:
    return await answer

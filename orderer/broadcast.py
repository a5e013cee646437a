"""Takes envelopes to be ordered and answers each with a status.

(Fabric: orderer/common/broadcast; PROTOCOL 19.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from dataclasses import dataclass

from gridloom.common.envelopes import OpenEnvelope, open_envelope
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.rpc import Call
from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2

from .chain import ChainUnavailable
from .filters.rejection import MessageRejected
from .message_processor import Classification, classify
from .registrar import Registrar

log = logging.getLogger(__name__)

MAX_UNANSWERED = 1_000
"""Envelopes of one stream that wait for their blocks; the next ones wait to be read."""
_SUCCESS = ab_pb2.BroadcastResponse(status=common_pb2.SUCCESS)


class BroadcastHandler:
    """Answers the streams of ``AtomicBroadcast.Broadcast``."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def handle(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[ab_pb2.BroadcastResponse, None]:
        """One answer per envelope; the first that is not SUCCESS ends the stream.

        Envelopes are judged one after the other, but need not wait for each other's blocks.
        """
        accepted: asyncio.Queue[_Accepted | None] = asyncio.Queue(MAX_UNANSWERED)
        reading = asyncio.get_running_loop().create_task(self._read(requests, accepted))
        try:
            while (next_one := await accepted.get()) is not None:
                response = await next_one.answer()
                yield response
                if response.status != common_pb2.SUCCESS:
                    return
            await reading
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def process(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        """Judge an envelope and hand it to its chain; SUCCESS means that it will be ordered."""
        return await (await self._accept(envelope)).answer()

    async def _read(
        self,
        requests: AsyncIterator[common_pb2.Envelope],
        accepted: asyncio.Queue[_Accepted | None],
    ) -> None:
        """Judge what arrives, until one is refused."""
        try:
            async for envelope in requests:
                found = await self._accept(envelope)
                await accepted.put(found)
                if found.error is not None:
                    return
        finally:
            await accepted.put(None)

    async def _accept(self, envelope: common_pb2.Envelope) -> _Accepted:
        channel_id = "unknown"
        try:
            message = _open(envelope)
            channel_id = message.channel_header.channel_id
            return _Accepted(channel_id, await self._submit(envelope, message))
        except GridloomError as error:
            return _Accepted(channel_id, error=error)

    async def _submit(
        self, envelope: common_pb2.Envelope, message: OpenEnvelope
    ) -> Awaitable[None] | None:
        support = self._registrar.find(message.channel_header.channel_id)
        if support is None:
            raise MessageRejected("channel does not exist")
        match classify(message.channel_header):
            case Classification.NORMAL:
                sequence = support.processor.process_normal(message)
                await support.chain.wait_ready()
                return await support.chain.order(envelope, sequence)
            case Classification.CONFIG_UPDATE:
                return await support.configure(envelope, message)
            case Classification.CONFIG:
                raise MessageRejected("message is of type that cannot be processed directly")
            case Classification.UNSUPPORTED:
                raise MessageRejected("message is of type that is no longer supported")


@dataclass(frozen=True, slots=True)
class _Accepted:
    """A message that its chain has taken; ordered: when it is safe; error: why it was refused."""

    channel_id: str
    ordered: Awaitable[None] | None = None
    error: GridloomError | None = None

    async def answer(self) -> ab_pb2.BroadcastResponse:
        error = self.error
        try:
            if self.ordered is not None:
                await self.ordered
        except GridloomError as failure:
            error = failure
        if error is None:
            return _SUCCESS
        status = _status(error)
        log.warning(
            "[channel: %s] rejecting broadcast with %s: %s",
            self.channel_id,
            common_pb2.Status.Name(status),
            error,
        )
        return ab_pb2.BroadcastResponse(status=status, info=str(error))


def _open(envelope: common_pb2.Envelope) -> OpenEnvelope:
    try:
        message = open_envelope(envelope)
    except MalformedMessage as error:
        raise MessageRejected(f"could not determine channel ID: {error.reason}") from error
    if not message.payload.header.channel_header:
        raise MessageRejected("could not determine channel ID: channel header not set")
    return message


def _status(error: GridloomError) -> common_pb2.Status.ValueType:
    if isinstance(error, MessageRejected):
        return error.status
    if isinstance(error, ChainUnavailable):
        return common_pb2.SERVICE_UNAVAILABLE
    return common_pb2.BAD_REQUEST

"""Takes envelopes to be ordered and answers each with a status.

(Fabric: orderer/common/broadcast; PROTOCOL 19.)
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator

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

_SUCCESS = ab_pb2.BroadcastResponse(status=common_pb2.SUCCESS)


class BroadcastHandler:
    """Answers the streams of ``AtomicBroadcast.Broadcast``."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def handle(
        self, requests: AsyncIterator[common_pb2.Envelope], call: Call
    ) -> AsyncGenerator[ab_pb2.BroadcastResponse, None]:
        """One answer per envelope; the first that is not SUCCESS ends the stream."""
        async for envelope in requests:
            response = await self.process(envelope)
            yield response
            if response.status != common_pb2.SUCCESS:
                return

    async def process(self, envelope: common_pb2.Envelope) -> ab_pb2.BroadcastResponse:
        """Judge an envelope and hand it to its chain; SUCCESS means that it will be ordered."""
        channel_id = "unknown"
        try:
            message = _open(envelope)
            channel_id = message.channel_header.channel_id
            await self._submit(envelope, message)
        except GridloomError as error:
            status = _status(error)
            log.warning(
                "[channel: %s] rejecting broadcast with %s: %s",
                channel_id,
                common_pb2.Status.Name(status),
                error,
            )
            return ab_pb2.BroadcastResponse(status=status, info=str(error))
        return _SUCCESS

    async def _submit(self, envelope: common_pb2.Envelope, message: OpenEnvelope) -> None:
        support = self._registrar.find(message.channel_header.channel_id)
        if support is None:
            raise MessageRejected("channel does not exist")
        match classify(message.channel_header):
            case Classification.NORMAL:
                sequence = support.processor.process_normal(message)
                await support.chain.wait_ready()
                await support.chain.order(envelope, sequence)
            case Classification.CONFIG_UPDATE:
                await support.configure(envelope, message)
            case Classification.CONFIG:
                raise MessageRejected("message is of type that cannot be processed directly")
            case Classification.UNSUPPORTED:
                raise MessageRejected("message is of type that is no longer supported")


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

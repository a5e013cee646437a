"""Judges envelopes and hands those that pass to their chains.

A chain judges again whatever a newer configuration has overtaken
(Fabric: ``ProcessMessage`` of orderer/common/broadcast).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass

from gridloom.common.envelopes import OpenEnvelope, open_envelope
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

from .chain import ChainUnavailable
from .filters.rejection import MessageRejected
from .message_processor import Classification, classify
from .registrar import Registrar

log = logging.getLogger(__name__)

_SUCCESS = BroadcastResponse(status=common_pb2.SUCCESS)


@dataclass(slots=True)
class Taken:
    """What became of an envelope.

    ordered: done when it is safe, None if nobody need wait; error: why it was refused.
    """

    channel_id: str
    ordered: Awaitable[None] | None = None
    error: GridloomError | None = None

    async def answer(self) -> BroadcastResponse:
        """Return what its sender is told, as soon as that is known."""
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
        return BroadcastResponse(status=status, info=str(error))


class Intake:
    """The way into the channels of a registrar."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def take(self, envelope: Envelope) -> Taken:
        """Judge an envelope and hand it to its chain."""
        channel_id = "unknown"
        try:
            message = _open(envelope)
            channel_id = message.channel_header.channel_id
            return Taken(channel_id, await self._submit(envelope, message))
        except GridloomError as error:
            return Taken(channel_id, error=error)

    async def _submit(self, envelope: Envelope, message: OpenEnvelope) -> Awaitable[None] | None:
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


def _open(envelope: Envelope) -> OpenEnvelope:
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

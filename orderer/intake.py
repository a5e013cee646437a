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

SUCCEEDED = BroadcastResponse(status=common_pb2.SUCCESS)
_REFUSALS = {
    Classification.CONFIG: "message is of type that cannot be processed directly",
    Classification.UNSUPPORTED: "message is of type that is no longer supported",
}


@dataclass(slots=True)
class Taken:
    """What became of an envelope.

    ordered: done when it is safe, None if nobody need wait; error: why it was refused.
    """

    channel_id: str
    ordered: Awaitable[None] | None = None
    error: GridloomError | None = None

    @property
    def succeeded(self) -> bool:
        """Whether that is already known to be SUCCESS."""
        return self.error is None and self.ordered is None

    async def answer(self) -> BroadcastResponse:
        """Return what its sender is told, as soon as that is known."""
        error = self.error
        try:
            if self.ordered is not None:
                await self.ordered
        except GridloomError as failure:
            error = failure
        if error is None:
            return SUCCEEDED
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
            support = self._registrar.find(channel_id)
            if support is None:
                raise MessageRejected("channel does not exist")
            message_class = classify(message.channel_header)
            if message_class is Classification.NORMAL:
                sequence = support.processor.process_normal(message)
                await support.chain.wait_ready()
                return Taken(channel_id, await support.chain.order(envelope, sequence))
            if message_class is Classification.CONFIG_UPDATE:
                return Taken(channel_id, await support.configure(envelope, message))
            raise MessageRejected(_REFUSALS[message_class])
        except GridloomError as error:
            return Taken(channel_id, error=error)


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

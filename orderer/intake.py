"""Judges envelopes and hands those that pass to their chains.

Judging is arithmetic on the envelope and the configuration in force, so that it may happen in
another thread; a chain takes its messages on the event loop and judges again whatever a newer
configuration has overtaken (Fabric: ``ProcessMessage`` of orderer/common/broadcast).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice

from gridloom.common.envelopes import OpenEnvelope, open_envelope
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.protos.common import common_pb2
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

from .chain import ChainUnavailable
from .chain_support import ChainSupport
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


@dataclass(slots=True)
class _Judged:
    """An envelope that a channel takes; sequence: it passed under, None of a config update."""

    envelope: Envelope
    message: OpenEnvelope
    support: ChainSupport
    sequence: int | None


class Intake:
    """The way into the channels of a registrar; judges: threads for judging, None for none."""

    def __init__(self, registrar: Registrar, judges: Executor | None = None) -> None:
        self._registrar = registrar
        self._judges = judges

    async def take(self, envelopes: Sequence[Envelope], *, alone: bool = True) -> list[Taken]:
        """Take envelopes in turn, as far as the first one that is refused.

        alone: nobody sends more meanwhile, so that a thread would only cost time.
        """
        taken: list[Taken] = []
        while len(taken) < len(envelopes):
            judged, refused = await self._judge(envelopes, len(taken), alone=alone)
            for each in judged:
                taken.append(await _hand_on(each))
                if taken[-1].error is not None:
                    return taken
            if refused is not None:
                taken.append(refused)
                break
        return taken

    async def _judge(
        self, envelopes: Sequence[Envelope], start: int, *, alone: bool
    ) -> tuple[list[_Judged], Taken | None]:
        if alone or self._judges is None:
            return self._judge_from(envelopes, start)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._judges, self._judge_from, envelopes, start)

    def _judge_from(
        self, envelopes: Sequence[Envelope], start: int
    ) -> tuple[list[_Judged], Taken | None]:
        """Judge envelopes from ``start`` on until one is refused or is a config update.

        A config update is judged on the event loop, in its turn, and what follows after it.
        """
        judged: list[_Judged] = []
        for envelope in islice(envelopes, start, None):
            channel_id = "unknown"
            try:
                message = _open(envelope)
                channel_id = message.channel_header.channel_id
                judged.append(self._judged(envelope, message, channel_id))
            except GridloomError as error:
                return judged, Taken(channel_id, error=error)
            if judged[-1].sequence is None:
                break
        return judged, None

    def _judged(self, envelope: Envelope, message: OpenEnvelope, channel_id: str) -> _Judged:
        support = self._registrar.find(channel_id)
        if support is None:
            raise MessageRejected("channel does not exist")
        match classify(message.channel_header):
            case Classification.NORMAL:
                sequence = support.processor.process_normal(message)
                return _Judged(envelope, message, support, sequence)
            case Classification.CONFIG_UPDATE:
                return _Judged(envelope, message, support, None)
            case Classification.CONFIG:
                raise MessageRejected("message is of type that cannot be processed directly")
            case Classification.UNSUPPORTED:
                raise MessageRejected("message is of type that is no longer supported")


async def _hand_on(judged: _Judged) -> Taken:
    support = judged.support
    try:
        if judged.sequence is None:
            ordered = await support.configure(judged.envelope, judged.message)
        else:
            await support.chain.wait_ready()
            ordered = await support.chain.order(judged.envelope, judged.sequence)
    except GridloomError as error:
        return Taken(support.channel_id, error=error)
    return Taken(support.channel_id, ordered)


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

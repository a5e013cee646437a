"""Delivering blocks to a client: one handler that orderers and peers share.

A client sends a signed ``SeekInfo`` and gets the blocks it asks for, those to come included,
then a status; after SUCCESS it may ask again on the same stream
(Fabric: common/deliver, common/ledger/blockledger/fileledger; PROTOCOL 18).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol, Self, TypeVar

from google.protobuf.message import Message

from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2

from .block_store import BlockNotFound
from .blocks import is_config_block
from .channel.bundle import ChannelBundle
from .envelopes import Clock, open_envelope
from .errors import GridloomError, MalformedMessage
from .policies.policy import SignedData
from .rpc import Call
from .wire import parse

log = logging.getLogger(__name__)

TIME_WINDOW = timedelta(minutes=15)
"""How far a request's time may be from ours (Fabric: Authentication.TimeWindow)."""

M_co = TypeVar("M_co", bound=Message, covariant=True)
M = TypeVar("M", bound=Message)


class DeliverSource(Protocol):
    """A channel of this node, as far as delivery goes."""

    @property
    def bundle(self) -> ChannelBundle:
        """The configuration in force: its sequence tells when to authorise again."""

    @property
    def first(self) -> int:
        """The number of the oldest block there is."""

    @property
    def height(self) -> int:
        """The number the next block will have."""

    @property
    def errored(self) -> asyncio.Event | None:
        """Set when the consenter can no longer vouch for the chain; None where that cannot be."""

    def get_block(self, number: int) -> common_pb2.Block:
        """Block ``number``, which is never changed; BlockNotFound."""

    async def wait_for(self, height: int) -> None:
        """Return once there are blocks up to ``height``."""


class Responses(Protocol[M_co]):
    """Builds the messages of one deliver service."""

    def status(self, status: common_pb2.Status.ValueType) -> M_co:
        """What ends an answer."""

    def block(self, block: common_pb2.Block, source: DeliverSource, signed: SignedData) -> M_co:
        """What carries a block; DeliverRefused ends the stream with another status.

        signed: the request as the client signed it, for answers that depend on who asks.
        """


Authorize = Callable[[DeliverSource, SignedData], None]
"""Raises a GridloomError when the signer may not read the channel."""


class DeliverRefused(GridloomError):
    """A request that ends with a status other than SUCCESS; the reason stays in the log."""

    def __init__(self, status: common_pb2.Status.ValueType, reason: str) -> None:
        super().__init__(f"{common_pb2.Status.Name(status)}: {reason}")
        self.status = status
        self.reason = reason


class DeliverHandler:
    """Answers the streams of a deliver service.

    sources: finds a channel by its id; now: this node's clock; check_expiration: whether the
    end of a client certificate's life ends its stream.
    """

    def __init__(
        self,
        sources: Callable[[str], DeliverSource | None],
        now: Clock,
        *,
        time_window: timedelta = TIME_WINDOW,
        check_expiration: bool = True,
    ) -> None:
        self._sources = sources
        self._now = now
        self._time_window = time_window
        self._check_expiration = check_expiration

    async def handle(
        self,
        requests: AsyncIterator[common_pb2.Envelope],
        call: Call,
        responses: Responses[M],
        authorize: Authorize,
    ) -> AsyncGenerator[M, None]:
        """Answer each request of a stream in turn, until one does not end with SUCCESS."""
        async for envelope in requests:
            try:
                request = self._open(envelope, call, authorize)
                async with aclosing(_blocks(request)) as blocks:
                    async for block in blocks:
                        yield responses.block(block, request.source, request.signed)
            except DeliverRefused as refused:
                # clients poll for channels and blocks to come: no news
                expected = refused.status == common_pb2.NOT_FOUND
                level = logging.DEBUG if expected else logging.WARNING
                log.log(level, "deliver request ends with %s", refused)
                yield responses.status(refused.status)
                return
            yield responses.status(common_pb2.SUCCESS)

    def _open(self, envelope: common_pb2.Envelope, call: Call, authorize: Authorize) -> _Request:
        """Check a request in Fabric's order: header, channel, seek info, consenter, access."""
        try:
            opened = open_envelope(envelope)
            self._check_header(opened.channel_header, call)
        except MalformedMessage as error:
            raise DeliverRefused(common_pb2.BAD_REQUEST, str(error)) from error
        channel_id = opened.channel_header.channel_id
        source = self._sources(channel_id)
        if source is None:
            raise DeliverRefused(common_pb2.NOT_FOUND, f"no channel {channel_id!r}")
        try:
            seek = parse(ab_pb2.SeekInfo, opened.payload.data, "seek info")
        except MalformedMessage as error:
            raise DeliverRefused(common_pb2.BAD_REQUEST, str(error)) from error
        errored = None if seek.error_response == ab_pb2.SeekInfo.BEST_EFFORT else source.errored
        _check_errored(errored)
        signed = opened.signed_data
        end = self._session_end(source, signed.identity) if self._check_expiration else None
        session = _Session(source, signed, authorize, self._now, end)
        session.check()
        if not (seek.HasField("start") and seek.HasField("stop")):
            raise DeliverRefused(common_pb2.BAD_REQUEST, "start or stop of the seek is missing")
        return _Request(source, seek, signed, session, errored)

    def _check_header(self, header: common_pb2.ChannelHeader, call: Call) -> None:
        if not header.HasField("timestamp"):
            raise MalformedMessage("channel header", "it must contain a timestamp")
        sent = header.timestamp.seconds * 10**6 + header.timestamp.nanos // 1000
        moment = int(self._now().timestamp() * 10**6)
        if abs(moment - sent) > self._time_window / timedelta(microseconds=1):
            reason = f"its time is more than {self._time_window} apart from this node's"
            raise MalformedMessage("channel header", reason)
        if call.mutual_tls:
            if not header.tls_cert_hash:
                raise MalformedMessage("channel header", "client didn't include its TLS cert hash")
            if call.certificate is None:
                raise MalformedMessage("channel header", "client didn't send a TLS certificate")
            if sha256(call.certificate).digest() != header.tls_cert_hash:
                raise MalformedMessage("channel header", "it claims another TLS certificate")

    def _session_end(self, source: DeliverSource, identity: bytes) -> datetime | None:
        try:
            return source.bundle.msp_manager.deserialize(identity).expires_at
        except GridloomError:
            return None  # of no known MSP: authorisation says so


@dataclass(slots=True)
class _Session:
    """Whether one client may go on reading (Fabric: SessionAccessControl).

    The policy is asked once, and again whenever the configuration has changed.
    """

    source: DeliverSource
    signed: SignedData
    authorize: Authorize
    now: Clock
    end: datetime | None
    sequence: int = -1

    def check(self) -> None:
        if self.end is not None and self.now() > self.end:
            raise DeliverRefused(common_pb2.FORBIDDEN, f"client identity expired at {self.end}")
        sequence = self.source.bundle.sequence
        if sequence > self.sequence:
            self.sequence = sequence
            try:
                self.authorize(self.source, self.signed)
            except GridloomError as error:
                raise DeliverRefused(common_pb2.FORBIDDEN, str(error)) from error


@dataclass(frozen=True, slots=True)
class _Request:
    source: DeliverSource
    seek: ab_pb2.SeekInfo
    signed: SignedData
    session: _Session
    errored: asyncio.Event | None


async def _blocks(request: _Request) -> AsyncGenerator[common_pb2.Block, None]:
    """The blocks of a request, waiting for those to come; DeliverRefused ends it early."""
    source, seek = request.source, request.seek
    start = _start(source, seek.start)
    stop = _stop(source, seek, 0 if start is None else start)
    if start is None:
        raise DeliverRefused(common_pb2.NOT_FOUND, "there is no such start")
    number = start
    with _Waiting(request.errored) as waiting:
        while True:
            _check_errored(request.errored)
            if number >= source.height:
                if seek.behavior == ab_pb2.SeekInfo.FAIL_IF_NOT_READY:
                    raise DeliverRefused(common_pb2.NOT_FOUND, f"block {number} is not there yet")
                await waiting.for_height(source, number + 1)
            block = _get(source, number)
            request.session.check()
            if seek.content_type == ab_pb2.SeekInfo.HEADER_WITH_SIG and not is_config_block(block):
                yield common_pb2.Block(header=block.header, metadata=block.metadata)
            else:
                yield block
            if number == stop:
                return
            number += 1


def _start(source: DeliverSource, position: ab_pb2.SeekPosition) -> int | None:
    """The first block's number, None when the position names no block and never will."""
    match position.WhichOneof("Type"):
        case "oldest":
            number = 0
        case "newest":
            number = max(source.height - 1, source.first)
        case "specified":
            number = position.specified.number
        case "next_commit":
            number = source.height
        case _:
            return None
    return number if source.first <= number <= source.height else None


def _stop(source: DeliverSource, seek: ab_pb2.SeekInfo, start: int) -> int:
    """The last block's number; positions that Fabric does not handle here stand for 0."""
    match seek.stop.WhichOneof("Type"):
        case "oldest":
            return start
        case "newest":
            return start if seek.start == seek.stop else source.height - 1
        case "specified":
            if seek.stop.specified.number < start:
                reason = f"it stops at {seek.stop.specified.number}, before its start {start}"
                raise DeliverRefused(common_pb2.BAD_REQUEST, reason)
            return seek.stop.specified.number
        case _:
            return 0


def _get(source: DeliverSource, number: int) -> common_pb2.Block:
    try:
        return source.get_block(number)
    except BlockNotFound as error:
        raise DeliverRefused(common_pb2.NOT_FOUND, str(error)) from error
    except GridloomError as error:
        log.exception("cannot read block %d", number)
        raise DeliverRefused(common_pb2.SERVICE_UNAVAILABLE, str(error)) from error


class _Waiting:
    """A stream's waits for its blocks, which end when the consenter errs.

    One task for the whole stream hears of that and interrupts whoever waits, as a timeout does:
    two tasks for each block took longer than all else that is done to deliver it.
    """

    def __init__(self, errored: asyncio.Event | None) -> None:
        self._errored = errored
        self._hearing: asyncio.Task[None] | None = None
        self._waiter: asyncio.Task[object] | None = None
        self._interrupted = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._hearing is not None:
            self._hearing.cancel()

    async def for_height(self, source: DeliverSource, height: int) -> None:
        """Return once there are so many blocks; DeliverRefused if the consenter errs before."""
        if self._errored is None:
            await source.wait_for(height)
            return
        if self._hearing is None or self._hearing.done():
            self._hearing = asyncio.create_task(self._hear(self._errored))
        waiter = self._waiter = asyncio.current_task()
        try:
            await source.wait_for(height)
        except asyncio.CancelledError:
            if not self._interrupted or waiter is None or waiter.uncancel():
                raise  # by somebody else, perhaps as well
            raise _erred() from None
        finally:
            self._waiter = None

    async def _hear(self, errored: asyncio.Event) -> None:
        await errored.wait()
        if self._waiter is not None:
            self._interrupted = True
            self._waiter.cancel()


def _check_errored(errored: asyncio.Event | None) -> None:
    if errored is not None and errored.is_set():
        raise _erred()


def _erred() -> DeliverRefused:
    return DeliverRefused(common_pb2.SERVICE_UNAVAILABLE, "the consenter reports an error")

"""Pulling a channel's blocks from orderers, for as long as the reader likes.

The stream of blocks has no gaps and no repetitions: when a connection breaks or a block is
not what it should be, the client turns to the next orderer and asks for the block it lacks
(Fabric: internal/pkg/peer/blocksprovider, internal/pkg/peer/orderers).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from gridloom.protos.common import common_pb2
from gridloom.protos.orderer import ab_pb2

from .envelopes import NEVER, NONCE_LENGTH, Clock, block_position, seek_envelope
from .errors import GridloomError
from .identities import Signer
from .rpc import Channel

log = logging.getLogger(__name__)

DELIVER = "/orderer.AtomicBroadcast/Deliver"


class DeliveryInterrupted(GridloomError):
    """An orderer ended the stream or sent what nobody asked for; reason in words."""

    def __init__(self, channel_id: str, reason: str) -> None:
        super().__init__(f"[channel: {channel_id}] {reason}")
        self.channel_id = channel_id
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: first, times ``factor`` each time without a block, to ``limit``."""

    first: float = 0.05
    factor: float = 1.2
    limit: float = 10.0

    def delay(self, failures: int) -> float:
        """The pause after so many failures in a row (at least 1)."""
        exponent = min(failures - 1, 1000)
        return min(self.first * self.factor**exponent, self.limit)


class DeliverClient:
    """Reads the blocks of ``channel_id`` with the identity of ``signer``.

    connect: the channel to an orderer, asked anew after each failure, so that it can go
    round several; verify: raises a GridloomError for a block that must not be believed,
    which then counts as a failure of that orderer; error_response: whether orderers without a
    leader may answer; sleep: the pause between attempts.
    """

    def __init__(
        self,
        channel_id: str,
        connect: Callable[[], Channel],
        signer: Signer,
        now: Clock,
        random_bytes: Callable[[int], bytes],
        *,
        verify: Callable[[common_pb2.Block], None] | None = None,
        tls_cert_hash: bytes = b"",
        error_response: ab_pb2.SeekInfo.SeekErrorResponse.ValueType = ab_pb2.SeekInfo.STRICT,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.channel_id = channel_id
        self._connect = connect
        self._signer = signer
        self._now = now
        self._random_bytes = random_bytes
        self._verify = verify
        self._tls_cert_hash = tls_cert_hash
        self._error_response = error_response
        self._backoff = backoff or Backoff()
        self._sleep = sleep

    async def blocks(self, start: int) -> AsyncGenerator[common_pb2.Block, None]:
        """Every block from number ``start`` on, without end; close it to stop."""
        number = start
        failures = 0
        while True:
            try:
                async with aclosing(self._connected(number)) as blocks:
                    async for block in blocks:
                        number, failures = number + 1, 0
                        yield block
            except GridloomError as error:
                failures += 1
                pause = self._backoff.delay(failures)
                log.warning("block %d: %s; next attempt in %.2f s", number, error, pause)
                await self._sleep(pause)

    async def _connected(self, number: int) -> AsyncGenerator[common_pb2.Block, None]:
        """The blocks one connection gives; a GridloomError when it ends."""
        request = seek_envelope(
            self.channel_id,
            block_position(number),
            NEVER,
            ab_pb2.SeekInfo.BLOCK_UNTIL_READY,
            self._signer,
            self._now,
            self._random_bytes(NONCE_LENGTH),
            tls_cert_hash=self._tls_cert_hash,
            error_response=self._error_response,
        )
        channel = self._connect()
        async with aclosing(
            channel.stream(DELIVER, _one(request), ab_pb2.DeliverResponse)
        ) as responses:
            async for response in responses:
                if response.WhichOneof("Type") != "block":
                    status = common_pb2.Status.Name(response.status)
                    raise DeliveryInterrupted(self.channel_id, f"the orderer answered {status}")
                block = response.block
                if block.header.number != number:
                    reason = f"the orderer sent block {block.header.number} instead of {number}"
                    raise DeliveryInterrupted(self.channel_id, reason)
                if self._verify is not None:
                    self._verify(block)
                number += 1
                yield block
        raise DeliveryInterrupted(self.channel_id, "the orderer closed the stream")


async def _one(envelope: common_pb2.Envelope) -> AsyncIterator[common_pb2.Envelope]:
    yield envelope

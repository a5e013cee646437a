"""Ordering without peers: Broadcast on a few streams, and Deliver to see what became of it.

(Fabric: the orderer's AtomicBroadcast service, orderer/sample_clients/broadcast_msg)
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime

from google.protobuf.message import Message

from gridloom.client.admin import BroadcastError
from gridloom.common.envelopes import (
    NEVER,
    NEWEST,
    NONCE_LENGTH,
    seek_envelope,
    signed_envelope,
)
from gridloom.common.errors import GridloomError
from gridloom.common.identities import SigningIdentity
from gridloom.common.rpc import Channel
from gridloom.protos.common.common_pb2 import ENDORSER_TRANSACTION, SUCCESS, Envelope, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse, SeekInfo
from gridloom.protos.peer.transaction_pb2 import Transaction, TransactionAction

from .errors import NetworkUnusable

BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
DELIVER = "/orderer.AtomicBroadcast/Deliver"
KEY_LENGTH = 64
"""Last bytes of an envelope by which it is known again: they are of its signature."""


def _now() -> datetime:
    return datetime.now(UTC)


class _Stream:
    """One Broadcast stream; answers come in the order of the envelopes."""

    def __init__(self, orderer: Channel) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._requests: deque[Envelope] = deque()
        self._some = asyncio.Event()
        self._task = asyncio.create_task(self._run(orderer))

    def send(self, envelope: Envelope, delivered: asyncio.Future[None]) -> None:
        """Send an envelope; ``delivered`` becomes BroadcastError if the orderer refuses it."""
        if self._task.done():
            self._task.result()
        self._waiting.append(delivered)
        self._requests.append(envelope)
        self._some.set()

    async def _send_all(self) -> AsyncIterator[Message]:
        while True:
            while self._requests:
                yield self._requests.popleft()
            self._some.clear()
            await self._some.wait()

    async def _run(self, orderer: Channel) -> None:
        try:
            responses = orderer.stream(BROADCAST, self._send_all(), BroadcastResponse)
            async with aclosing(responses):
                async for response in responses:
                    delivered = self._waiting.popleft()
                    if response.status != SUCCESS and not delivered.done():
                        delivered.set_exception(BroadcastError(response.status, response.info))
            raise NetworkUnusable("orderer", "it closed the Broadcast stream")
        except GridloomError as error:
            self._fail(error)
            raise

    def _fail(self, error: GridloomError) -> None:
        while self._waiting:
            delivered = self._waiting.popleft()
            if not delivered.done():
                delivered.set_exception(error)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class Ordering:
    """Has envelopes ordered on a channel and knows when a block brings them."""

    def __init__(self, orderer: Channel, signer: SigningIdentity, channel: str) -> None:
        self._orderer = orderer
        self._signer = signer
        self._channel = channel
        self._streams: list[_Stream] = []
        self._next = 0
        self._made = 0, b""
        self._delivered: dict[bytes, asyncio.Future[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def start(self, streams: int) -> None:
        """Open the streams and wait for the newest block: from then on none can be missed."""
        watching = asyncio.Event()
        self._watch = asyncio.create_task(self._follow(watching))
        waiting = asyncio.create_task(watching.wait())
        await asyncio.wait({self._watch, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._watch.done():
            await self._watch
        self._streams = [_Stream(self._orderer) for _ in range(streams)]

    async def order(self, size: int) -> None:
        """Have an envelope of ``size`` bytes ordered, and return when a block brought it.

        No peer will find it valid, but each can read it: a Transaction with nothing to do.
        """
        envelope = signed_envelope(
            ENDORSER_TRANSACTION,
            self._channel,
            self._transaction(size),
            self._signer,
            _now,
            os.urandom(NONCE_LENGTH),
        )
        key = envelope.signature[-KEY_LENGTH:]
        delivered = self._delivered[key] = asyncio.get_running_loop().create_future()
        self._next = (self._next + 1) % len(self._streams)
        try:
            self._streams[self._next].send(envelope, delivered)
            await delivered
        finally:
            self._delivered.pop(key, None)

    async def stop(self) -> None:
        """Close the streams."""
        for stream in self._streams:
            await stream.stop()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    def _transaction(self, size: int) -> bytes:
        """What makes an envelope of ``size`` bytes; a nonce in its header makes each another."""
        if self._made[0] != size:
            filler = bytes(max(0, size - 200 - len(self._signer.serialized)))
            transaction = Transaction(actions=[TransactionAction(header=filler)])
            self._made = size, transaction.SerializeToString()
        return self._made[1]

    async def _follow(self, watching: asyncio.Event) -> None:
        try:
            await self._read_blocks(watching)
        except GridloomError as error:
            for delivered in self._delivered.values():
                if not delivered.done():
                    delivered.set_exception(error)
            raise

    async def _read_blocks(self, watching: asyncio.Event) -> None:
        seek = seek_envelope(
            self._channel, NEWEST, NEVER, SeekInfo.BLOCK_UNTIL_READY, self._signer, _now,
            os.urandom(NONCE_LENGTH),
        )  # fmt: skip
        responses = self._orderer.stream(DELIVER, _and_wait(seek), DeliverResponse)
        async with aclosing(responses):
            async for response in responses:
                if response.WhichOneof("Type") == "status":
                    name = Status.Name(response.status)
                    raise NetworkUnusable("orderer", f"it ended the delivery with {name}")
                watching.set()
                for data in response.block.data.data:
                    self._arrived(data)
        raise NetworkUnusable("orderer", "it closed the Deliver stream")

    def _arrived(self, envelope: bytes) -> None:
        delivered = self._delivered.get(envelope[-KEY_LENGTH:])
        if delivered is not None and not delivered.done():
            delivered.set_result(None)


async def _and_wait(envelope: Envelope) -> AsyncIterator[Message]:
    yield envelope
    await asyncio.Event().wait()

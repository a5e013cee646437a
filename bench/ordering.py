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
from hashlib import sha256

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
from gridloom.protos.common.common_pb2 import ENDORSER_TRANSACTION, Envelope, Status
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse, DeliverResponse, SeekInfo
from gridloom.protos.peer.transaction_pb2 import Transaction, TransactionAction

from .errors import NetworkUnusable

BROADCAST = "/orderer.AtomicBroadcast/Broadcast"
DELIVER = "/orderer.AtomicBroadcast/Deliver"


def _now() -> datetime:
    return datetime.now(UTC)


class _Stream:
    """One Broadcast stream; answers come in the order of the envelopes."""

    def __init__(self, orderer: Channel) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._requests: asyncio.Queue[Envelope] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(orderer))

    async def send(self, envelope: Envelope) -> None:
        """Return when the orderer has taken it; BroadcastError if it refuses."""
        if self._task.done():
            await self._task
        accepted = asyncio.get_running_loop().create_future()
        self._waiting.append(accepted)
        self._requests.put_nowait(envelope)
        await accepted

    async def _send_all(self) -> AsyncIterator[Message]:
        while True:
            yield await self._requests.get()

    async def _run(self, orderer: Channel) -> None:
        try:
            responses = orderer.stream(BROADCAST, self._send_all(), BroadcastResponse)
            async with aclosing(responses):
                async for response in responses:
                    accepted = self._waiting.popleft()
                    if accepted.done():
                        continue
                    if response.status == Status.SUCCESS:
                        accepted.set_result(None)
                    else:
                        accepted.set_exception(BroadcastError(response.status, response.info))
        except GridloomError as error:
            self._fail(error)
            raise
        self._fail(NetworkUnusable("orderer", "it closed the Broadcast stream"))

    def _fail(self, error: GridloomError) -> None:
        while self._waiting:
            accepted = self._waiting.popleft()
            if not accepted.done():
                accepted.set_exception(error)

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
        filler = os.urandom(16) + bytes(max(0, size - 16 - self._overhead()))
        data = Transaction(actions=[TransactionAction(header=filler)]).SerializeToString()
        envelope = signed_envelope(
            ENDORSER_TRANSACTION, self._channel, data, self._signer, _now, os.urandom(NONCE_LENGTH)
        )
        key = sha256(envelope.payload).digest()
        delivered = self._delivered[key] = asyncio.get_running_loop().create_future()
        self._next = (self._next + 1) % len(self._streams)
        try:
            await self._streams[self._next].send(envelope)
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

    def _overhead(self) -> int:
        return 200 + len(self._signer.serialized)

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
                    self._arrived(Envelope.FromString(data).payload)
        raise NetworkUnusable("orderer", "it closed the Deliver stream")

    def _arrived(self, payload: bytes) -> None:
        delivered = self._delivered.get(sha256(payload).digest())
        if delivered is not None and not delivered.done():
            delivered.set_result(None)


async def _and_wait(envelope: Envelope) -> AsyncIterator[Message]:
    yield envelope
    await asyncio.Event().wait()

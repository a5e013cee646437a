"""Takes envelopes to be ordered and answers each with a status, in the order they came.

A stream is read and answered at the same time: what has arrived together is judged in one go,
and nobody waits for the blocks of those before
(Fabric: orderer/common/broadcast; PROTOCOL 19).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

from gridloom.common.read_ahead import ReadAhead
from gridloom.common.rpc import Call
from gridloom.protos.common.common_pb2 import Envelope
from gridloom.protos.orderer.ab_pb2 import BroadcastResponse

from .intake import SUCCEEDED, Intake, Taken
from .registrar import Registrar

MAX_UNANSWERED = 1_000
"""Envelopes of one stream that wait for their blocks; the next ones wait to be read."""
MAX_TOGETHER = 100
"""Envelopes judged in one go; then others have their turn."""


class BroadcastHandler:
    """Answers the streams of ``AtomicBroadcast.Broadcast``."""

    def __init__(self, registrar: Registrar) -> None:
        self._intake = Intake(registrar)

    async def handle(
        self, requests: AsyncIterator[Envelope], call: Call
    ) -> AsyncGenerator[BroadcastResponse, None]:
        """One answer per envelope; the first that is not SUCCESS ends the stream."""
        stream = _Stream(self._intake)
        taking = asyncio.get_running_loop().create_task(stream.take(requests))
        try:
            while await stream.progress():
                while stream.taken:
                    taken = stream.taken.popleft()
                    response = SUCCEEDED if taken.succeeded else await taken.answer()
                    yield response
                    if response is not SUCCEEDED:
                        return
                    stream.answered()
            await taking
        finally:
            taking.cancel()
            await asyncio.wait([taking])

    async def process(self, envelope: Envelope) -> BroadcastResponse:
        """Judge an envelope and hand it to its chain; SUCCESS means that it will be ordered."""
        return await (await self._intake.take(envelope)).answer()


class _Stream:
    """The envelopes of one stream: taken, then answered."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.taken: deque[Taken] = deque()
        """Those to be answered, in their order."""
        self._unanswered = 0
        self._all_taken = False
        self._progress, self._room = asyncio.Event(), asyncio.Event()

    async def take(self, requests: AsyncIterator[Envelope]) -> None:
        """Take all that arrives, as long as there is room, until one is refused."""
        arrived: deque[Envelope] = deque()
        reading = ReadAhead(requests)
        try:
            while arrived or not reading.over:
                reading.read(arrived, MAX_UNANSWERED - self._unanswered)
                if not arrived:
                    await reading.wait(arrived)
                for _ in range(min(MAX_TOGETHER, len(arrived))):
                    if not await self._take(arrived.popleft()):
                        return
                await asyncio.sleep(0)  # always, or blocks and answers wait for whoever sends a lot
        finally:
            self._all_taken = True
            self._progress.set()
            await reading.close()

    async def _take(self, envelope: Envelope) -> bool:
        """Take one, and return whether the next one may follow, once there is room for it."""
        taken = await self._intake.take(envelope)
        self.taken.append(taken)
        self._unanswered += 1
        self._progress.set()
        while self._unanswered >= MAX_UNANSWERED:
            self._room.clear()
            await self._room.wait()
        return taken.error is None

    async def progress(self) -> bool:
        """Return once there is something to be answered, or False after the last."""
        while not self.taken:
            if self._all_taken:
                return False
            self._progress.clear()
            await self._progress.wait()
        return True

    def answered(self) -> None:
        """The one before has its answer."""
        self._unanswered -= 1
        self._room.set()

"""A chain whose order is the order of arrival.

Messages are cut into batches the moment they arrive and one task writes the batches, so
cutting never waits for the disk.  Only behind a config message everything waits, because
what follows must be judged by the new configuration (Fabric 2.5: consensus/solo/consensus.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from gridloom.common.channel.sections import OrdererConfig
from gridloom.protos.common.common_pb2 import Envelope

from ..arrival import Arrival
from ..block_cutter import Batch
from ..chain import ChainUnavailable, ConsenterSupport, CuttingMode, Timer, TimerHandle
from .rest import Rest

log = logging.getLogger(__name__)

MAX_WAITING_BLOCKS = 5
"""Batches cut but not yet written, above which ``wait_ready`` waits (as etcdraft's in-flight)."""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Told to cut here; number: of the block that this makes, None if it makes none."""

    number: asyncio.Future[int | None]


@dataclass(frozen=True, slots=True)
class _ReadyBatch:
    """What will be one block, or none if it is empty.

    cut: who waits for it to be written; paced: whether the next one rests after it.
    """

    envelopes: Batch
    is_config: bool = False
    cut: _Cut | None = None
    paced: bool = False


class SoloChain:
    """See ``Chain`` for the contract of each method."""

    relation = "other"
    """To a cluster that there is not."""
    leads = True

    def __init__(
        self,
        support: ConsenterSupport,
        cutting: CuttingMode,
        timer: Timer,
        seconds: Callable[[], float],
    ) -> None:
        self._support = support
        self._cutting = cutting
        self._timed = cutting is CuttingMode.BATCH_TIMEOUT
        self._new_timer = timer
        self._timer: TimerHandle | None = None
        self._behind: deque[Arrival | _Cut] = deque()
        """What came after a config message that is not in force yet."""
        self._ready: deque[_ReadyBatch] = deque()
        self._reconfiguring = False
        self._refusal = "the chain is not running"
        self._failed = False
        self._work = asyncio.Event()
        self._rest = Rest(timer, seconds, self._work.set)
        self._room = asyncio.Event()
        self._room.set()
        self._writer: asyncio.Task[None] | None = None
        self.errored = asyncio.Event()

    @property
    def status(self) -> str:
        return "failed" if self._failed else "active"

    @property
    def ready(self) -> bool:
        return not self._refusal

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        """Solo has no metadata of its own, so whatever stands there will do."""

    def start(self) -> None:
        self._refusal = ""
        self._writer = asyncio.get_running_loop().create_task(self._write_batches())

    async def halt(self) -> None:
        self._refusal = self._refusal or "the chain has been halted"
        self._stop_timer()
        self._rest.stop()
        self._work.set()
        if self._writer is not None:
            await self._writer
        self._room.set()
        self.errored.set()

    async def order(self, envelope: Envelope, config_sequence: int) -> None:
        self._accept(Arrival(envelope, config_sequence, is_config=False))

    async def configure(self, envelope: Envelope, config_sequence: int) -> None:
        self._accept(Arrival(envelope, config_sequence, is_config=True))

    async def wait_ready(self) -> None:
        if not self._room.is_set():
            await self._room.wait()
        self._check_accepting()

    async def cut(self) -> int | None:
        self._check_accepting()
        cut = _Cut(asyncio.get_running_loop().create_future())
        self._accept(cut)
        return await cut.number

    def _check_accepting(self) -> None:
        if self._refusal:
            raise ChainUnavailable(self._support.channel_id, self._refusal)

    def _accept(self, message: Arrival | _Cut) -> None:
        self._check_accepting()
        if self._reconfiguring:
            self._behind.append(message)
        else:
            self._add_to_batch(message)

    def _go_on(self) -> None:
        """Bring what stood behind a config message into batches, as far as the next one."""
        self._reconfiguring = False
        while self._behind and not self._reconfiguring:
            self._add_to_batch(self._behind.popleft())

    def _add_to_batch(self, arrival: Arrival | _Cut) -> None:
        if isinstance(arrival, _Cut):
            self._add(_ReadyBatch(self._support.cutter.cut(), cut=arrival))
        elif (message := arrival.judged(self._support)) is not None:
            self._take(message)
        if self._timed:
            self._watch_timer()
        if not self._work.is_set() and self._may_cut:
            self._work.set()

    def _take(self, message: Arrival) -> None:
        if message.is_config:
            self._add(_ReadyBatch(self._support.cutter.cut()))
            self._add(_ReadyBatch([message.envelope], is_config=True))
            self._reconfiguring = True
            return
        size = self._support.orderer_config.batch_size
        for batch in self._support.cutter.ordered(message.envelope, size):
            self._add(_ReadyBatch(batch))

    @property
    def _cuts_at_once(self) -> bool:
        return self._cutting is CuttingMode.IDLE or bool(self._refusal)

    @property
    def _may_cut(self) -> bool:
        """Whether the block under way may be ended although it is not full."""
        if not self._cuts_at_once:
            return False
        waiting = self._support.cutter.pending
        return waiting > 0 and not self._rest.holds(waiting)

    def _add(self, batch: _ReadyBatch) -> None:
        if not batch.envelopes and batch.cut is None:
            return
        self._ready.append(batch)
        self._work.set()
        if len(self._ready) > MAX_WAITING_BLOCKS:
            self._room.clear()

    def _watch_timer(self) -> None:
        """Let the batch timer run exactly while messages wait for their batch to end."""
        if self._refusal or not self._support.cutter.pending:
            self._stop_timer()
        elif self._timer is None:
            seconds = self._support.orderer_config.batch_timeout / timedelta(seconds=1)
            self._timer = self._new_timer(seconds, self._on_timeout)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timeout(self) -> None:
        self._timer = None
        self._add(_ReadyBatch(self._support.cutter.cut()))

    def _next(self) -> _ReadyBatch | None:
        if self._ready:
            batch = self._ready.popleft()
            if len(self._ready) <= MAX_WAITING_BLOCKS:
                self._room.set()
            return batch
        if self._may_cut:
            batch = _ReadyBatch(self._support.cutter.cut(), paced=not self._refusal)
            if batch.paced:
                self._rest.begin(len(batch.envelopes))
            return batch
        return None

    async def _write_batches(self) -> None:
        while not self._refusal or self._ready or self._support.cutter.pending:
            await self._work.wait()
            self._work.clear()
            while (batch := self._next()) is not None:
                try:
                    await self._write(batch)
                except Exception:
                    self._fail(batch)
                    return

    async def _write(self, batch: _ReadyBatch) -> None:
        number = None
        if batch.envelopes:
            block = self._support.create_next_block(batch.envelopes)
            number = block.header.number
            if batch.is_config:
                await self._support.write_config_block(block)
                self._go_on()
            else:
                await self._support.write_block(block)
            if batch.paced:
                self._rest.written()
                self._support.when_followed(self._rest.taken_up)
        if batch.cut is not None and not batch.cut.number.done():
            batch.cut.number.set_result(number)

    def _fail(self, batch: _ReadyBatch) -> None:
        """Nothing can follow a block that was not written: refuse everything from here on."""
        channel_id = self._support.channel_id
        log.exception("[channel: %s] cannot write a block, the chain stops", channel_id)
        self._refusal = "the chain has failed"
        self._failed = True
        self._stop_timer()
        self.errored.set()
        self._room.set()
        lost = [batch.cut, *(ready.cut for ready in self._ready), *self._behind]
        for cut in lost:
            if isinstance(cut, _Cut) and not cut.number.done():
                cut.number.set_exception(ChainUnavailable(channel_id, self._refusal))
        self._ready.clear()
        self._behind.clear()

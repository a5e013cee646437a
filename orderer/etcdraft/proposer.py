"""What a leader does: judges, cuts and proposes blocks, some of them at a time.

Only behind a config block everything waits, for what follows must be judged by the new
configuration (Fabric: orderer/consensus/etcdraft/{chain,blockcreator}.go).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import timedelta

from gridloom.common.blocks import header_hash, new_block
from gridloom.common.envelopes import open_channel_header
from gridloom.common.errors import MalformedMessage
from gridloom.protos.common.common_pb2 import CONFIG, Block, BlockHeader, Envelope

from ..arrival import Arrival
from ..block_cutter import Batch, BlockCutter
from ..chain import (
    LONGEST_REST,
    REST_PER_MESSAGE,
    ConsenterSupport,
    CuttingMode,
    Timer,
    TimerHandle,
)


class Proposer:
    """Turns messages into proposed blocks while its node leads.

    max_in_flight: blocks proposed and not written; propose: hands a block to Raft, whether it
    took it;
    concerns_self: whether a CONFIG message takes this node out, which another leader must order.
    """

    def __init__(
        self,
        support: ConsenterSupport,
        cutting: CuttingMode,
        timer: Timer,
        *,
        max_in_flight: int,
        propose: Callable[[Block], bool],
        concerns_self: Callable[[Envelope], bool],
    ) -> None:
        self._support = support
        self._cutting = cutting
        self._new_timer = timer
        self._max_in_flight = max_in_flight
        self._propose = propose
        self._concerns_self = concerns_self
        self._cutter = BlockCutter()
        self._arrived: deque[Arrival] = deque()
        self._last: BlockHeader | None = None
        self._in_flight = 0
        self._reconfiguring = False
        self._batch_timer: TimerHandle | None = None
        self._resting: TimerHandle | None = None

    @property
    def active(self) -> bool:
        """Whether blocks may be proposed now, besides the limit of those in flight."""
        return self._last is not None

    @property
    def waiting(self) -> int:
        """Messages that are in no block yet."""
        return len(self._arrived)

    def lead(self, last: BlockHeader) -> None:
        """Begin to propose blocks after the block ``last``."""
        self._last = last
        self._work()

    def retire(self) -> None:
        """Another leads: forget everything."""
        self._stop_timers()
        self._arrived.clear()
        self._cutter = BlockCutter()
        self._last = None
        self._in_flight = 0
        self._reconfiguring = False

    def take(self, arrival: Arrival) -> None:
        """Order a message after all that came before it."""
        self._arrived.append(arrival)
        self._work()

    def pause(self) -> None:
        """Propose nothing until ``resume``: members are changing."""
        self._reconfiguring = True

    def resume(self) -> None:
        """The configuration in force is the one to go on with."""
        self._reconfiguring = False
        self._work()

    def written(self, messages: int) -> None:
        """A block of so many messages has been written."""
        self._in_flight = max(0, self._in_flight - 1)
        if self.active and self._cutting is CuttingMode.IDLE and not self._in_flight:
            seconds = min(LONGEST_REST, REST_PER_MESSAGE * messages)
            self._resting = self._resting or self._new_timer(seconds, self._on_rested)
        self._work()

    def cut(self) -> int | None:
        """End the block under way; returns its number, None if no message waited."""
        if not self.active or not self._cutter.pending:
            return None
        return self._begin(self._cutter.cut())

    # --- how it works ----------------------------------------------------------

    @property
    def _room(self) -> bool:
        return self.active and not self._reconfiguring and self._in_flight < self._max_in_flight

    def _work(self) -> None:
        while self._arrived and self._room:
            arrival = self._arrived.popleft().judged(self._support)
            if arrival is not None:
                self._order(arrival)
        idle = self._cutting is CuttingMode.IDLE and not self._in_flight and self._resting is None
        if idle and self._room and self._cutter.pending:
            self._begin(self._cutter.cut())
        self._watch_timer()

    def _order(self, arrival: Arrival) -> None:
        if not arrival.is_config:
            size = self._support.orderer_config.batch_size
            for batch in self._cutter.ordered(arrival.envelope, size):
                self._begin(batch)
            return
        if self._concerns_self(arrival.envelope):
            return  # it comes again, to the next leader
        if self._cutter.pending:
            self._begin(self._cutter.cut())
        self._begin([arrival.envelope])
        self._reconfiguring = True

    def _begin(self, batch: Batch) -> int | None:
        """Propose a block; returns its number."""
        if self._last is None:
            return None
        number = self._last.number + 1
        serialized = [envelope.SerializeToString() for envelope in batch]
        block = new_block(number, header_hash(self._last), serialized)
        if not self._propose(block):
            self._put_back(batch)
            return None
        self._last = block.header
        self._in_flight += 1
        return number

    def _put_back(self, batch: Batch) -> None:
        """Raft takes nothing while it hands the leadership over: wait for how that ends."""
        sequence = self._support.sequence
        self._arrived.extendleft(
            Arrival(envelope, sequence, is_config=is_config(envelope))
            for envelope in reversed(batch)
        )
        self._reconfiguring = True

    def _watch_timer(self) -> None:
        """Let the batch timer run exactly while messages wait for their batch to end."""
        timed = self._cutting is CuttingMode.BATCH_TIMEOUT and self.active
        if not timed or not self._cutter.pending:
            if self._batch_timer is not None:
                self._batch_timer.cancel()
                self._batch_timer = None
        elif self._batch_timer is None:
            seconds = self._support.orderer_config.batch_timeout / timedelta(seconds=1)
            self._batch_timer = self._new_timer(seconds, self._on_timeout)

    def _stop_timers(self) -> None:
        for timer in (self._batch_timer, self._resting):
            if timer is not None:
                timer.cancel()
        self._batch_timer = self._resting = None

    def _on_timeout(self) -> None:
        self._batch_timer = None
        if self.active and self._cutter.pending:
            self._begin(self._cutter.cut())

    def _on_rested(self) -> None:
        self._resting = None
        self._work()


def is_config(envelope: Envelope) -> bool:
    """Whether a message is a CONFIG message, which gets a block of its own."""
    try:
        return open_channel_header(envelope).type == CONFIG
    except MalformedMessage:
        return False

"""What orders a channel's messages: the contract between consenters and the rest of the orderer.

A ``Consenter`` is a way of agreeing on an order (solo, raft, BFT), registered under its
consensus type; for each channel it makes a ``Chain``, which gets the channel's resources as a
``ConsenterSupport`` (Fabric: orderer/consensus/consensus.go).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2

from .block_cutter import BlockCutter


class CuttingMode(Enum):
    """When a chain ends a block that is not full.

    BATCH_TIMEOUT: when its first message has waited for the channel's BatchTimeout, as Fabric
    does.  IDLE: at once, whenever no block is being written; what arrives meanwhile forms the
    next block.  MANUAL: when told to.  Every mode keeps the channel's BatchSize.
    """

    BATCH_TIMEOUT = "timeout"
    IDLE = "idle"
    MANUAL = "manual"


REST_PER_MESSAGE = 0.003
LONGEST_REST = 0.05
"""Seconds between two blocks that idleness ends: a block costs every peer some milliseconds of
work, so under load the next one waits a little for company, the longer the more there was."""


class TimerHandle(Protocol):
    """A timer that runs."""

    def cancel(self) -> None:
        """Make it never fire."""


Timer = Callable[[float, Callable[[], None]], TimerHandle]
"""Calls a function after so many seconds, on the event loop."""


def loop_timer(seconds: float, action: Callable[[], None]) -> TimerHandle:
    """The timer of the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, action)


def loop_seconds() -> float:
    """The seconds that ``loop_timer`` counts."""
    return asyncio.get_running_loop().time()


class ChainUnavailable(GridloomError):
    """A chain that takes no messages: the channel, and why."""

    def __init__(self, channel_id: str, reason: str) -> None:
        super().__init__(f"[channel: {channel_id}] {reason}")
        self.channel_id = channel_id
        self.reason = reason


class ConsenterSupport(Protocol):
    """The resources of one channel, as its chain uses them.

    ``create_next_block`` and then exactly one of the two writes, for one block after another.
    """

    @property
    def channel_id(self) -> str: ...

    @property
    def sequence(self) -> int:
        """The number of the configuration in force."""

    @property
    def height(self) -> int:
        """Blocks that are stored for good."""

    @property
    def orderer_config(self) -> OrdererConfig:
        """Batch size and timeout, consensus type and metadata now in force."""

    @property
    def bundle(self) -> ChannelBundle:
        """The configuration in force, as a whole."""

    @property
    def cutter(self) -> BlockCutter: ...

    def get_block(self, number: int) -> common_pb2.Block:
        """A stored block; BlockNotFound."""

    def process_normal(self, envelope: common_pb2.Envelope) -> int:
        """Judge a message by the configuration in force and return its sequence; may raise."""

    def process_config(self, envelope: common_pb2.Envelope) -> tuple[common_pb2.Envelope, int]:
        """Compute a CONFIG message again from the update within it; may raise."""

    def create_next_block(self, envelopes: Sequence[common_pb2.Envelope]) -> common_pb2.Block:
        """The block after the last one created, not yet written."""

    async def write_block(self, block: common_pb2.Block, consenter_metadata: bytes = b"") -> None:
        """Sign and store a block of normal messages; returns when it is durable."""

    async def write_config_block(
        self, block: common_pb2.Block, consenter_metadata: bytes = b""
    ) -> None:
        """Store a block of one CONFIG message and put its configuration into force."""

    def when_followed(self, action: Callable[[], None]) -> None:
        """Call ``action`` once those who wait for blocks have done with the newest one.

        Followers in this process, who come back when they have committed it; others as soon
        as it is sent.  Of several actions only the last is called, and it may be never.
        """

    async def append_block(self, block: common_pb2.Block) -> None:
        """Store a block of another orderer as it is, its configuration included."""

    def switch_chain(self) -> None:
        """Have the consenter make another chain in place of this one, which is halted."""


class Chain(Protocol):
    """Puts the messages of one channel in order.

    A message comes with the sequence of the configuration that it was judged by.  When a
    newer one is in force by the time it is its turn, the chain has it judged again and drops
    it if it no longer passes.
    """

    @property
    def relation(self) -> str:
        """What this node is to the channel: consenter, follower or other."""

    @property
    def status(self) -> str:
        """How it does: active, onboarding, inactive or failed."""

    @property
    def ready(self) -> bool:
        """Whether a message would be ordered now."""

    @property
    def leads(self) -> bool:
        """Whether it is this node that orders."""

    @property
    def errored(self) -> asyncio.Event:
        """Set when the chain can no longer vouch for being up to date: failed or halted."""

    async def order(
        self, envelope: common_pb2.Envelope, config_sequence: int
    ) -> Awaitable[None] | None:
        """Accept a normal message; ChainUnavailable if it will not be ordered.

        What comes back is done when the message can be lost no more, or raises because it will
        not be ordered after all; None means that nobody need wait.
        """

    async def configure(
        self, envelope: common_pb2.Envelope, config_sequence: int
    ) -> Awaitable[None] | None:
        """Accept a CONFIG message, which gets a block of its own; as ``order``."""

    async def wait_ready(self) -> None:
        """Return once more messages are welcome; ChainUnavailable if they never will be."""

    async def cut(self) -> int | None:
        """End the block under way; returns when all accepted so far is durable.

        The number of the block this made, None if no message was waiting for its block.
        """

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        """Raise a GridloomError if a configuration with this consensus metadata would not do."""

    def start(self) -> None:
        """Begin to work, on the running event loop."""

    async def halt(self) -> None:
        """Write what has been accepted, accept no more, release everything."""


class Consenter(Protocol):
    """One way of ordering, for any number of channels.

    onboards: whether a node may join a channel that has grown already, for others have its blocks.
    """

    onboards: bool

    def handle_chain(self, support: ConsenterSupport, metadata: bytes) -> Chain:
        """Make the chain of a channel.

        metadata: the consenter's part of the last block's metadata, empty on a new channel.
        """

    def is_member(self, bundle: ChannelBundle) -> bool:
        """Whether this node orders a channel of this configuration; InvalidConsenters."""

    def forget(self, channel_id: str) -> None:
        """Delete what was kept for a channel, besides its blocks."""

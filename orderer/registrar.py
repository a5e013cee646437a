"""Which channels this orderer serves: joins them, opens them again, gives them up.

(Fabric: orderer/common/multichannel/registrar.go, channelparticipation/validator.go.)
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from gridloom.common.blocks import last_config_index
from gridloom.common.envelopes import open_envelope
from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2

from .chain_support import ChainSupport, OrdererResources, find_consenter
from .participation_checks import BlockId, InvalidJoinBlock, check_join_block
from .storage import OrdererStorage

log = logging.getLogger(__name__)

ACTIVE = "active"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    """A channel as the participation API shows it."""

    name: str
    height: int
    consensus_relation: str
    status: str


class ChannelExists(GridloomError):
    """Joining a channel a second time."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"cannot join: channel {channel_id} already exists")
        self.channel_id = channel_id


class ChannelMissing(GridloomError):
    """Speaking of a channel that this orderer does not have."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"channel {channel_id} does not exist")
        self.channel_id = channel_id


class ChannelPendingRemoval(GridloomError):
    """Speaking of a channel that is being given up; failed: its blocks could not be deleted."""

    def __init__(self, channel_id: str, *, failed: bool) -> None:
        what = "could not be removed" if failed else "is being removed"
        super().__init__(f"channel {channel_id} {what}")
        self.channel_id = channel_id
        self.failed = failed


class OnboardingUnserved(GridloomError):
    """Joining with a later config block than the first: this orderer does not follow others."""

    def __init__(self, channel_id: str, number: int) -> None:
        super().__init__(
            f"channel {channel_id} can only be joined with its genesis block here, not with "
            f"block {number}: this orderer does not replicate blocks of other orderers"
        )
        self.channel_id = channel_id
        self.number = number


class Registrar:
    """The channels in ``storage``, all opened at construction and working after ``start``."""

    def __init__(self, storage: OrdererStorage, resources: OrdererResources) -> None:
        self._storage = storage
        self._resources = resources
        self._running = False
        self._supports: dict[str, ChainSupport] = {}
        self._removing: dict[str, ChannelInfo] = {}
        for channel_id in storage.channels():
            self._open(channel_id)

    def start(self) -> None:
        """Start all chains, on the running event loop."""
        self._running = True
        for support in self._supports.values():
            support.chain.start()

    async def stop(self) -> None:
        """Halt all chains and close their files."""
        supports, self._supports = self._supports, {}
        for support in supports.values():
            await support.chain.halt()
            support.close()
        self._running = False

    def find(self, channel_id: str) -> ChainSupport | None:
        """The channel, None if this orderer does not have it."""
        return self._supports.get(channel_id)

    def get(self, channel_id: str) -> ChainSupport:
        """The channel; ChannelMissing."""
        support = self._supports.get(channel_id)
        if support is None:
            raise ChannelMissing(channel_id)
        return support

    def channels(self) -> tuple[ChannelInfo, ...]:
        """All channels by name, those being removed too."""
        return tuple(self.info(name) for name in sorted({*self._supports, *self._removing}))

    def info(self, channel_id: str) -> ChannelInfo:
        """One channel; ChannelMissing.  Solo belongs to no cluster: its relation is ``other``."""
        if channel_id in self._removing:
            return self._removing[channel_id]
        return ChannelInfo(channel_id, self.get(channel_id).height, "other", ACTIVE)

    def join(self, block: common_pb2.Block) -> ChannelInfo:
        """Begin a channel with its genesis block.

        InvalidJoinBlock, UnknownConsensusType when the block will not do, ChannelExists,
        ChannelPendingRemoval, OnboardingUnserved; then nothing is kept.
        """
        bundle = check_join_block(block)
        channel_id = bundle.channel_id
        self._check_not_removing(channel_id)
        if channel_id in self._supports:
            raise ChannelExists(channel_id)
        find_consenter(self._resources, bundle)
        if block.header.number:
            raise OnboardingUnserved(channel_id, block.header.number)
        if block.header.previous_hash:
            raise InvalidJoinBlock("a chain can only begin with its genesis block")
        support = self._supports[channel_id] = self._create(channel_id, block)
        if self._running:
            support.chain.start()
        log.info("[channel: %s] joined", channel_id)
        return self.info(channel_id)

    async def remove(self, channel_id: str) -> None:
        """Give a channel up for good and delete its blocks.

        ChannelMissing; ChannelPendingRemoval while another call does it.  After a removal
        that failed it may be called again.
        """
        removing = self._removing.get(channel_id)
        if removing is not None and removing.status != FAILED:
            raise ChannelPendingRemoval(channel_id, failed=False)
        if removing is None:
            support = self.get(channel_id)
            self._removing[channel_id] = replace(self.info(channel_id), height=0)
            del self._supports[channel_id]
            await support.chain.halt()
            support.close()
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._resources.disk, self._storage.give_up, channel_id)
        except OSError:
            self._removing[channel_id] = replace(self._removing[channel_id], status=FAILED)
            raise
        del self._removing[channel_id]
        log.info("[channel: %s] removed", channel_id)

    def given_up(self, channel_id: str) -> bool:
        """Whether a channel was removed and not joined again since."""
        return self._storage.given_up(channel_id)

    async def update(self, channel_id: str, envelope: common_pb2.Envelope) -> ChannelInfo:
        """Have a config update ordered, as Broadcast does.

        ChannelMissing, ChannelPendingRemoval, MessageRejected, ChainUnavailable.
        """
        self._check_not_removing(channel_id)
        support = self.get(channel_id)
        await support.configure(envelope, open_envelope(envelope))
        return self.info(channel_id)

    def block(self, channel_id: str, block_id: BlockId) -> common_pb2.Block:
        """A stored block; ChannelMissing, ChannelPendingRemoval, BlockNotFound."""
        self._check_not_removing(channel_id)
        support = self.get(channel_id)
        if isinstance(block_id, int):
            return support.get_block(block_id)
        newest = support.get_block(support.height - 1)
        if block_id == "newest" or not newest.header.number:
            return newest
        return support.get_block(last_config_index(newest))

    def _check_not_removing(self, channel_id: str) -> None:
        removing = self._removing.get(channel_id)
        if removing is not None:
            raise ChannelPendingRemoval(channel_id, failed=removing.status == FAILED)

    def _create(self, channel_id: str, block: common_pb2.Block) -> ChainSupport:
        store = self._storage.open(channel_id)
        try:
            store.append(block)
            return ChainSupport(store, self._resources)
        except GridloomError:
            store.close()
            self._storage.remove(channel_id)
            raise

    def _open(self, channel_id: str) -> None:
        store = self._storage.open(channel_id)
        if store.height:
            self._supports[channel_id] = ChainSupport(store, self._resources)
            return
        log.warning("[channel: %s] its first block was never written, removing it", channel_id)
        store.close()
        self._storage.remove(channel_id)

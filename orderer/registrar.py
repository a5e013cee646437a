"""Which channels this orderer serves: joins them, opens them again, gives them up.

(Fabric: orderer/common/multichannel/registrar.go, channelparticipation/validator.go.)
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from gridloom.common import blocks
from gridloom.common.blocks import last_config_index
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.envelopes import open_envelope
from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2

from .chain_support import ChainSupport, OrdererResources, find_consenter
from .follower.chain import FollowerChain, NotConsenter
from .follower.onboarding import Onboarding
from .participation_checks import BlockId, InvalidJoinBlock, check_join_block
from .storage import OrdererStorage

log = logging.getLogger(__name__)

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
    """Joining with a later config block than the first where nobody else has the blocks."""

    def __init__(self, channel_id: str, number: int) -> None:
        super().__init__(
            f"channel {channel_id} can only be joined with its genesis block here, not with "
            f"block {number}: this orderer does not replicate blocks of other orderers"
        )
        self.channel_id = channel_id
        self.number = number


class ForeignLedger(GridloomError):
    """Blocks of another channel than the folder they lie in names: both."""

    def __init__(self, channel_id: str, found: str) -> None:
        super().__init__(
            f"the blocks kept for channel {channel_id} are those of channel {found}: the data "
            "directory is another's"
        )
        self.channel_id = channel_id
        self.found = found


class Registrar:
    """The channels in ``storage``, all opened at construction and working after ``start``."""

    def __init__(self, storage: OrdererStorage, resources: OrdererResources) -> None:
        self._storage = storage
        self._resources = resources
        self._running = False
        self._supports: dict[str, ChainSupport] = {}
        self._onboarding: dict[str, Onboarding] = {}
        self._removing: dict[str, ChannelInfo] = {}
        for channel_id in storage.channels():
            self._open(channel_id)

    def start(self) -> None:
        """Start all chains, on the running event loop."""
        self._running = True
        for onboarding in self._onboarding.values():
            onboarding.start()
        for support in self._supports.values():
            support.chain.start()

    async def stop(self) -> None:
        """Halt all chains and close their files."""
        self._running = False
        arriving, self._onboarding = self._onboarding, {}
        for onboarding in arriving.values():
            await onboarding.stop()
        while self._supports:
            channel_id, support = next(iter(self._supports.items()))
            await support.halt()  # which the other orderers may have to do with
            del self._supports[channel_id]
            support.close()

    def find(self, channel_id: str) -> ChainSupport | None:
        """The channel, None if this orderer does not have it, or not all of it yet."""
        return self._supports.get(channel_id)

    def bundles(self) -> list[ChannelBundle]:
        """The configuration of every channel, those on their way here included."""
        here = [support.bundle for support in self._supports.values()]
        return here + [onboarding.bundle for onboarding in self._onboarding.values()]

    def get(self, channel_id: str) -> ChainSupport:
        """The channel; ChannelMissing."""
        support = self._supports.get(channel_id)
        if support is None:
            raise ChannelMissing(channel_id)
        return support

    def channels(self) -> tuple[ChannelInfo, ...]:
        """All channels by name, those on their way here or being removed too."""
        names = {*self._supports, *self._onboarding, *self._removing}
        return tuple(self.info(name) for name in sorted(names))

    def info(self, channel_id: str) -> ChannelInfo:
        """One channel; ChannelMissing.  Solo belongs to no cluster: its relation is ``other``."""
        if channel_id in self._removing:
            return self._removing[channel_id]
        if channel_id in self._onboarding:
            arriving = self._onboarding[channel_id]
            return ChannelInfo(channel_id, arriving.height, arriving.relation, arriving.status)
        support = self.get(channel_id)
        chain = support.chain
        return ChannelInfo(channel_id, support.height, chain.relation, chain.status)

    def join(self, block: common_pb2.Block) -> ChannelInfo:
        """Begin a channel with its genesis block, or come to it with a later config block.

        InvalidJoinBlock, UnknownConsensusType when the block will not do, ChannelExists,
        ChannelPendingRemoval, OnboardingUnserved; then nothing is kept.
        """
        bundle = check_join_block(block)
        channel_id = bundle.channel_id
        self._check_not_removing(channel_id)
        if channel_id in self._supports or channel_id in self._onboarding:
            raise ChannelExists(channel_id)
        consenter = find_consenter(self._resources, bundle)
        member = consenter.is_member(bundle)
        if block.header.number:
            if not consenter.onboards:
                raise OnboardingUnserved(channel_id, block.header.number)
            self._storage.set_join_block(channel_id, block)
            self._begin_onboarding(channel_id, block, member=member)
        elif block.header.previous_hash:
            raise InvalidJoinBlock("a chain can only begin with its genesis block")
        else:
            self._supports[channel_id] = self._create(channel_id, block)
            if self._running:
                self._supports[channel_id].chain.start()
        log.info("[channel: %s] joined with block %d", channel_id, block.header.number)
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
            self._removing[channel_id] = replace(self.info(channel_id), height=0)
            await self._end(channel_id)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._resources.disk, self._give_up, channel_id)
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

        ChannelMissing, ChannelPendingRemoval, NotConsenter, MessageRejected, ChainUnavailable.
        """
        self._check_not_removing(channel_id)
        if channel_id in self._onboarding:
            raise NotConsenter(channel_id)
        support = self.get(channel_id)
        if isinstance(support.chain, FollowerChain):
            raise NotConsenter(channel_id)
        ordered = await support.configure(envelope, open_envelope(envelope))
        if ordered is not None:
            await ordered
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

    async def _end(self, channel_id: str) -> None:
        onboarding = self._onboarding.pop(channel_id, None)
        if onboarding is not None:
            await onboarding.stop()
            return
        support = self._supports.pop(channel_id)
        await support.halt()
        support.close()

    def _give_up(self, channel_id: str) -> None:
        for consenter in self._resources.consenters.values():
            consenter.forget(channel_id)
        self._storage.give_up(channel_id)

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
        join_block = self._storage.join_block(channel_id)
        store = self._storage.open(channel_id)
        if store.height:
            _check_own(channel_id, store.get(0))
        if join_block is not None and store.height <= join_block.header.number:
            store.close()
            self._begin_onboarding(channel_id, join_block)
            return
        if store.height:
            self._storage.set_join_block(channel_id, None)
            self._supports[channel_id] = ChainSupport(store, self._resources)
            return
        log.warning("[channel: %s] its first block was never written, removing it", channel_id)
        store.close()
        self._storage.remove(channel_id)

    def _begin_onboarding(
        self, channel_id: str, block: common_pb2.Block, *, member: bool | None = None
    ) -> None:
        puller = self._resources.puller
        if puller is None:
            raise OnboardingUnserved(channel_id, block.header.number)
        if member is None:
            bundle = check_join_block(block)
            member = find_consenter(self._resources, bundle).is_member(bundle)
        onboarding = self._onboarding[channel_id] = Onboarding(
            self._storage.open(channel_id),
            block,
            "consenter" if member else "follower",
            puller,
            disk=self._resources.disk,
            done=lambda: self._onboarded(channel_id),
        )
        if self._running:
            onboarding.start()

    def _onboarded(self, channel_id: str) -> None:
        """All blocks up to the one that was joined with are here: begin the chain."""
        onboarding = self._onboarding.get(channel_id)
        if onboarding is None:
            return
        support = ChainSupport(onboarding.store, self._resources)
        del self._onboarding[channel_id]
        self._storage.set_join_block(channel_id, None)
        self._supports[channel_id] = support
        support.chain.start()


def _check_own(channel_id: str, first: common_pb2.Block) -> None:
    """ForeignLedger unless a folder's first block is of the channel it is kept for."""
    found = blocks.channel_id(first)
    if found != channel_id:
        raise ForeignLedger(channel_id, found)

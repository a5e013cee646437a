"""Which channels this orderer serves: joins them, opens them again, gives them up.

(Fabric: orderer/common/multichannel/registrar.go, channelparticipation/validator.go.)
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from gridloom.common.blocks import BlockError, check_data, is_config_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.protos.common import common_pb2

from .chain_support import ChainSupport, OrdererResources, find_consenter
from .storage import OrdererStorage

log = logging.getLogger(__name__)


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


class InvalidJoinBlock(GridloomError):
    """A block that no channel can be joined with; reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"cannot join: {reason}")
        self.reason = reason


class Registrar:
    """The channels in ``storage``, all opened at construction and working after ``start``."""

    def __init__(self, storage: OrdererStorage, resources: OrdererResources) -> None:
        self._storage = storage
        self._resources = resources
        self._running = False
        self._supports: dict[str, ChainSupport] = {}
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
        """All channels by name."""
        return tuple(self.info(name) for name in sorted(self._supports))

    def info(self, channel_id: str) -> ChannelInfo:
        """One channel; ChannelMissing.  Solo belongs to no cluster: its relation is ``other``."""
        return ChannelInfo(channel_id, self.get(channel_id).height, "other", "active")

    def join(self, block: common_pb2.Block) -> ChannelInfo:
        """Begin a channel with its genesis block.

        InvalidJoinBlock, ConfigError, UnknownConsensusType when the block will not do,
        ChannelExists when the channel is there; then nothing is kept.
        """
        bundle = self._checked(block)
        channel_id = bundle.channel_id
        if channel_id in self._supports:
            raise ChannelExists(channel_id)
        support = self._supports[channel_id] = self._create(channel_id, block)
        if self._running:
            support.chain.start()
        log.info("[channel: %s] joined", channel_id)
        return self.info(channel_id)

    async def remove(self, channel_id: str) -> None:
        """Give a channel up and delete its blocks; ChannelMissing."""
        support = self.get(channel_id)
        del self._supports[channel_id]
        await support.chain.halt()
        support.close()
        self._storage.remove(channel_id)

    def _checked(self, block: common_pb2.Block) -> ChannelBundle:
        if not is_config_block(block):
            raise InvalidJoinBlock("block is not a config block")
        if not block.metadata.metadata:
            raise InvalidJoinBlock("invalid block: does not have metadata")
        try:
            check_data(block)
        except BlockError as error:
            raise InvalidJoinBlock(f"invalid block: {error.reason}") from error
        if block.header.number or block.header.previous_hash:
            raise InvalidJoinBlock("a chain can only begin with its genesis block")
        bundle = ChannelBundle.from_config_block(block)
        if bundle.consortiums is not None:
            raise InvalidJoinBlock("invalid config: contains consortiums")
        if not bundle.has_application:
            raise InvalidJoinBlock("invalid config: must contain application config")
        find_consenter(self._resources, bundle)
        return bundle

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

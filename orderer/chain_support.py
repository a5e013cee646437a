"""The resources of one channel on this orderer, gathered around its chain.

(Fabric: orderer/common/multichannel/chainsupport.go, ledgerresources.go.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from gridloom.common.block_store import BlockStore
from gridloom.common.blocks import (
    consenter_metadata,
    envelope_at,
    is_config_block,
    last_config_index,
)
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.sections import OrdererConfig
from gridloom.common.envelopes import Clock, OpenEnvelope, open_envelope, open_payload
from gridloom.common.errors import GridloomError
from gridloom.common.height_signal import HeightSignal
from gridloom.common.identities import Signer
from gridloom.common.wire import parse
from gridloom.protos.common import common_pb2, configtx_pb2

from .block_cutter import BlockCutter
from .block_writer import BlockWriter
from .chain import Consenter
from .cluster.block_puller import Puller
from .filters import standard_filters
from .message_processor import MessageProcessor

log = logging.getLogger(__name__)


class UnknownConsensusType(GridloomError):
    """A channel whose consensus type no consenter of this orderer serves."""

    def __init__(self, channel_id: str, consensus_type: str) -> None:
        super().__init__(f"[channel: {channel_id}] no consenter of type {consensus_type!r}")
        self.channel_id = channel_id
        self.consensus_type = consensus_type


@dataclass(frozen=True, slots=True)
class OrdererResources:
    """What all channels of one orderer share.

    consenters: by consensus type; disk: the thread that waits for the disk; puller: how to
    fetch blocks from other orderers, None if this one is alone.
    """

    signer: Signer
    consenters: Mapping[str, Consenter]
    now: Clock
    random_bytes: Callable[[int], bytes]
    disk: Executor
    check_expiration: bool = True
    puller: Puller | None = None


class ChainSupport:
    """One channel: configuration, blocks, filters, writer and chain.

    It is the ``ConsenterSupport`` of its chain and the ``DeliverSource`` of its blocks.
    """

    def __init__(self, store: BlockStore, resources: OrdererResources) -> None:
        last = store.get(store.height - 1)
        config_block = store.get(last_config_index(last) if last.header.number else 0)
        self.bundle = ChannelBundle.from_config_block(config_block)
        self._store = store
        self._blocks = HeightSignal(store.height)
        self._consenter = find_consenter(resources, self.bundle)
        self.cutter = BlockCutter()
        self.processor = MessageProcessor(
            lambda: self.bundle,
            partial(
                standard_filters, now=resources.now, check_expiration=resources.check_expiration
            ),
            self._propose_update,
            signer=resources.signer,
            now=resources.now,
            random_bytes=resources.random_bytes,
        )
        self._writer = BlockWriter(
            store, resources.signer, resources.random_bytes, self.bundle.sequence, resources.disk
        )
        self.chain = self._consenter.handle_chain(self, consenter_metadata(last))
        self._switching: asyncio.Task[None] | None = None

    @property
    def channel_id(self) -> str:
        return self.bundle.channel_id

    @property
    def sequence(self) -> int:
        return self.bundle.sequence

    @property
    def orderer_config(self) -> OrdererConfig:
        return self.bundle.orderer

    @property
    def first(self) -> int:
        return self._store.first

    @property
    def height(self) -> int:
        return self._blocks.height

    @property
    def errored(self) -> asyncio.Event:
        return self.chain.errored

    def get_block(self, number: int) -> common_pb2.Block:
        """Block ``number``; BlockNotFound."""
        return self._store.get(number)

    async def wait_for(self, height: int) -> None:
        """Return once the chain is ``height`` blocks high."""
        await self._blocks.wait_for(height)

    def process_normal(self, envelope: common_pb2.Envelope) -> int:
        return self.processor.process_normal(open_envelope(envelope))

    def process_config(self, envelope: common_pb2.Envelope) -> tuple[common_pb2.Envelope, int]:
        return self.processor.process_config(envelope)

    async def configure(
        self, update: common_pb2.Envelope, message: OpenEnvelope
    ) -> Awaitable[None] | None:
        """Judge a config update and have what it leads to ordered; may raise, as may the wait."""
        config, sequence = self.processor.process_config_update(update, message)
        await self.chain.wait_ready()
        return await self.chain.configure(config, sequence)

    def create_next_block(self, envelopes: Sequence[common_pb2.Envelope]) -> common_pb2.Block:
        return self._writer.create_next_block(envelopes)

    async def write_block(self, block: common_pb2.Block, consenter_metadata: bytes = b"") -> None:
        await self._writer.write(block, self.sequence, consenter_metadata)
        self._blocks.advance(block.header.number + 1)

    async def write_config_block(
        self, block: common_pb2.Block, consenter_metadata: bytes = b""
    ) -> None:
        config = _config_in(block)
        self.bundle.validate_config(config)
        successor = ChannelBundle(self.channel_id, config.config)
        if successor.orderer.consensus_type != self.bundle.orderer.consensus_type:
            consenter_metadata = b""  # it would mean nothing to the consenter that takes over
        await self._writer.write(block, successor.sequence, consenter_metadata)
        self.bundle = successor
        self._blocks.advance(block.header.number + 1)

    def when_followed(self, action: Callable[[], None]) -> None:
        self._blocks.when_followed(action)

    async def append_block(self, block: common_pb2.Block) -> None:
        successor = self.bundle
        if is_config_block(block):
            successor = self.bundle.accept(_config_in(block))
        await self._writer.append(block, successor.sequence)
        self.bundle = successor
        self._blocks.advance(block.header.number + 1)

    def switch_chain(self) -> None:
        self._switching = asyncio.get_running_loop().create_task(self._switch_chain())

    async def _switch_chain(self) -> None:
        await self.chain.halt()
        last = self.get_block(self.height - 1)
        try:
            self.chain = self._consenter.handle_chain(self, consenter_metadata(last))
            self.chain.start()
        except GridloomError:
            log.exception("[channel: %s] cannot go on", self.channel_id)

    async def halt(self) -> None:
        """End the chain; nothing is accepted any more."""
        if self._switching is not None:
            await asyncio.wait([self._switching])
        await self.chain.halt()

    def close(self) -> None:
        """Release the files; the chain must have been halted."""
        self._store.close()

    def _propose_update(self, update: common_pb2.Envelope) -> configtx_pb2.ConfigEnvelope:
        config = self.bundle.propose_update(update)
        successor = ChannelBundle(self.channel_id, config.config)
        if not successor.has_orderer:
            raise ConfigError("config update is not compatible: it has no orderer section")
        self.bundle.validate_new(successor)
        self.chain.check_metadata(self.bundle.orderer, successor.orderer)
        return config


def _config_in(block: common_pb2.Block) -> configtx_pb2.ConfigEnvelope:
    data = open_payload(envelope_at(block, 0)).data
    return parse(configtx_pb2.ConfigEnvelope, data, "config envelope")


def find_consenter(resources: OrdererResources, bundle: ChannelBundle) -> Consenter:
    """The consenter a channel's configuration names; UnknownConsensusType."""
    consensus_type = bundle.orderer.consensus_type
    consenter = resources.consenters.get(consensus_type)
    if consenter is None:
        raise UnknownConsensusType(bundle.channel_id, consensus_type)
    return consenter

"""The chain of a channel that others order (Fabric: orderer/common/follower/follower_chain.go)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing

from gridloom.common.blocks import is_config_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.sections import OrdererConfig
from gridloom.protos.common.common_pb2 import Block, Envelope

from ..chain import ChainUnavailable, ConsenterSupport
from ..cluster.block_puller import BlockPuller

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until a block that could not be stored is fetched again."""


class NotConsenter(ChainUnavailable):
    """A message for a channel whose blocks this node only keeps."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(channel_id, "this orderer is a follower of the channel, not a consenter")


class FollowerChain:
    """See ``Chain`` for the contract; is_member: whether a configuration makes this node one."""

    relation = "follower"
    status = "active"
    ready = leads = False

    def __init__(
        self,
        support: ConsenterSupport,
        puller: BlockPuller,
        is_member: Callable[[ChannelBundle], bool],
    ) -> None:
        self.errored = asyncio.Event()
        self._support = support
        self._puller = puller
        self._is_member = is_member
        self._pulling: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._pulling = asyncio.get_running_loop().create_task(self._pull())

    async def halt(self) -> None:
        pulling = self._pulling
        if pulling is not None and pulling is not asyncio.current_task():
            pulling.cancel()
            await asyncio.wait([pulling])
        self.errored.set()

    async def order(self, envelope: Envelope, config_sequence: int) -> None:
        raise NotConsenter(self._support.channel_id)

    async def configure(self, envelope: Envelope, config_sequence: int) -> None:
        raise NotConsenter(self._support.channel_id)

    async def wait_ready(self) -> None:
        raise NotConsenter(self._support.channel_id)

    async def cut(self) -> int | None:
        return None

    def check_metadata(self, current: OrdererConfig, proposed: OrdererConfig) -> None:
        """It is for consenters to judge; a message that gets this far is refused anyway."""

    async def _pull(self) -> None:
        while True:
            try:
                await self._pull_blocks()
            except Exception:
                log.exception("[channel: %s] following is interrupted", self._support.channel_id)
                await asyncio.sleep(RETRY)
            else:
                return

    async def _pull_blocks(self) -> None:
        async with aclosing(self._puller.blocks(self._support.height)) as blocks:
            async for block in blocks:
                await self._support.append_block(block)
                if is_config_block(block) and self._made_member(block):
                    return

    def _made_member(self, block: Block) -> bool:
        if not self._is_member(self._support.bundle):
            return False
        channel_id, number = self._support.channel_id, block.header.number
        log.info("[channel: %s] block %d makes this node a consenter", channel_id, number)
        self._support.switch_chain()
        return True

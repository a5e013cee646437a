"""Fetching a channel's blocks up to the config block it was joined with.

The administrator vouches for that block; every block before it must be signed as the
configuration before it asks for, and lead to it (Fabric: ``pullUpToJoin`` of
orderer/common/follower/follower_chain.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor

from gridloom.common.block_acceptance import accept_block
from gridloom.common.block_store import BlockStore
from gridloom.common.blocks import BlockError, channel_id, check_data, header_hash, is_config_block
from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.protos.common.common_pb2 import Block

from ..cluster.block_puller import Puller

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until a block that could not be stored is fetched again."""


class Onboarding:
    """One channel on its way here; relation: what this node will be to it.

    done: called once all blocks up to the join block are stored.
    """

    status = "onboarding"

    def __init__(
        self,
        store: BlockStore,
        join_block: Block,
        relation: str,
        puller: Puller,
        *,
        disk: Executor,
        done: Callable[[], None],
    ) -> None:
        self.store = store
        self.relation = relation
        self.bundle = ChannelBundle.from_config_block(join_block)
        """Of the join block: its endpoints are where the blocks are fetched."""
        self._join_block = join_block
        self._puller = puller.of(self, self.bundle.channel_id, self._verify)
        self._disk = disk
        self._done = done
        self._in_force = self._config_in_store()
        self._task: asyncio.Task[None] | None = None

    @property
    def height(self) -> int:
        """Blocks that are here."""
        return self.store.height

    def get_block(self, number: int) -> Block:
        """A block that is here; BlockNotFound."""
        return self.store.get(number)

    def start(self) -> None:
        """Begin to fetch, on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop fetching and close the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.store.close()

    def _config_in_store(self) -> ChannelBundle | None:
        for number in range(self.store.height - 1, -1, -1):
            block = self.store.get(number)
            if is_config_block(block):
                return ChannelBundle.from_config_block(block)
        return None

    async def _run(self) -> None:
        last = self._join_block.header.number
        while self.height <= last:
            try:
                async for block in self._puller.blocks(self.height, last):
                    await self._append(block)
            except (GridloomError, OSError):
                log.exception("[channel: %s] onboarding is interrupted", self.bundle.channel_id)
                await asyncio.sleep(RETRY)
        log.info("[channel: %s] onboarding has reached block %d", self.bundle.channel_id, last)
        self._done()

    async def _append(self, block: Block) -> None:
        if self.store.waits_for_disk:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._disk, self.store.append, block)
        else:
            self.store.append(block)
        if is_config_block(block):
            self._in_force = ChannelBundle.from_config_block(block)

    def _verify(self, block: Block) -> None:
        number = self.height
        if number and self._in_force is not None:
            previous = header_hash(self.get_block(number - 1).header)
            accept_block(block, number, previous, self._in_force)
        else:
            self._check_first(block)
        if number == self._join_block.header.number and block.header != self._join_block.header:
            raise BlockError(number, "it is not the block that the channel was joined with")

    def _check_first(self, block: Block) -> None:
        check_data(block)
        if block.header.number or block.header.previous_hash or not is_config_block(block):
            raise BlockError(block.header.number, "it is not the first block of a channel")
        if channel_id(block) != self.bundle.channel_id:
            raise BlockError(0, f"it begins the channel {channel_id(block)}")

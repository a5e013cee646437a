"""Finding out that this node is no longer a member, although nobody tells it.

A node that was removed while it was away hears nothing more: no leader, or refusals of its
certificate.  Then it looks at the newest configuration that the others have
(Fabric: orderer/consensus/etcdraft/eviction.go).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.channel.errors import ConfigError
from gridloom.protos.common.common_pb2 import Block

from ..chain import Timer, TimerHandle
from ..cluster.block_puller import BlockPuller

log = logging.getLogger(__name__)

CHECK_AGAIN = 5.0
"""Seconds between two looks."""


class EvictionSuspicion:
    """One node's suspicion of its own eviction.

    threshold: seconds without a leader that raise it; is_member: whether a configuration names
    this node; evicted: told of a config block that does not.
    """

    def __init__(
        self,
        channel_id: str,
        puller: BlockPuller,
        timer: Timer,
        *,
        threshold: float,
        is_member: Callable[[ChannelBundle], bool],
        evicted: Callable[[Block], None],
    ) -> None:
        self._channel_id = channel_id
        self._puller = puller
        self._timer = timer
        self._threshold = threshold
        self._is_member = is_member
        self._evicted = evicted
        self._leaderless: TimerHandle | None = None
        self._looking: asyncio.Task[None] | None = None

    def leader(self, *, present: bool) -> None:
        """There is a leader, or there is none any more."""
        if present and self._leaderless is not None:
            self._leaderless.cancel()
            self._leaderless = None
        elif not present and self._leaderless is None:
            self._leaderless = self._timer(self._threshold, self._too_long)

    def suspect(self) -> None:
        """Look now, unless that is being done."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        if self._leaderless is not None:
            self._leaderless.cancel()
        looking = self._looking
        if looking is not None and looking is not asyncio.current_task():
            looking.cancel()
            await asyncio.wait([looking])

    def _too_long(self) -> None:
        self._leaderless = self._timer(self._threshold, self._too_long)
        self.suspect()

    async def _look(self) -> None:
        block = await self._puller.latest_config()
        if block is not None and self._tells_of_eviction(block):
            log.warning(
                "[channel: %s] config block %d no longer names this node",
                self._channel_id,
                block.header.number,
            )
            self._evicted(block)
        await asyncio.sleep(CHECK_AGAIN)
        self._looking = None

    def _tells_of_eviction(self, block: Block) -> bool:
        try:
            return not self._is_member(ChannelBundle.from_config_block(block))
        except ConfigError as error:
            log.warning("[channel: %s] a config block that is none: %s", self._channel_id, error)
            return False

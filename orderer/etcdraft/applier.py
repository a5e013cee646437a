"""Carries out what Raft decided on one node: blocks, changes of members, snapshots.

One thing after the other.  A block that the disk does not take is tried again until it does: the
node keeps serving what it has, and catches up by itself
(Fabric: ``apply``, ``writeBlock``, ``catchUp`` of orderer/consensus/etcdraft/chain.go).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from gridloom.common.block_store import BlockStoreError, UnexpectedBlock
from gridloom.common.blocks import consenter_metadata, is_config_block
from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block

from ..chain import ConsenterSupport
from ..cluster.block_puller import BlockPuller
from ..raft.conf_changes import AnyConfChange, ConfChange, ConfChangeType
from ..raft.messages import Entry, EntryType, Snapshot
from ..raft.ready import SoftState
from ..raft.wire import decode_conf_change
from .membership import ChangeKind, MembershipChange
from .metadata import read_block_metadata
from .node import Decision, RaftNode
from .reconfiguration import Reconfiguration, raft_config_in

log = logging.getLogger(__name__)

RETRY_WRITE = 0.25
"""Seconds between attempts to write a block to a disk that failed."""


class Unordered(GridloomError):
    """Decided blocks that do not follow the ones there are: the channel, and which."""

    def __init__(self, channel_id: str, number: int, height: int) -> None:
        super().__init__(f"[channel: {channel_id}] got block {number} at height {height}")
        self.channel_id = channel_id
        self.number = number
        self.height = height


class ApplierHost(Protocol):
    """What the chain does at each step."""

    def led_by(self, state: SoftState, term: int) -> None:
        """Who leads has changed, in this term."""

    def reached(self, term: int) -> None:
        """All that was decided before this term has been carried out."""

    def block_written(self, block: Block, *, config: bool) -> None:
        """A block is there for good."""

    def members_changed(self, change: MembershipChange | None) -> None:
        """A config block names these members, or Raft has followed it (None)."""

    def evicted(self) -> None:
        """This node is no longer a member."""

    def disk_failed(self, error: Exception) -> None:
        """A block cannot be written for now."""

    def disk_recovered(self) -> None:
        """Blocks can be written again."""

    def failed(self, error: Exception) -> None:
        """This node cannot go on."""


class Applier:
    """One node's; snapshot_interval: bytes of blocks between snapshots."""

    def __init__(
        self,
        support: ConsenterSupport,
        node: RaftNode,
        reconfiguration: Reconfiguration,
        puller: BlockPuller,
        *,
        snapshot_interval: int,
        host: ApplierHost,
    ) -> None:
        self._support = support
        self._node = node
        self._reconfiguration = reconfiguration
        self._puller = puller
        self._snapshot_interval = snapshot_interval
        self._host = host
        last = support.get_block(support.height - 1)
        metadata = read_block_metadata(consenter_metadata(last))
        self._applied = metadata.raft_index if metadata is not None else 0
        self._bytes = 0
        self._term = 0

    async def run(self) -> None:
        """Carry out decisions until cancelled."""
        try:
            while True:
                await self._carry_out(await self._node.decisions.get())
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.exception("[channel: %s] the chain cannot go on", self._support.channel_id)
            self._host.failed(error)

    async def _carry_out(self, decision: Decision) -> None:
        if decision.soft_state is not None:
            self._host.led_by(decision.soft_state, decision.term)
        if decision.snapshot is not None:
            await self._catch_up(decision.snapshot)
        if decision.pull_to is not None:
            await self._pull_to(decision.pull_to)
            if not self._reconfiguration.takes_part:
                self._host.evicted()
        for entry in decision.entries:
            await self._apply(entry)
            if entry.term > self._term:
                self._term = entry.term
                self._host.reached(entry.term)

    async def _apply(self, entry: Entry) -> None:
        if entry.type is not EntryType.NORMAL:
            self._change_members(decode_conf_change(entry))
        elif entry.data and entry.index > self._applied:
            await self._write(parse(Block, entry.data, "block"), entry.index)
            self._bytes += len(entry.data)
            if self._bytes >= self._snapshot_interval:
                self._bytes = 0
                self._node.snapshot(entry.index, entry.data)
        self._applied = max(self._applied, entry.index)

    # --- blocks ------------------------------------------------------------------

    async def _write(self, block: Block, index: int) -> None:
        number, height = block.header.number, self._support.height
        if number < height:
            return  # it came by another way
        if number > height:
            raise Unordered(self._support.channel_id, number, height)
        if not is_config_block(block):
            metadata = self._reconfiguration.membership.metadata(index)
            await self._until_written(block, metadata, config=False)
            self._host.block_written(block, config=False)
            return
        change = self._change_in(block)
        after = self._reconfiguration.membership if change is None else change.after
        await self._until_written(block, after.metadata(index), config=True)
        self._configured(block, change)

    async def _until_written(self, block: Block, metadata: bytes, *, config: bool) -> None:
        write = self._support.write_config_block if config else self._support.write_block
        failing = False
        while True:
            try:
                await write(block, metadata)
            except UnexpectedBlock:
                raise
            except (BlockStoreError, OSError) as error:
                if not failing:
                    channel_id = self._support.channel_id
                    log.error("[channel: %s] %s", channel_id, error)
                failing = True
                self._host.disk_failed(error)
                await asyncio.sleep(RETRY_WRITE)
            else:
                if failing:
                    self._host.disk_recovered()
                return

    def _change_in(self, block: Block) -> MembershipChange | None:
        config = raft_config_in(block)
        if config is None:
            return None
        self._snapshot_interval = config.options.snapshot_interval_size
        return self._reconfiguration.membership.change_to(config.consenters)

    def _configured(self, block: Block, change: MembershipChange | None) -> None:
        if change is not None:
            self._reconfiguration.begin(change)
            self._host.members_changed(change)
        self._host.block_written(block, config=True)

    # --- members -----------------------------------------------------------------

    def _change_members(self, change: AnyConfChange) -> None:
        self._node.apply_conf_change(change)
        if not isinstance(change, ConfChange):
            return
        self._reconfiguration.finish(change)
        removed = change.type is ConfChangeType.REMOVE_NODE
        if removed and change.node_id == self._node.node_id:
            self._host.evicted()
            return
        self._host.members_changed(None)

    # --- catching up -------------------------------------------------------------

    async def _catch_up(self, snapshot: Snapshot) -> None:
        """Get the blocks up to a snapshot's from other orderers."""
        self._node.restore_conf_state(snapshot.conf_state)
        target = parse(Block, snapshot.data, "the snapshot's block")
        channel_id = self._support.channel_id
        if target.header.number >= self._support.height:
            log.info(
                "[channel: %s] catching up from height %d to block %d",
                channel_id,
                self._support.height,
                target.header.number,
            )
        await self._pull_to(target.header.number)
        self._applied = max(self._applied, snapshot.index)
        self._bytes = 0

    async def _pull_to(self, number: int) -> None:
        """Fetch, check and write the blocks up to ``number``."""
        if number < self._support.height:
            return
        async for block in self._puller.blocks(self._support.height, number):
            await self._take_over(block)

    async def _take_over(self, block: Block) -> None:
        metadata = consenter_metadata(block)
        if not is_config_block(block):
            await self._until_written(block, metadata, config=False)
            self._host.block_written(block, config=False)
            return
        change = self._change_in(block)
        await self._until_written(block, metadata, config=True)
        if change is not None and change.kind is ChangeKind.REMOVE:
            change = MembershipChange(ChangeKind.NONE, 0, change.before, change.after)
        self._configured(block, change)
        if not self._reconfiguration.takes_part:
            self._host.evicted()

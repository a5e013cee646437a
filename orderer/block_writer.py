"""Turns batches into signed, stored blocks (Fabric: orderer/common/multichannel/blockwriter.go)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor

from gridloom.common.block_store import BlockStore
from gridloom.common.blocks import header_hash, last_config_index, new_block, sign_block
from gridloom.common.envelopes import NONCE_LENGTH
from gridloom.common.identities import Signer
from gridloom.protos.common import common_pb2


class BlockWriter:
    """Continues the chain in ``store``, which holds at least its first block.

    sequence: of the configuration in force; disk: where appending waits for the disk, so
    that the event loop does not.
    """

    def __init__(
        self,
        store: BlockStore,
        signer: Signer,
        random_bytes: Callable[[int], bytes],
        sequence: int,
        disk: Executor,
    ) -> None:
        self._store = store
        self._signer = signer
        self._random_bytes = random_bytes
        self._disk = disk
        self._last = store.get(store.height - 1)
        self._last_config = last_config_index(self._last) if self._last.header.number else 0
        self._last_sequence = sequence

    def create_next_block(self, envelopes: Sequence[common_pb2.Envelope]) -> common_pb2.Block:
        """The block after the last one written, without metadata."""
        return new_block(
            self._last.header.number + 1,
            header_hash(self._last.header),
            [envelope.SerializeToString() for envelope in envelopes],
        )

    async def write(
        self, block: common_pb2.Block, sequence: int, consenter_metadata: bytes = b""
    ) -> None:
        """Sign ``block``, store it and return when it is durable.

        sequence: of the configuration that is in force with this block; when it has
        advanced, the block is the one that later blocks name as their last config.
        """
        if sequence > self._last_sequence:
            self._last_config = block.header.number
            self._last_sequence = sequence
        nonce = self._random_bytes(NONCE_LENGTH)
        sign_block(block, self._signer, nonce, self._last_config, consenter_metadata)
        await self._append(block)

    async def append(self, block: common_pb2.Block, sequence: int) -> None:
        """Store a block of another orderer with its metadata; sequence: as for ``write``."""
        if sequence > self._last_sequence:
            self._last_config = block.header.number
            self._last_sequence = sequence
        await self._append(block)

    async def _append(self, block: common_pb2.Block) -> None:
        if self._store.waits_for_disk:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._disk, self._store.append, block)
        else:
            self._store.append(block)
        self._last = block

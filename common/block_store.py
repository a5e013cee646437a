"""The chain of blocks that a node keeps: what every store of it promises, and the one in memory.

The durable one is ``file_block_store`` (Fabric: common/ledger/blockledger, blkstorage).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from gridloom.protos.common import common_pb2

from .blocks import header_hash
from .errors import GridloomError


class BlockStoreError(GridloomError):
    """Root of what a block store reports."""


class BlockNotFound(BlockStoreError):
    """No such block: number, and the range first..height-1 that there is."""

    def __init__(self, number: int, first: int, height: int) -> None:
        super().__init__(f"block {number} not found, there are {first} to {height - 1}")
        self.number, self.first, self.height = number, first, height


class UnexpectedBlock(BlockStoreError):
    """A block that does not continue the chain: its number, the height, and why."""

    def __init__(self, number: int, height: int, reason: str) -> None:
        super().__init__(f"block {number} cannot follow at height {height}: {reason}")
        self.number, self.height, self.reason = number, height, reason


class BlockStore(Protocol):
    """Blocks by number, from ``first`` (0 unless it began with a snapshot) to ``height - 1``.

    Blocks given out are shared: read them, never change them.  One thread may append while
    others read; a block can be read as soon as, and not before, ``append`` has returned.
    """

    @property
    def waits_for_disk(self) -> bool:
        """Whether ``append`` takes so long that an event loop should not call it itself."""

    @property
    def first(self) -> int:
        """The number of the oldest block kept."""

    @property
    def height(self) -> int:
        """The number the next block will have."""

    def append(self, block: common_pb2.Block) -> None:
        """Keep ``block`` for good; UnexpectedBlock when number or previous hash do not fit."""

    def get(self, number: int) -> common_pb2.Block:
        """Block ``number``; BlockNotFound outside first..height-1."""

    def blocks(self, start: int = 0) -> Iterator[common_pb2.Block]:
        """The blocks from ``start`` to the last one there is while iterating."""

    def close(self) -> None:
        """Release files; nothing may be called afterwards."""


def check_next(block: common_pb2.Block, height: int, last_hash: bytes) -> None:
    """UnexpectedBlock unless ``block`` continues a chain of ``height`` with that last hash."""
    number = block.header.number
    if number != height:
        raise UnexpectedBlock(number, height, f"its number should be {height}")
    if block.header.previous_hash != last_hash:
        raise UnexpectedBlock(number, height, "its previous hash is not the last block's hash")


class MemoryBlockStore:
    """A chain that ends with its process."""

    def __init__(self) -> None:
        self._blocks: list[common_pb2.Block] = []
        self.first = 0
        self.waits_for_disk = False

    @property
    def height(self) -> int:
        return len(self._blocks)

    def append(self, block: common_pb2.Block) -> None:
        last_hash = header_hash(self._blocks[-1].header) if self._blocks else b""
        check_next(block, self.height, last_hash)
        self._blocks.append(block)

    def get(self, number: int) -> common_pb2.Block:
        if not 0 <= number < self.height:
            raise BlockNotFound(number, self.first, self.height)
        return self._blocks[number]

    def blocks(self, start: int = 0) -> Iterator[common_pb2.Block]:
        while start < self.height:
            yield self.get(start)
            start += 1

    def close(self) -> None:
        """Nothing to release."""

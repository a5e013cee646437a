"""The store in memory keeps the promises of every store."""

from gridloom.common.block_store import MemoryBlockStore
from harness.block_store_conformance import BlockStoreConformance


class TestMemoryBlockStore(BlockStoreConformance):
    def open_store(self) -> MemoryBlockStore:
        return MemoryBlockStore()

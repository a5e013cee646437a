"""Where an orderer keeps its channels' blocks.

(Fabric: common/ledger/blockledger; FileLedger.Location of orderer.yaml.)
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from gridloom.common.block_store import BlockStore, MemoryBlockStore
from gridloom.common.file_block_store import FileBlockStore


class OrdererStorage(Protocol):
    """Block stores by channel id."""

    def channels(self) -> list[str]:
        """The channels there are, sorted."""

    def open(self, channel_id: str) -> BlockStore:
        """The store of a channel, made when missing."""

    def remove(self, channel_id: str) -> None:
        """Delete a channel's blocks; the store must have been closed."""


class MemoryStorage:
    """Blocks that last as long as this object: a restarted orderer can be given it again."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryBlockStore] = {}

    def channels(self) -> list[str]:
        return sorted(self._stores)

    def open(self, channel_id: str) -> BlockStore:
        return self._stores.setdefault(channel_id, MemoryBlockStore())

    def remove(self, channel_id: str) -> None:
        del self._stores[channel_id]


class FileStorage:
    """Block files under ``location/chains/<channel>``, as a Fabric orderer lays them out.

    sync: wait for the disk with each block.
    """

    def __init__(self, location: Path, *, sync: bool = True) -> None:
        self._chains = location / "chains"
        self._sync = sync

    def channels(self) -> list[str]:
        if not self._chains.is_dir():
            return []
        return sorted(path.name for path in self._chains.iterdir() if path.is_dir())

    def open(self, channel_id: str) -> BlockStore:
        return FileBlockStore(self._chains / channel_id, sync=self._sync)

    def remove(self, channel_id: str) -> None:
        shutil.rmtree(self._chains / channel_id)

"""Where an orderer keeps its channels' blocks.

(Fabric: common/ledger/blockledger; FileLedger.Location of orderer.yaml.)
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Protocol

from gridloom.common.block_store import BlockStore, MemoryBlockStore
from gridloom.common.file_block_store import FileBlockStore
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import Block


class OrdererStorage(Protocol):
    """Block stores by channel id."""

    def channels(self) -> list[str]:
        """The channels there are, sorted."""

    def open(self, channel_id: str) -> BlockStore:
        """The store of a channel, made when missing."""

    def remove(self, channel_id: str) -> None:
        """Delete a channel's blocks; the store must have been closed."""

    def give_up(self, channel_id: str) -> None:
        """Delete a channel's blocks, and remember that this was wanted."""

    def given_up(self, channel_id: str) -> bool:
        """Whether a channel was given up and not opened again since."""

    def join_block(self, channel_id: str) -> Block | None:
        """The config block that a channel is being joined with, None when it has been."""

    def set_join_block(self, channel_id: str, block: Block | None) -> None:
        """Remember what a channel is being joined with, or that it is done."""


class MemoryStorage:
    """Blocks that last as long as this object: a restarted orderer can be given it again."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryBlockStore] = {}
        self._given_up: set[str] = set()
        self._join_blocks: dict[str, Block] = {}

    def channels(self) -> list[str]:
        return sorted(self._stores)

    def open(self, channel_id: str) -> BlockStore:
        self._given_up.discard(channel_id)
        return self._stores.setdefault(channel_id, MemoryBlockStore())

    def remove(self, channel_id: str) -> None:
        del self._stores[channel_id]
        self._join_blocks.pop(channel_id, None)

    def give_up(self, channel_id: str) -> None:
        self._given_up.add(channel_id)
        self.remove(channel_id)

    def given_up(self, channel_id: str) -> bool:
        return channel_id in self._given_up

    def join_block(self, channel_id: str) -> Block | None:
        return self._join_blocks.get(channel_id)

    def set_join_block(self, channel_id: str, block: Block | None) -> None:
        if block is None:
            self._join_blocks.pop(channel_id, None)
        else:
            self._join_blocks[channel_id] = block


class FileStorage:
    """Block files under ``location/chains/<channel>``, as a Fabric orderer lays them out.

    The block that a channel is being joined with is ``location/pendingops/join/<channel>.join``.
    An empty file ``location/removed/<channel>`` says that a channel was given up; a removal
    that a crash cut short is finished here.  sync: wait for the disk with each block.
    """

    def __init__(self, location: Path, *, sync: bool = True) -> None:
        self._chains = location / "chains"
        self._removed = location / "removed"
        self._joining = location / "pendingops" / "join"
        self._sync = sync
        for mark in self._removed.iterdir() if self._removed.is_dir() else ():
            self.remove(mark.name)

    def channels(self) -> list[str]:
        if not self._chains.is_dir():
            return []
        return sorted(path.name for path in self._chains.iterdir() if path.is_dir())

    def open(self, channel_id: str) -> BlockStore:
        (self._removed / channel_id).unlink(missing_ok=True)
        return FileBlockStore(self._chains / channel_id, sync=self._sync)

    def remove(self, channel_id: str) -> None:
        folder = self._chains / channel_id
        if folder.exists():
            shutil.rmtree(folder)
        self.set_join_block(channel_id, None)

    def give_up(self, channel_id: str) -> None:
        self._removed.mkdir(parents=True, exist_ok=True)
        (self._removed / channel_id).touch()
        self.remove(channel_id)

    def given_up(self, channel_id: str) -> bool:
        return (self._removed / channel_id).exists()

    def join_block(self, channel_id: str) -> Block | None:
        path = self._join_file(channel_id)
        return parse(Block, path.read_bytes(), str(path)) if path.exists() else None

    def set_join_block(self, channel_id: str, block: Block | None) -> None:
        path = self._join_file(channel_id)
        if block is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.write_bytes(block.SerializeToString())
        os.replace(unfinished, path)

    def _join_file(self, channel_id: str) -> Path:
        return self._joining / f"{channel_id}.join"

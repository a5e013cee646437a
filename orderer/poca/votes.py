"""Where a consenter keeps its votes, so that a restart does not make it vote twice.

(Fabric counterpart: etcdraft's write-ahead log, of which one record is enough here.)
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from gridloom.common.errors import MalformedMessage

from .core import Votes
from .messages import decode_votes, encode_votes


class VoteStore(Protocol):
    """The last votes of one channel."""

    def load(self) -> Votes | None:
        """What was saved last, None if nothing was."""

    async def save(self, votes: Votes) -> None:
        """Keep the votes; returns when they are durable."""

    def clear(self) -> None:
        """Forget the votes: the channel is given up."""


class MemoryVotes:
    """Votes that last as long as this object."""

    def __init__(self) -> None:
        self._votes: Votes | None = None

    def load(self) -> Votes | None:
        return self._votes

    async def save(self, votes: Votes) -> None:
        self._votes = votes

    def clear(self) -> None:
        self._votes = None


class FileVotes:
    """Votes in a file, replaced as a whole; sync: wait for the disk."""

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self._path = path
        self._sync = sync

    def load(self) -> Votes | None:
        """MalformedMessage names the file if something else has written into it."""
        if not self._path.exists():
            return None
        try:
            return decode_votes(self._path.read_bytes())
        except MalformedMessage as error:
            raise MalformedMessage(str(self._path), error.reason) from error

    async def save(self, votes: Votes) -> None:
        await asyncio.to_thread(self._write, encode_votes(votes))

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def _write(self, data: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            if self._sync:
                os.fsync(file.fileno())
        fresh.replace(self._path)
        if self._sync:
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

"""Where the Raft logs of an orderer's channels are kept (Fabric: Consensus.WALDir)."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Protocol

from .write_ahead_log import Disk, MemoryLog, RecordLog, WriteAheadLog


class LogStore(Protocol):
    """Raft logs by channel."""

    def open(self, channel_id: str) -> RecordLog:
        """The log of a channel, empty when there was none; CorruptLog, LogWriteFailed."""

    def remove(self, channel_id: str) -> None:
        """Forget a channel's log, which must have been closed."""


class MemoryLogs:
    """Logs that last as long as this object: a restarted orderer can be given it again."""

    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}

    def open(self, channel_id: str) -> RecordLog:
        """See ``LogStore``."""
        return self._logs.setdefault(channel_id, MemoryLog())

    def remove(self, channel_id: str) -> None:
        """See ``LogStore``."""
        self._logs.pop(channel_id, None)


class LogFolder:
    """Logs in ``location/<channel>/log``; disk: what they write with."""

    def __init__(self, location: Path, disk: Disk | None = None) -> None:
        self._location = location
        self._disk = disk

    def open(self, channel_id: str) -> RecordLog:
        """See ``LogStore``."""
        return WriteAheadLog(self._location / channel_id / "log", self._disk)

    def remove(self, channel_id: str) -> None:
        """See ``LogStore``."""
        folder = self._location / channel_id
        if folder.exists():
            shutil.rmtree(folder)

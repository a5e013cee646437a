"""The log a Raft node writes before it promises anything.

One file of records: length and kind, checksum, content, checksum.  A checksum covers all that
stands before it, so that nothing can be lost from the middle.  ``append`` returns when the disk
has the records; a write that a crash cut short is cut off at opening, anything else that is wrong
is an error.  ``replace`` begins the log anew, whole or not at all, which is how snapshots make it
short and how it recovers from a disk that failed (Fabric: go.etcd.io/etcd/server/storage/wal).
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol
from zlib import crc32

from gridloom.common.errors import GridloomError

log = logging.getLogger(__name__)

MAGIC = b"gridloom raft log 1\n"
_HEAD = struct.Struct("<IB")
_CHECKSUM = struct.Struct("<I")
_SECTOR, _PROOF = 512, 16


class LogError(GridloomError):
    """Root of what a write-ahead log reports."""


class LogWriteFailed(LogError):
    """The disk did not take what was written: the file and the system's words."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror or error}")
        self.path = path
        self.error = error


class CorruptLog(LogError):
    """A log that cannot have come from a crash: the file, the offset, and why."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(f"{path} at byte {offset}: {reason}")
        self.path, self.offset, self.reason = path, offset, reason


class Record(NamedTuple):
    """kind: 0 to 255, the user's; content: any bytes."""

    kind: int
    content: bytes


class RecordLog(Protocol):
    """Records in the order they were written."""

    @property
    def waits_for_disk(self) -> bool:
        """Whether writing takes so long that an event loop should not do it itself."""

    def read(self) -> Sequence[Record]:
        """Every record there is; CorruptLog."""

    def append(self, records: Iterable[Record]) -> None:
        """Return when the records are durable; LogWriteFailed, after which only ``replace``."""

    def replace(self, records: Iterable[Record]) -> None:
        """Let these records take the place of all others; LogWriteFailed: nothing happened."""

    def close(self) -> None:
        """Release the file."""


class MemoryLog:
    """Records that last as long as this object."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self.waits_for_disk = False

    def read(self) -> Sequence[Record]:
        """See ``RecordLog``."""
        return tuple(self._records)

    def append(self, records: Iterable[Record]) -> None:
        """See ``RecordLog``."""
        self._records.extend(records)

    def replace(self, records: Iterable[Record]) -> None:
        """See ``RecordLog``."""
        self._records = list(records)

    def close(self) -> None:
        """Nothing to release."""


_sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@dataclass(frozen=True, slots=True)
class Disk:
    """The system calls a log writes with, for tests to let them fail."""

    write: Callable[[int, memoryview], int] = os.write
    sync: Callable[[int], None] = _sync_data


class WriteAheadLog:
    """A ``RecordLog`` in the file ``path``, whose folder is made when missing."""

    def __init__(self, path: Path, disk: Disk | None = None) -> None:
        self._path = path
        self._disk = disk or Disk()
        self.waits_for_disk = True
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self._fd, self._size, self._checksum = -1, 0, 0
            self.replace(())
            return
        scan = _Scan(path)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        excess = os.fstat(self._fd).st_size - scan.end
        if excess:
            log.warning("%s: cutting off an unfinished write of %d bytes", path, excess)
            os.ftruncate(self._fd, scan.end)
            os.fsync(self._fd)
        self._size, self._checksum = scan.end, scan.checksum

    def read(self) -> Sequence[Record]:
        """See ``RecordLog``."""
        return _Scan(self._path).records

    def append(self, records: Iterable[Record]) -> None:
        """See ``RecordLog``."""
        data, checksum = _encode(records, self._checksum)
        try:
            self._write(self._fd, data)
        except OSError as error:
            raise LogWriteFailed(self._path, error) from error
        self._size += len(data)
        self._checksum = checksum

    def replace(self, records: Iterable[Record]) -> None:
        """See ``RecordLog``."""
        data, checksum = _encode(records, crc32(MAGIC))
        unfinished = self._path.with_suffix(".new")
        fd = -1
        try:
            fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
            self._write(fd, MAGIC + data)
            os.replace(unfinished, self._path)
            _sync_directory(self._path.parent)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            unfinished.unlink(missing_ok=True)
            raise LogWriteFailed(self._path, error) from error
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._size, self._checksum = fd, len(MAGIC) + len(data), checksum

    def close(self) -> None:
        """See ``RecordLog``."""
        os.close(self._fd)

    def _write(self, fd: int, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._disk.write(fd, rest) :]
        self._disk.sync(fd)


def _encode(records: Iterable[Record], checksum: int) -> tuple[bytes, int]:
    parts: list[bytes] = []
    for kind, content in records:
        head = _HEAD.pack(len(content), kind)
        checksum = crc32(head, checksum)
        parts += (head, _CHECKSUM.pack(checksum))
        checksum = crc32(content, checksum)
        parts += (content, _CHECKSUM.pack(checksum))
    return b"".join(parts), checksum


class _Scan:
    """What a file holds: its records, the checksum over them, and where the last one ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = path.read_bytes()
        if self._data[: len(MAGIC)] != MAGIC:
            raise CorruptLog(path, 0, "this is no Raft log")
        self.records: list[Record] = []
        self.checksum = crc32(MAGIC)
        self.end = len(MAGIC)
        while self.end < len(self._data) and self._take():
            pass

    def _take(self) -> bool:
        """Read the record at ``end``; False if a crash cut it short."""
        position = self.end + _HEAD.size
        checksum = crc32(self._data[self.end : position], self.checksum)
        if not self._agrees(position, checksum):
            return False
        length, kind = _HEAD.unpack_from(self._data, self.end)
        start = position + _CHECKSUM.size
        content = self._data[start : start + length]
        checksum = crc32(content, checksum)
        if not self._agrees(start + length, checksum):
            return False
        self.records.append(Record(kind, content))
        self.checksum, self.end = checksum, start + length + _CHECKSUM.size
        return True

    def _agrees(self, position: int, checksum: int) -> bool:
        """Whether this checksum stands at ``position``; False as well if a crash cut it off."""
        if position + _CHECKSUM.size > len(self._data):
            return False
        if _CHECKSUM.unpack_from(self._data, position)[0] == checksum:
            return True
        if _has_hole(self._data, self.end):
            return False
        raise CorruptLog(self._path, self.end, "the checksum of a record is wrong")


def _has_hole(data: bytes, start: int) -> bool:
    """Whether a disk sector from ``start`` on was never written, as a crash leaves it."""
    edges = [start, *range(start - start % _SECTOR + _SECTOR, len(data), _SECTOR), len(data)]
    sectors = (data[begin:end] for begin, end in pairwise(edges))
    return any(len(sector) >= _PROOF and not any(sector) for sector in sectors)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

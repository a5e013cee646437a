"""A chain in Fabric's block files: ``blockfile_000000`` and so on in one folder.

Names, format and the size at which a new file begins are Fabric's own, so either side can
read the other's files.  Where each block lies is found at opening, by reading lengths only
(Fabric: common/ledger/blkstorage/blockfile_mgr.go, blockfile_helper.go).
"""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple

from gridloom.protos.common import common_pb2

from .block_file import (
    MAX_UVARINT,
    decode_block,
    encode_block,
    encode_uvarint,
    is_cut_off,
    read_uvarint,
)
from .block_store import BlockNotFound, BlockStoreError, check_next
from .blocks import data_hash, header_hash
from .errors import MalformedMessage

log = logging.getLogger(__name__)

MAX_BLOCKFILE_SIZE = 64 * 1024 * 1024
"""Bytes after which the next block opens a new file (Fabric: defaultMaxBlockfileSize)."""

CACHE_BYTES = 16 * 1024 * 1024
_PREFIX = "blockfile_"
_SECTOR, _PROOF = 512, 16
_sync_data = getattr(os, "fdatasync", os.fsync)


class CorruptBlockStore(BlockStoreError):
    """Block files that cannot have come from a crash: the file, the offset, and why."""

    def __init__(self, path: Path, offset: int, reason: str) -> None:
        super().__init__(f"{path} at byte {offset}: {reason}")
        self.path, self.offset, self.reason = path, offset, reason


class _Place(NamedTuple):
    """Where a block's bytes lie (behind their length)."""

    file: int
    offset: int
    length: int


class FileBlockStore:
    """A chain in the block files of ``directory``, which is made when missing.

    sync: wait in ``append`` until the disk has the block (False: tests and throw-away
    networks).  A write that a crash cut short is cut off at opening; anything else that is
    wrong is CorruptBlockStore, then or when the block is read.
    """

    def __init__(
        self, directory: Path, *, sync: bool = True, max_file_size: int = MAX_BLOCKFILE_SIZE
    ) -> None:
        self._directory = directory
        self.waits_for_disk = self._sync = sync
        self._max_file_size = max_file_size
        self._recent = _RecentBlocks()
        directory.mkdir(parents=True, exist_ok=True)
        scan = _Scan(directory)
        self.first, self._places, self._file = scan.first, scan.places, scan.file
        self._last_hash = self._check_last()
        end = self._places[-1] if self._places and self._places[-1].file == self._file else None
        self._size = end.offset + end.length if end else 0
        self._fd = self._open_file()

    @property
    def height(self) -> int:
        return self.first + len(self._places)

    def append(self, block: common_pb2.Block) -> None:
        check_next(block, self.height, self._last_hash)
        body = encode_block(block)
        record = encode_uvarint(len(body)) + body
        if self._size + len(record) > self._max_file_size:
            os.close(self._fd)
            self._file, self._size = self._file + 1, 0
            self._fd = self._open_file()
        try:
            self._write(record)
        except OSError as error:
            os.ftruncate(self._fd, self._size)
            raise BlockStoreError(f"cannot write block {block.header.number}: {error}") from error
        self._size += len(record)
        self._last_hash = header_hash(block.header)
        self._recent.add(block, len(body))
        self._places.append(_Place(self._file, self._size - len(body), len(body)))

    def get(self, number: int) -> common_pb2.Block:
        if not self.first <= number < self.height:
            raise BlockNotFound(number, self.first, self.height)
        return self._recent.get(number) or self._read(number)

    def blocks(self, start: int = 0) -> Iterator[common_pb2.Block]:
        while start < self.height:
            yield self.get(start)
            start += 1

    def close(self) -> None:
        os.close(self._fd)

    def _open_file(self) -> int:
        """Open the last file for appending, cut to the end of its last whole block."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        fd = os.open(block_file(self._directory, self._file), flags, 0o660)
        excess = os.fstat(fd).st_size - self._size
        if excess:
            log.warning("%s: cutting off an unfinished block of %d bytes", self._directory, excess)
            os.ftruncate(fd, self._size)
        if self._sync:
            _sync_directory(self._directory)
        return fd

    def _write(self, record: bytes) -> None:
        rest = memoryview(record)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        if self._sync:
            _sync_data(self._fd)

    def _body(self, place: _Place) -> bytes:
        with block_file(self._directory, place.file).open("rb") as file:
            file.seek(place.offset)
            return file.read(place.length)

    def _read(self, number: int) -> common_pb2.Block:
        place = self._places[number - self.first]
        path = block_file(self._directory, place.file)
        try:
            block = decode_block(self._body(place))
        except MalformedMessage as error:
            raise CorruptBlockStore(path, place.offset, str(error)) from error
        if data_hash(block.data.data) != block.header.data_hash:
            reason = f"the data of block {number} does not have the hash in its header"
            raise CorruptBlockStore(path, place.offset, reason)
        return block

    def _check_last(self) -> bytes:
        """Read the last block, drop it if a crash left holes in it; returns its hash."""
        if not self._places:
            return b""
        place = self._places[-1]
        try:
            last = self._read(self.height - 1)
        except CorruptBlockStore:
            if not _has_hole(self._body(place), place.offset):
                raise
            self._places.pop()
            return self._check_last()
        if len(self._places) > 1:
            before = self._read(self.height - 2)
            if header_hash(before.header) != last.header.previous_hash:
                path = block_file(self._directory, place.file)
                reason = f"block {last.header.number} does not name the hash of the one before"
                raise CorruptBlockStore(path, place.offset, reason)
        return header_hash(last.header)


class _RecentBlocks:
    """The blocks appended last, so that delivering them reads and parses nothing."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[int, tuple[common_pb2.Block, int]] = OrderedDict()
        self._bytes = 0

    def add(self, block: common_pb2.Block, size: int) -> None:
        self._blocks[block.header.number] = (block, size)
        self._bytes += size
        while self._bytes > CACHE_BYTES:
            self._bytes -= self._blocks.popitem(last=False)[1][1]

    def get(self, number: int) -> common_pb2.Block | None:
        found = self._blocks.get(number)
        return found[0] if found else None


class _Scan:
    """What the files of a folder hold: the first block's number and where each block lies."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.first = 0
        self.places: list[_Place] = []
        self.file = _last_file(directory)
        for number in range(self.file + 1):
            self._scan_file(number)

    def _scan_file(self, number: int) -> None:
        path = block_file(self._directory, number)
        if number == self.file and not path.exists():
            return
        size = path.stat().st_size
        with path.open("rb") as file:
            offset = 0
            while offset < size:
                place = self._place(file, number, offset, size)
                if place is None:
                    self._check_torn(file, path, offset)
                    return
                self.places.append(place)
                offset = place.offset + place.length

    def _place(self, file: BinaryIO, number: int, offset: int, size: int) -> _Place | None:
        """The whole record at ``offset``, None if there is not one or not the next block."""
        file.seek(offset)
        head = file.read(2 * MAX_UVARINT)
        try:
            found = read_uvarint(head)
            if found is None or offset + found[1] + found[0] > size:
                return None
            length, start = found
            block_number = read_uvarint(head[: start + length], start)
        except MalformedMessage:
            return None
        if block_number is None:
            return None
        if not self.places:
            self.first = block_number[0]
        elif block_number[0] != self.first + len(self.places):
            return None
        return _Place(number, offset + start, length)

    def _check_torn(self, file: BinaryIO, path: Path, offset: int) -> None:
        """Return if the rest of the file is what a crash leaves of one write."""
        if path != block_file(self._directory, self.file):
            raise CorruptBlockStore(path, offset, "no whole block here, but a later file follows")
        file.seek(offset)
        rest = file.read()
        try:
            found = read_uvarint(rest)
        except MalformedMessage as error:
            raise CorruptBlockStore(path, offset, error.reason) from error
        expected = self.first + len(self.places)
        if found is None or not any(rest):
            return
        if len(rest) >= sum(found) or not is_cut_off(rest[found[1] :], expected):
            raise CorruptBlockStore(path, offset, f"block {expected} should begin here")


def block_file(directory: Path, number: int) -> Path:
    """The path of block file ``number``, as Fabric names it."""
    return directory / f"{_PREFIX}{number:06}"


def _last_file(directory: Path) -> int:
    numbers = set()
    for path in directory.glob(f"{_PREFIX}*"):
        digits = path.name.removeprefix(_PREFIX)
        if not digits.isascii() or not digits.isdigit():
            raise CorruptBlockStore(path, 0, "a block file's name ends in its number")
        numbers.add(int(digits))
    missing = set(range(max(numbers, default=0))) - numbers
    if missing:
        path = block_file(directory, min(missing))
        raise CorruptBlockStore(path, 0, "this block file is missing, but later ones are there")
    return max(numbers, default=0)


def _has_hole(body: bytes, offset: int) -> bool:
    """Whether a disk sector under ``body``, which lies at ``offset``, was never written.

    A few zero bytes at either end prove nothing: empty metadata slots are zeros too.
    """
    edges = [0, *range(-offset % _SECTOR, len(body), _SECTOR), len(body)]
    sectors = (body[start:end] for start, end in pairwise(edges))
    return any(len(sector) >= _PROOF and not any(sector) for sector in sectors)


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

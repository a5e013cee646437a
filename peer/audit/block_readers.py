"""The pieces of a file that are, or should be, one block each.

(Fabric: common/ledger/blkstorage/block_stream.go for block files.)
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from gridloom.common.block_file import MAX_UVARINT, read_uvarint
from gridloom.common.errors import MalformedMessage

from .salvage import ReadBlock, read_message, read_record

BLOCK_FILE = "blockfile_"
LEDGER_DATABASE = "ledger.db"
_NUMBER = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Where one block is said to be; ``read`` reads it, anew each time, and never fails.

    hint: the number in the name of its file, None without one.
    """

    source: str
    read: Callable[[], ReadBlock]
    hint: int | None = None


def read_single(path: Path) -> Iterator[Piece]:
    """A file with one serialized block; or block records under another name."""
    data = path.read_bytes()
    if read_message(data).block is None:
        pieces = list(read_block_file(path))
        if pieces and all(not piece.read().fault for piece in pieces):
            yield from pieces
            return
    digits = _NUMBER.findall(path.stem)
    yield Piece(str(path), partial(_read_file, path), int(digits[-1]) if digits else None)


def _read_file(path: Path) -> ReadBlock:
    try:
        return read_message(path.read_bytes())
    except OSError as error:
        return ReadBlock(None, str(error))


def read_block_file(path: Path) -> Iterator[Piece]:
    """The records of a block file; bytes that are no whole record become a last, broken piece."""
    size = path.stat().st_size
    offset = 0
    with path.open("rb") as file:
        while offset < size:
            source = f"{path} at byte {offset}"
            start, length, fault = _record(file, offset)
            if start + length > size:
                fault = f"the file ends within a block of {length} bytes"
            yield Piece(source, partial(_read_record, path, start, length, fault))
            if fault:
                return
            offset = start + length


def _record(file: BinaryIO, offset: int) -> tuple[int, int, str]:
    """Start and length of the record at ``offset``, and what is wrong with its length."""
    file.seek(offset)
    try:
        found = read_uvarint(file.read(MAX_UVARINT))
    except MalformedMessage as error:
        return offset, 0, f"no block begins here: {error.reason}"
    if found is None:
        return offset, 0, "the file ends within the length of a block"
    length, start = found
    return offset + start, length, ""


def _read_record(path: Path, start: int, length: int, fault: str) -> ReadBlock:
    try:
        with path.open("rb") as file:
            file.seek(start)
            read = read_record(file.read(min(length, path.stat().st_size)))
    except OSError as error:
        return ReadBlock(None, str(error))
    return ReadBlock(read.block, fault or read.fault)


def read_database(path: Path) -> Iterator[Piece]:
    """The blocks in the ledger of a Gridloom peer, which may be running."""
    for (number,) in _query(path, "SELECT number FROM blocks ORDER BY number"):
        yield Piece(f"{path} block {number}", partial(_read_row, path, number))


def _read_row(path: Path, number: int) -> ReadBlock:
    try:
        [(data,)] = _query(path, "SELECT block FROM blocks WHERE number = ?", number)
    except (OSError, ValueError) as error:
        return ReadBlock(None, str(error))
    return read_message(data)


def _query(path: Path, statement: str, *parameters: int) -> list[tuple[Any, ...]]:
    """Rows of a database that is only read; OSError if it cannot be."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(statement, parameters).fetchall()
    except sqlite3.Error as error:
        raise OSError(f"{path}: {error}") from error

"""Finds the blocks to audit: block files, folders of them, a peer's or orderer's own data.

Understood are files with one serialized ``common.Block`` each, under any name; Fabric's
``blockfile_NNNNNN`` of peers and orderers, ours and real ones, behind a snapshot too; and the
``ledger.db`` of our own peer.  A first reading finds out where each block lies; what is
broken keeps a place in the row and says so when its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gridloom.common import blocks
from gridloom.common.errors import GridloomError

from .block_readers import (
    BLOCK_FILE,
    LEDGER_DATABASE,
    Piece,
    read_block_file,
    read_database,
    read_single,
)
from .salvage import ReadBlock

SNAPSHOT_INFO = "bootstrappingSnapshot.info"
_NOT_BLOCKS = {".json", ".yaml", ".yml", ".md", ".txt", ".log", ".info", ".sha256"}


class NoBlocks(GridloomError):
    """There is nothing here to audit: the path, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoundBlock:
    """A block in the order of numbers; number: its own, or guessed from the file's name."""

    source: str
    number: int | None
    read: ReadBlock


@dataclass(frozen=True, slots=True)
class _Place:
    source: str
    piece: Piece
    number: int | None
    channel_id: str


class BlockSources:
    """The blocks of one channel, in order, read anew each time it is iterated.

    channel_id: that most blocks name; snapshot: the info file of a ledger that a real peer
    began from a snapshot, None without one.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read everything once; NoBlocks if there is nothing."""
        files = [file for path in paths for file in _files(path)]
        places = [_place(piece) for file in files for piece in _pieces(file)]
        if not places:
            raise NoBlocks(paths[0], "there are no blocks here")
        self.channel_id = _channel(places)
        self._places = _in_order(places, self.channel_id)
        infos = {file.parent / SNAPSHOT_INFO for file in files}
        self.snapshot = next((info for info in sorted(infos) if info.is_file()), None)

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[FoundBlock]:
        for place in self._places:
            yield FoundBlock(place.source, place.number, place.piece.read())


def _files(path: Path) -> list[Path]:
    """The files that hold the blocks of ``path``; NoBlocks names the choices there are."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NoBlocks(path, "there is no such file or folder")
    here = _listed(path)
    if found := _ledger_files(here) or [file for file in here if _may_be_block(file)]:
        return found
    below = {file.parent for file in path.rglob("*") if file.is_file()}
    for choose in (_ledger_files, partial(filter, _may_be_block)):
        choices = {folder: files for folder in below if (files := [*choose(_listed(folder))])}
        if len(choices) > 1:
            names = ", ".join(sorted(str(folder.relative_to(path)) for folder in choices))
            raise NoBlocks(path, f"several folders have blocks, name one of them: {names}")
        if choices:
            return next(iter(choices.values()))
    return []


def _listed(folder: Path) -> list[Path]:
    return sorted(
        file for file in folder.iterdir() if file.is_file() and not file.name.startswith(".")
    )


def _ledger_files(files: Sequence[Path]) -> list[Path]:
    """The block files among ``files``, else the database of a Gridloom peer."""
    block_files = [file for file in files if file.name.startswith(BLOCK_FILE)]
    return block_files or [file for file in files if _is_database(file)]


def _may_be_block(file: Path) -> bool:
    return file.suffix.lower() not in _NOT_BLOCKS


def _is_database(file: Path) -> bool:
    return file.name == LEDGER_DATABASE


def _pieces(file: Path) -> Iterable[Piece]:
    reader: Callable[[Path], Iterable[Piece]]
    if file.name.startswith(BLOCK_FILE):
        reader = read_block_file
    elif _is_database(file):
        reader = read_database
    else:
        reader = read_single
    try:
        return list(reader(file))
    except OSError as error:
        raise NoBlocks(file, str(error)) from error


def _place(piece: Piece) -> _Place:
    block, _ = piece.read()
    number, channel_id = None, ""
    if block is not None:
        number = block.header.number
        try:
            channel_id = blocks.channel_id(block)
        except GridloomError:  # it will be said when the block is examined
            channel_id = ""
    return _Place(piece.source, piece, number, channel_id)


def _channel(places: Sequence[_Place]) -> str:
    """The channel that most blocks name; of two with as many, the one with a genesis block.

    Blocks of others are no reason to stop: each is said to be one when it is examined.
    """
    numbers: dict[str, list[int]] = {}
    for place in places:
        if place.channel_id and place.number is not None:
            numbers.setdefault(place.channel_id, []).append(place.number)
    return max(numbers, key=lambda name: (len(numbers[name]), 0 in numbers[name]), default="")


def _in_order(places: Sequence[_Place], channel_id: str) -> list[_Place]:
    """By number, those of the channel before others with the same one.

    A file that cannot be read stands where its name says, or at the end.
    """
    known = {place.number for place in places if place.number is not None}
    guessed = []
    for place in places:
        if place.number is None:
            hint = place.piece.hint
            if hint is not None and hint not in known:
                known.add(hint)
                place = replace(place, number=hint)  # noqa: PLW2901
        guessed.append(place)
    return sorted(
        guessed,
        key=lambda place: (
            place.number is None,
            place.number or 0,
            place.channel_id not in {"", channel_id},
        ),
    )

"""The form of a snapshot's binary files: a format byte, then numbers and length-prefixed bytes.

Numbers are unsigned varints.  A written file is read-only and synced, and its hash is known
at once.  (Fabric: common/ledger/snapshot/file.go.)
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from types import TracebackType

from .errors import SnapshotDamaged

FORMAT = 1
MODE = 0o444
_PIECE = 1 << 16
_MAX_UINT64 = 2**64 - 1
_MAX_VARINT_BYTES = 10


class FileWriter:
    """Writes a new file, which must not exist; OSError.  ``done`` makes it durable."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._hash = sha256()
        self._buffer = bytearray([FORMAT])

    def number(self, number: int) -> None:
        """Append an unsigned number."""
        while number > 0x7F:
            self._buffer.append(number & 0x7F | 0x80)
            number >>= 7
        self._buffer.append(number)

    def data(self, data: bytes) -> None:
        """Append bytes with their length before them."""
        self.number(len(data))
        self._buffer += data
        if len(self._buffer) >= _PIECE:
            self._flush()

    def done(self) -> bytes:
        """Sync and close the file; its SHA-256."""
        self._flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self._hash.digest()

    def close(self) -> None:
        """Close the file as it is; may be called again."""
        self._file.close()

    def _flush(self) -> None:
        rest = memoryview(bytes(self._buffer))
        self._buffer.clear()
        self._hash.update(rest)
        while rest:
            rest = rest[self._file.write(rest) :]

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class FileReader:
    """Reads such a file from its beginning; SnapshotDamaged wherever it breaks its form.

    name: how errors call it.  No length is believed before the file is seen to be as long.
    """

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._file = open_file(path)
        self._rest = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        try:
            found = self._read(1)[0]
            if found != FORMAT:
                raise self.damaged(f"unexpected data format: {found:x}")
        except BaseException:
            self._file.close()
            raise

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return not self._rest

    def number(self) -> int:
        """The next unsigned number, below 2**64."""
        number = 0
        for place in range(_MAX_VARINT_BYTES):
            byte = self._read(1)[0]
            number |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                if number > _MAX_UINT64:
                    break
                return number
        raise self.damaged("a number is larger than 64 bits")

    def count(self) -> int:
        """The next number, as the count of things of a byte at least that follow."""
        count = self.number()
        if count > self._rest:
            raise self.damaged("unexpected EOF")
        return count

    def data(self) -> bytes:
        """The next length-prefixed bytes."""
        return self._read(self.number())

    def text(self) -> str:
        """The next length-prefixed bytes as UTF-8."""
        data = self.data()
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.damaged(f"not valid UTF-8: {error.reason}") from error

    def end(self) -> None:
        """SnapshotDamaged unless everything has been read."""
        if not self.at_end:
            raise self.damaged(f"{self._rest} bytes more than its metadata speak of")

    def damaged(self, reason: str) -> SnapshotDamaged:
        """An error about this file."""
        return SnapshotDamaged(self.name, reason)

    def _read(self, size: int) -> bytes:
        if size > self._rest:
            raise self.damaged("unexpected EOF")
        try:
            data = self._file.read(size)
        except OSError as error:
            raise self.damaged(error.strerror or str(error)) from error
        if len(data) != size:
            raise self.damaged("unexpected EOF")
        self._rest -= size
        return data

    def __enter__(self) -> FileReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def open_file(path: Path) -> BufferedReader:
    """Open a regular file for reading; SnapshotDamaged if there is none that can be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SnapshotDamaged(path.name, "is not a regular file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise SnapshotDamaged(path.name, getattr(error, "strerror", "") or str(error)) from error


def file_hash(path: Path) -> bytes:
    """SHA-256 of a file; SnapshotDamaged if it cannot be read."""
    digest = sha256()
    try:
        with open_file(path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise SnapshotDamaged(path.name, error.strerror or str(error)) from error
    return digest.digest()


def sync_folder(path: Path) -> None:
    """Make entries of a folder durable; OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

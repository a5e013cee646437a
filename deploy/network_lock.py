"""Which process runs the network of a folder: a lock that ends with it, however it ends.

The operating system holds the lock, so a killed network never leaves one behind and a process
id that somebody else has got since means nothing.  Node processes inherit it: a network whose
supervisor was killed counts as running until its last node has gone.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from gridloom.common.errors import GridloomError

LOCK_FILE = "network.lock"

PATIENCE = 30.0
"""Seconds to wait for the nodes of a killed network to go."""

_INTERVAL = 0.02


class NetworkRuns(GridloomError):
    """A folder whose network runs: its path, and the id of the process."""

    def __init__(self, path: Path, process_id: int) -> None:
        super().__init__(
            f"{path}: the network is running, in process {process_id}; stop it with: gridloom down"
        )
        self.path = path
        self.process_id = process_id


class NetworkLock:
    """Held by the process that runs, or deletes, the network in ``folder``.

    The folder is made when it is missing; it and the lock's file go again if nothing else was
    put there.  NetworkRuns when another process holds the lock.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / LOCK_FILE
        self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """The open file that is the lock, for processes that shall hold it too."""
        return self._descriptor

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE
        while not self._try():
            holder = holder_of(self._folder)
            if (holder is not None and is_alive(holder)) or time.monotonic() > deadline:
                raise NetworkRuns(self._folder, holder or 0)
            time.sleep(_INTERVAL)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1
        if not any(self._folder.iterdir()):
            self._folder.rmdir()

    def _try(self) -> bool:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The last holder may have deleted the file between our two calls.
            if self._file.stat().st_ino == os.fstat(descriptor).st_ino:
                self._descriptor = descriptor
                return True
        except (BlockingIOError, FileNotFoundError):
            pass  # somebody holds it, or has just let it go: the caller tries again
        os.close(descriptor)
        return False


def holder_of(folder: Path) -> int | None:
    """Return the id of the process that holds the folder's lock, None if nobody does."""
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 20, 0) or b"0") or None
    finally:
        os.close(descriptor)
    return None


def is_alive(process_id: int) -> bool:
    """Whether a process with this id exists and has not ended."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{process_id}/stat")
    return not (stat.exists() and ") Z " in stat.read_text())

"""Backup and restore of a CA home: settings, certificates, keys and database in one file.

The database is copied as of one moment while the server goes on (SQLite's own backup).  A CA
whose database is PostgreSQL is backed up without it, which is for pg_dump.
"""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from gridloom.common.errors import GridloomError

from .home import KEYSTORE, open_database, sqlite_file
from .home_settings import SQLITE, HomeSettings
from .settings import CONFIG_FILE, load_settings

_SECRET: Final = 0o600


class BackupRefused(GridloomError):
    """A backup that cannot be made or restored. path: of what; reason: why not."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def back_up(folder: Path, target: Path, environment: Mapping[str, str]) -> list[str]:
    """Write a backup of a CA home to a new file (0600); the names of what is in it.

    BackupRefused when the file exists or something lies outside of the folder.
    """
    settings = load_settings(folder, environment)
    names: list[str] = []
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET)
    except FileExistsError as error:
        raise BackupRefused(target, "exists already") from error
    try:
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
            files = {folder / CONFIG_FILE}
            for home in settings.homes:
                files |= set(_files(home))
            for path in sorted(files):
                names.append(_add(tar, folder, path, path.read_bytes()))
            for home in settings.homes:
                if home.database.kind == SQLITE:
                    names.append(_add(tar, folder, sqlite_file(home), _copied(home)))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        target.unlink()
        raise
    return names


def restore(source: Path, folder: Path) -> list[str]:
    """Unpack a backup into a folder that holds no CA; the names of what was restored.

    BackupRefused when there is one, or when the file is no backup.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(folder, "is not empty; restore into a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(source, "r:gz") as tar:
            if CONFIG_FILE not in tar.getnames():
                raise BackupRefused(source, f"is no backup of a CA: it has no {CONFIG_FILE}")
            tar.extractall(folder, filter="data")
            return tar.getnames()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupRefused(source, f"cannot be unpacked: {error}") from error


def _files(home: HomeSettings) -> Iterator[Path]:
    """The files of a CA, keys and all; not its database, nor the passphrase of its keys."""
    for path in (
        home.certificate_file,
        home.chain_file,
        home.folder / "tls-cert.pem",
        *([] if home.key_file is None else [home.key_file]),
        *home.folder.glob("fabric-ca*-config.yaml"),
        *(home.folder / KEYSTORE).glob("*"),
    ):
        if path.is_file():
            yield path


def _copied(home: HomeSettings) -> bytes:
    with tempfile.TemporaryDirectory() as folder, closing(open_database(home)) as database:
        copy = Path(folder) / "copy.db"
        database.copy_sqlite(copy)
        return copy.read_bytes()


def _add(tar: tarfile.TarFile, folder: Path, path: Path, data: bytes) -> str:
    if not path.is_relative_to(folder):
        raise BackupRefused(path, f"lies outside of {folder}; back it up by itself")
    entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
    entry.size = len(data)
    entry.mode = _SECRET
    entry.mtime = int(time.time())
    tar.addfile(entry, io.BytesIO(data))
    return entry.name

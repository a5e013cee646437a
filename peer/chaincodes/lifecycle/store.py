"""Installed packages: where their bytes lie, and their code unpacked to run from.

On disk each package is one file named after its id, as Fabric names it, and its unpacked
code a folder beside them.  (Fabric: core/chaincode/persistence/persistence.go)
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gridloom.common.chaincode_package import package_id, parse_package, unpack_code

from ..errors import PackageNotFound
from ..runtime import InstalledPackage

_SUFFIX = ".tar.gz"
_FILE = re.compile(r"(.+)\.([0-9a-f]{64})\.tar\.gz")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PackageReference:
    """An installed package by name: its id and its label."""

    id: str
    label: str


class PackageStore(Protocol):
    """Packages by id."""

    def save(self, label: str, package: bytes) -> str:
        """Keep a package durably and return its id; keeping it again changes nothing."""
        ...

    def load(self, package_id: str) -> bytes:
        """Return a package's bytes; PackageNotFound when it is not installed."""
        ...

    def list(self) -> Sequence[PackageReference]:
        """Return all installed packages, by id."""
        ...

    def open(self, package_id: str) -> InstalledPackage:
        """Return a package ready to launch; PackageNotFound, or InvalidPackage."""
        ...

    def delete(self, package_id: str) -> None:
        """Forget a package; one that is not installed is fine."""
        ...


def file_name(package_id: str) -> str:
    """The name of a package's file: its id with the first colon as a dot, plus .tar.gz."""
    return package_id.replace(":", ".", 1) + _SUFFIX


class FilePackageStore:
    """Packages in a folder, which is created; unpacked code lies in ``builds`` inside it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._builds = folder / "builds"
        self._builds.mkdir(mode=0o750, parents=True, exist_ok=True)

    def save(self, label: str, package: bytes) -> str:
        identifier = package_id(label, package)
        path = self._folder / file_name(identifier)
        if not path.exists():
            _write_durably(path, package)
        return identifier

    def load(self, package_id: str) -> bytes:
        try:
            return self._path(package_id).read_bytes()
        except FileNotFoundError:
            raise PackageNotFound(package_id) from None

    def list(self) -> Sequence[PackageReference]:
        matches = (_FILE.fullmatch(path.name) for path in sorted(self._folder.iterdir()))
        return [PackageReference(f"{m[1]}:{m[2]}", m[1]) for m in matches if m]

    def open(self, package_id: str) -> InstalledPackage:
        return _open(package_id, self.load(package_id), self._builds)

    def delete(self, package_id: str) -> None:
        self._path(package_id).unlink(missing_ok=True)

    def _path(self, package_id: str) -> Path:
        if not _ID.fullmatch(package_id):  # also keeps ids from naming other folders
            raise PackageNotFound(package_id)
        return self._folder / file_name(package_id)


class MemoryPackageStore:
    """Packages in memory; code is unpacked into a temporary folder that goes with the store."""

    def __init__(self) -> None:
        self._packages: dict[str, bytes] = {}
        self._labels: dict[str, str] = {}
        self._builds: Path | None = None

    def save(self, label: str, package: bytes) -> str:
        identifier = package_id(label, package)
        self._packages[identifier] = package
        self._labels[identifier] = label
        return identifier

    def load(self, package_id: str) -> bytes:
        try:
            return self._packages[package_id]
        except KeyError:
            raise PackageNotFound(package_id) from None

    def list(self) -> Sequence[PackageReference]:
        return [PackageReference(i, label) for i, label in sorted(self._labels.items())]

    def open(self, package_id: str) -> InstalledPackage:
        package = self.load(package_id)
        if self._builds is None:
            self._builds = Path(tempfile.mkdtemp(prefix="gridloom-"))
            weakref.finalize(self, shutil.rmtree, self._builds, ignore_errors=True)
        return _open(package_id, package, self._builds)

    def delete(self, package_id: str) -> None:
        self._packages.pop(package_id, None)
        self._labels.pop(package_id, None)


def _open(identifier: str, package: bytes, builds: Path) -> InstalledPackage:
    parsed = parse_package(package)
    folder = builds / file_name(identifier).removesuffix(_SUFFIX)
    _unpack(parsed.code, folder)
    return InstalledPackage(identifier, parsed.label, parsed.type, parsed.path, parsed.code, folder)


def _unpack(code: bytes, folder: Path) -> None:
    """Write the files of a code.tar.gz under ``folder``, all or nothing."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch:
        unpacked = Path(scratch) / "code"
        unpacked.mkdir()
        for name, content in unpack_code(code).items():
            path = unpacked / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        unpacked.rename(folder)


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also after a crash."""
    scratch = path.with_name(f".{path.name}.tmp")
    with scratch.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

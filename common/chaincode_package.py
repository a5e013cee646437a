"""Chaincode packages: the tar.gz that administrators install, and its id.

A package is a gzipped tar with two regular files, ``metadata.json`` (type, path, label)
and ``code.tar.gz``; its id is ``label:`` and the SHA-256 of the whole file, so a package
is built here without anything that varies: no times, no users, sorted names.
(Fabric: core/chaincode/persistence, internal/peer/lifecycle/chaincode/package.go)
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import re
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from .documents import load_json
from .errors import GridloomError

METADATA_FILE = "metadata.json"
CODE_FILE = "code.tar.gz"

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_REGULAR_FILE_MODE = 0o100644
_CODE_OWNER = 500
_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE)
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

_log = logging.getLogger(__name__)


class InvalidPackage(GridloomError):
    """Bytes that are not a chaincode package; reason is worded as Fabric's tools word it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ChaincodePackage:
    """What an install package holds.

    label: the human part of the package id; type: "python", "ccaas", "node", ...;
    path: where the packager found the code, or the module to load; code: code.tar.gz.
    """

    label: str
    type: str
    path: str
    code: bytes


def package_id(label: str, package: bytes) -> str:
    """Return ``label:sha256`` in lower-case hex over the package file's bytes."""
    return f"{label}:{hashlib.sha256(package).hexdigest()}"


def validate_label(label: str) -> None:
    """Raise InvalidPackage unless label is letters, digits and ``.+-_``, alphanumeric first."""
    if not _LABEL.fullmatch(label):
        raise InvalidPackage(
            f"invalid label '{label}'. Label must be non-empty, can only consist of "
            "alphanumerics, symbols from '.+-_', and can only begin with alphanumerics"
        )


def build_package(label: str, type: str, path: str, files: Mapping[str, bytes]) -> bytes:
    """Return an install package: the same arguments always give the same bytes.

    files: name inside code.tar.gz ("src/asset.py", "connection.json") -> content.
    Raises InvalidPackage for a bad label or a name that would leave the folder.
    """
    validate_label(label)
    for name in files:
        _check_name(name)
    code = _gzip(_tar(sorted(files.items()), owner=_CODE_OWNER))
    metadata = json.dumps({"path": path, "type": type, "label": label}, separators=(",", ":"))
    return _gzip(_tar([(METADATA_FILE, metadata.encode()), (CODE_FILE, code)], owner=0))


def parse_package(package: bytes) -> ChaincodePackage:
    """Read an install package; raises InvalidPackage with Fabric's reason."""
    metadata: dict[str, str] | None = None
    code: bytes | None = None
    for member, content in _read_tar(package):
        if member.name == METADATA_FILE:
            metadata = _parse_metadata(content)
        elif member.name == CODE_FILE:
            code = content
        else:
            _log.warning("unexpected file '%s' in top level of chaincode package", member.name)
    if code is None:
        raise InvalidPackage("did not find a code package inside the package")
    if metadata is None:
        raise InvalidPackage(f"did not find any package metadata (missing {METADATA_FILE})")
    validate_label(metadata["label"])
    return ChaincodePackage(metadata["label"], metadata["type"], metadata["path"], code)


def unpack_code(code: bytes) -> dict[str, bytes]:
    """Return the files of a code.tar.gz by name; directory entries are skipped.

    Raises InvalidPackage for links, devices and names that would leave the folder.
    """
    files: dict[str, bytes] = {}
    for member, content in _read_tar(code, directories=True):
        if member.isdir():
            continue
        _check_name(member.name)
        files[member.name] = content
    return files


def _check_name(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise InvalidPackage(f"file name '{name}' does not stay inside the code package")


def _parse_metadata(content: bytes) -> dict[str, str]:
    """Read type, path and label; absent ones are empty, as in Go."""
    try:
        document = load_json(content)
    except ValueError as error:
        raise InvalidPackage(f"could not unmarshal {METADATA_FILE} as json: {error}") from error
    if not isinstance(document, dict):
        raise InvalidPackage(f"could not unmarshal {METADATA_FILE} as json: not an object")
    metadata = {name: document.get(name) or "" for name in ("type", "path", "label")}
    for name, value in metadata.items():
        if not isinstance(value, str):
            raise InvalidPackage(
                f"could not unmarshal {METADATA_FILE} as json: {name} is not a string"
            )
    return metadata


def _gunzip(archive: bytes) -> bytes:
    if not archive.startswith(b"\x1f\x8b\x08"):
        reason = "gzip: invalid header" if archive else "EOF"
        raise InvalidPackage(f"error reading as gzip stream: {reason}")
    try:
        return gzip.decompress(archive)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidPackage(f"error inspecting next tar header: {error}") from error


def _read_tar(
    archive: bytes, *, directories: bool = False
) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Yield each member with its content; anything but a regular file is refused."""
    plain = _gunzip(archive)
    if not plain:
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            for member in tar:
                if member.type not in _REGULAR and not (directories and member.isdir()):
                    kind = member.type[0]
                    raise InvalidPackage(
                        f"tar entry {member.name} is not a regular file, type {kind}"
                    )
                stream = tar.extractfile(member)
                yield member, stream.read() if stream is not None else b""
            rest = plain[tar.offset : tar.offset + tarfile.BLOCKSIZE]
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise InvalidPackage(f"error inspecting next tar header: {error}") from error
    if any(rest):  # tarfile takes a later broken header for the end of the archive
        raise InvalidPackage("error inspecting next tar header: archive/tar: invalid tar header")


def _tar(files: list[tuple[str, bytes]], *, owner: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = _REGULAR_FILE_MODE
            member.uid = member.gid = owner
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _gzip(data: bytes) -> bytes:
    """Compress with a fixed header: the standard one names time, system and Python version."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(data) + deflate.flush()
    return _GZIP_HEADER + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)

"""The two JSON files of a snapshot: what it holds and its hashes, as Fabric's peer writes them.

Administrators compare or sign the first file's bytes; its hash stands in the second one, with
the commit hash the next block's continues.  (Fabric: kvledger/snapshot.go.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gridloom.common.channel.errors import ConfigError
from gridloom.common.channel.names import check_channel_id

from ..store import LastBlock
from .errors import HashMismatch, SnapshotDamaged
from .files import open_file

SIGNABLE_FILE = "_snapshot_signable_metadata.json"
ADDITIONAL_FILE = "_snapshot_additional_metadata.json"
SIMPLE_KEY_VALUE_DB = "SimpleKeyValueDB"
"""State database type of every store that keeps the bytes as they were written."""

_MAX_BYTES = 1 << 20
_MAX_BLOCK = 2**63 - 2
_HASH_BYTES = 32
_ESCAPED_BY_GO = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class SnapshotMetadata:
    """What one snapshot is of.  files: SHA-256 by name, all but the metadata's own."""

    channel_id: str
    last: LastBlock
    files: Mapping[str, bytes]
    state_db_type: str = SIMPLE_KEY_VALUE_DB

    def signable(self) -> bytes:
        """Content of SIGNABLE_FILE."""
        return _json(
            {
                "channel_name": self.channel_id,
                "last_block_number": self.last.number,
                "last_block_hash": self.last.block_hash.hex(),
                "previous_block_hash": self.last.previous_hash.hex(),
                "snapshot_files_raw_hashes": {
                    name: self.files[name].hex() for name in sorted(self.files)
                },
                "state_db_type": self.state_db_type,
            }
        )

    def additional(self) -> bytes:
        """Content of ADDITIONAL_FILE."""
        return _json(
            {
                "snapshot_hash": sha256(self.signable()).hexdigest(),
                "last_block_commit_hash": self.last.commit_hash.hex(),
            }
        )


def read_metadata(folder: Path) -> SnapshotMetadata:
    """Read both files of a snapshot; SnapshotDamaged, HashMismatch.

    Names and numbers are checked; the other files are not looked at.
    """
    data = _read(folder / SIGNABLE_FILE)
    signable = _Document(SIGNABLE_FILE, data)
    additional = _Document(ADDITIONAL_FILE, _read(folder / ADDITIONAL_FILE))
    expected, actual = additional.text("snapshot_hash"), sha256(data).hexdigest()
    if actual != expected:
        raise HashMismatch(SIGNABLE_FILE, expected, actual)
    number = signable.number("last_block_number")
    last = LastBlock(
        number,
        signable.hash("last_block_hash"),
        signable.hash("previous_block_hash", optional=not number),
        additional.hash("last_block_commit_hash", optional=True),
    )
    return SnapshotMetadata(
        signable.channel_id(), last, signable.files(), signable.text("state_db_type")
    )


class _Document:
    """Fields of one metadata file; SnapshotDamaged when one is not as it must be."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        try:
            document = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"no JSON: {error}") from error
        if not isinstance(document, dict):
            raise self._damaged("no JSON object")
        self._fields: dict[str, object] = document

    def text(self, field: str) -> str:
        value = self._fields.get(field)
        if not isinstance(value, str):
            raise self._damaged(f"{field} is no text")
        return value

    def number(self, field: str) -> int:
        value = self._fields.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_BLOCK:
            raise self._damaged(f"{field} is no block number")
        return value

    def hash(self, field: str, *, optional: bool = False) -> bytes:
        value = self.text(field)
        return b"" if optional and not value else self._digest(field, value)

    def channel_id(self) -> str:
        name = self.text("channel_name")
        try:
            check_channel_id(name)
        except (ConfigError, UnicodeEncodeError) as error:
            raise self._damaged(f"channel_name: {error}") from error
        return name

    def files(self) -> dict[str, bytes]:
        listed = self._fields.get("snapshot_files_raw_hashes")
        if not isinstance(listed, dict):
            raise self._damaged("snapshot_files_raw_hashes is no JSON object")
        files: dict[str, bytes] = {}
        for name, value in listed.items():
            if name in ("", ".", "..") or any(char in name for char in "/\\\0"):
                raise self._damaged(f"{name!r} is no name of a file in this folder")
            files[name] = self._digest(f"hash of {name}", value)
        return files

    def _digest(self, field: str, value: object) -> bytes:
        try:
            digest = bytes.fromhex(value) if isinstance(value, str) else b""
        except ValueError:
            digest = b""
        if len(digest) != _HASH_BYTES:
            raise self._damaged(f"{field} is no SHA-256 in hex")
        return digest

    def _damaged(self, reason: str) -> SnapshotDamaged:
        return SnapshotDamaged(self._name, reason)


def _read(path: Path) -> bytes:
    with open_file(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise SnapshotDamaged(path.name, f"larger than {_MAX_BYTES} bytes")
    return data


def _json(document: Mapping[str, object]) -> bytes:
    """Encode as Go's json.MarshalIndent does with four spaces."""
    text = json.dumps(document, indent=4, ensure_ascii=False)
    return text.translate(_ESCAPED_BY_GO).encode()

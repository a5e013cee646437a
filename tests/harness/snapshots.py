"""Ledger snapshots for tests: the real peer's, our own of the golden channel, forged ones."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from gridloom.peer.ledger.ledger import Ledger
from gridloom.peer.ledger.snapshots.export import snapshot_folder
from gridloom.peer.ledger.snapshots.metadata import ADDITIONAL_FILE, SIGNABLE_FILE
from gridloom.peer.ledger.snapshots.record import encode_record
from gridloom.peer.ledger.state_db import Version, VersionedValue

from .shared import shared

LAST_GOLDEN_BLOCK = 65
_EARLY = Version(1, 0)


def golden_snapshot() -> Path:
    """The snapshot a real peer made of the golden channel at block 65."""
    return shared("golden", "snapshot", str(LAST_GOLDEN_BLOCK))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a snapshot."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def wait_for_snapshots(ledger: Ledger) -> None:
    """Return once none is due at a block that has been committed."""
    deadline = time.monotonic() + 120
    while any(number < ledger.height for number in ledger.pending_snapshots()):
        assert time.monotonic() < deadline, "the snapshot is never complete"
        time.sleep(0.005)


def take_snapshot(ledger: Ledger, root: Path) -> Path:
    """Have the newest block's snapshot made and return its folder."""
    ledger.request_snapshot(0)
    wait_for_snapshots(ledger)
    return snapshot_folder(root, ledger.channel_id, ledger.height - 1)


def forge(
    folder: Path,
    files: Mapping[str, bytes | None] | None = None,
    edit: Callable[[dict[str, object]], object] | None = None,
    additional: Mapping[str, object] | None = None,
) -> Path:
    """Change a copy of a snapshot and make its hashes right again.

    files: new contents, None removes one; edit: changes the signable metadata besides;
    additional: fields of the other metadata file.
    """
    for path in folder.iterdir():
        path.chmod(0o644)
    signable = json.loads((folder / SIGNABLE_FILE).read_bytes())
    for name, data in (files or {}).items():
        (folder / name).unlink(missing_ok=True)
        signable["snapshot_files_raw_hashes"].pop(name, None)
        if data is not None:
            (folder / name).write_bytes(data)
            signable["snapshot_files_raw_hashes"][name] = sha256(data).hexdigest()
    if edit is not None:
        edit(signable)
    data = json.dumps(signable, indent=4).encode()
    (folder / SIGNABLE_FILE).write_bytes(data)
    other = json.loads((folder / ADDITIONAL_FILE).read_bytes())
    other |= {"snapshot_hash": sha256(data).hexdigest(), **(additional or {})}
    (folder / ADDITIONAL_FILE).write_text(json.dumps(other, indent=4))
    return folder


def copied(source: Path, target: Path) -> Path:
    """A copy of a snapshot that may be changed."""
    shutil.copytree(source, target)
    target.chmod(0o755)
    for path in target.iterdir():
        path.chmod(0o644)
    return target


def chunks(*parts: bytes) -> bytes:
    """A snapshot file of these length-prefixed parts, each shorter than 16384 bytes."""
    encoded = bytearray([1])
    for part in parts:
        size = len(part)
        encoded += bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
        encoded += part
    return bytes(encoded)


def forged(
    tmp_path: Path,
    files: Mapping[str, bytes | None] | None = None,
    edit: Callable[[dict[str, object]], object] | None = None,
) -> Path:
    """The real peer's snapshot with other contents and right hashes, in ``tmp_path/forged``."""
    return forge(copied(golden_snapshot(), tmp_path / "forged"), files, edit)


def counted(*namespaces: tuple[bytes, int]) -> bytes:
    """A metadata file: so many entries of each namespace."""
    rows = (bytes([len(name)]) + name + bytes([count]) for name, count in namespaces)
    return bytes([1, len(namespaces)]) + b"".join(rows)


def history_key(name: str, block: int) -> bytes:
    """Fabric's key of a chaincode's collections as a block defined them."""
    return f"slscc\0{name}~collection".encode() + (2**64 - 1 - block).to_bytes(8, "big")


def state_entry(key: bytes = b"k", value: bytes = b"v", version: Version = _EARLY) -> bytes:
    """A record of the state."""
    return encode_record(key, VersionedValue(value, version))

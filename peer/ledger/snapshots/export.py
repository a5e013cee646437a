"""Writing a snapshot: all files of it appear at once, or none.

They are written into ``<root>/temp`` and synced; a rename then puts the folder to
``<root>/completed/<channel>/<block number>``.  (Fabric: kvledger/snapshot.go.)
"""

from __future__ import annotations

import os
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..state_database import StateDatabase
from ..state_db import (
    FullStateSnapshot,
    VersionedValue,
    hashed_collection,
    is_private_namespace,
)
from ..store import CollectionsRow, LastBlock
from .errors import SnapshotFailed
from .files import MODE, sync_folder
from .list_files import write_config_history, write_tx_ids
from .metadata import ADDITIONAL_FILE, SIGNABLE_FILE, SIMPLE_KEY_VALUE_DB, SnapshotMetadata
from .state_files import PRIVATE_STATE_HASHES, PUBLIC_STATE, StateEntry, write_state

_UNFINISHED = "temp"
_COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class LedgerView:
    """A ledger as it was after its block ``last``, whatever is committed meanwhile.

    state: of just that height; whoever made the view closes it.  tx_ids, collections: give
    all up to that block, the ids by length and then in byte order.  state_database: by whose
    rules the state is kept.
    """

    channel_id: str
    last: LastBlock
    state: FullStateSnapshot
    tx_ids: Callable[[], Iterable[str]]
    collections: Callable[[], Iterable[CollectionsRow]]
    state_database: StateDatabase = StateDatabase.LEVELDB


def snapshot_folder(root: Path, channel_id: str, number: int) -> Path:
    """Where the snapshot of a block is once it is complete."""
    return root / _COMPLETED / channel_id / str(number)


def remove_unfinished(root: Path) -> None:
    """Remove what a stopped process has left half written."""
    shutil.rmtree(root / _UNFINISHED, ignore_errors=True)


def write_snapshot(root: Path, view: LedgerView) -> Path:
    """Write the snapshot of a ledger and return its folder.

    SnapshotFailed if that is not possible or it exists; then nothing is left of it.
    """
    target = snapshot_folder(root, view.channel_id, view.last.number)
    try:
        unfinished = root / _UNFINISHED
        unfinished.mkdir(parents=True, exist_ok=True)
        prefix = f"{view.channel_id}-{view.last.number}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=unfinished))
        try:
            _write_files(folder, view)
            _publish(folder, target)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    except OSError as error:
        raise SnapshotFailed(str(target), str(error)) from error
    return target


def _write_files(folder: Path, view: LedgerView) -> None:
    files = write_tx_ids(folder, view.tx_ids())
    files |= write_config_history(folder, view.collections())
    files |= write_state(folder, PUBLIC_STATE, _public_state(view.state))
    files |= write_state(folder, PRIVATE_STATE_HASHES, _hashes(view))
    couchdb = view.state_database is StateDatabase.COUCHDB
    kind = StateDatabase.COUCHDB.value if couchdb else SIMPLE_KEY_VALUE_DB
    metadata = SnapshotMetadata(view.channel_id, view.last, files, kind)
    _write_synced(folder / SIGNABLE_FILE, metadata.signable())
    _write_synced(folder / ADDITIONAL_FILE, metadata.additional())


def _public_state(state: FullStateSnapshot) -> Iterator[StateEntry]:
    for namespace in state.namespaces():
        if hashed_collection(namespace) is None and not is_private_namespace(namespace):
            for key, entry in state.range(namespace, b"", b""):
                yield namespace, key, entry


def _hashes(view: LedgerView) -> Iterator[StateEntry]:
    """Hashes of private data; CouchDB has their keys as base64, and in that order."""
    for namespace in view.state.namespaces():
        if hashed_collection(namespace) is None:
            continue
        entries: Iterable[tuple[bytes, VersionedValue]] = view.state.range(namespace, b"", b"")
        if view.state_database is StateDatabase.COUCHDB:
            entries = sorted(entries, key=lambda each: b64encode(each[0]))
        for key, entry in entries:
            yield namespace, key, entry


def _publish(folder: Path, target: Path) -> None:
    folder.chmod(0o755)
    sync_folder(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    sync_folder(target.parent.parent)
    os.rename(folder, target)
    sync_folder(target.parent)


def _write_synced(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())

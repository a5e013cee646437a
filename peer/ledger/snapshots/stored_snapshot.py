"""A snapshot that somebody else has made: verified, then read as what a ledger begins with.

Nothing of it is used before every file has the hash its metadata say; while it is read, every
number, name and message is still held to its form.  (Fabric: kvledger/snapshot.go.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import ChannelHeader, Payload
from gridloom.protos.common.configtx_pb2 import ConfigEnvelope

from ...validation.mvcc import CONFIG_KEY, CONFIG_NAMESPACE
from ..store import Bootstrap, CollectionsRow, LastBlock
from .errors import HashMismatch, SnapshotDamaged
from .files import file_hash
from .list_files import CONFIG_HISTORY, TX_IDS, read_config_history, read_tx_ids
from .metadata import SIGNABLE_FILE, SnapshotMetadata, read_metadata
from .private_part import MayHold, base_hashes, private_part
from .state_files import PRIVATE_STATE_HASHES, PUBLIC_STATE, StateEntry, read_state

_PAIRS = (PUBLIC_STATE, PRIVATE_STATE_HASHES, TX_IDS, CONFIG_HISTORY)


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """The snapshot in a folder, whose files are what its metadata say."""

    folder: Path
    metadata: SnapshotMetadata

    @classmethod
    def open(cls, folder: Path) -> StoredSnapshot:
        """Verify the snapshot in a folder; SnapshotDamaged, HashMismatch."""
        metadata = read_metadata(folder)
        for name in _PAIRS:
            _check_pair(folder, metadata, name)
        for file, expected in sorted(metadata.files.items()):
            actual = file_hash(folder / file)
            if actual != expected:
                raise HashMismatch(file, expected.hex(), actual.hex())
        return cls(folder, metadata)

    @property
    def channel_id(self) -> str:
        """The channel it is of."""
        return self.metadata.channel_id

    @property
    def last(self) -> LastBlock:
        """The last block it has seen."""
        return self.metadata.last

    def config(self) -> ConfigEnvelope:
        """The channel's configuration at that block; SnapshotDamaged if it is of another."""
        for namespace, key, entry in self._state(PUBLIC_STATE):
            if (namespace, key) == (CONFIG_NAMESPACE, CONFIG_KEY):
                try:
                    return self._of_this_channel(parse(ConfigEnvelope, entry.value, "config"))
                except MalformedMessage as error:
                    raise SnapshotDamaged(f"{PUBLIC_STATE}.data", str(error)) from error
        raise SnapshotDamaged(f"{PUBLIC_STATE}.data", "holds no channel configuration")

    def bootstrap(self, may_hold: MayHold) -> Bootstrap:
        """What a ledger made from it begins with; SnapshotDamaged, also while it is read.

        may_hold: tells the collections whose cleartext this peer will look for.
        """
        private = private_part(self._collections(), self._hashes(), may_hold)
        tx_ids = read_tx_ids(self.folder) if self._has(TX_IDS) else iter(())
        hashes = base_hashes(self._hashes())
        return Bootstrap(self.last, private, tx_ids, self._entries(), hashes)

    def _entries(self) -> Iterator[StateEntry]:
        yield from self._state(PUBLIC_STATE)
        yield from self._hashes()

    def _hashes(self) -> Iterator[StateEntry]:
        return self._state(PRIVATE_STATE_HASHES)

    def _state(self, name: str) -> Iterator[StateEntry]:
        return read_state(self.folder, name, self.last.number) if self._has(name) else iter(())

    def _collections(self) -> Iterator[CollectionsRow]:
        if self._has(CONFIG_HISTORY):
            yield from read_config_history(self.folder, self.last.number)

    def _has(self, name: str) -> bool:
        return f"{name}.data" in self.metadata.files

    def _of_this_channel(self, config: ConfigEnvelope) -> ConfigEnvelope:
        payload = parse(Payload, config.last_update.payload, "last config update")
        header = parse(ChannelHeader, payload.header.channel_header, "channel header")
        if header.channel_id not in ("", self.channel_id):
            raise SnapshotDamaged(
                SIGNABLE_FILE,
                f"channel_name is {self.channel_id!r}, but the configuration in the snapshot "
                f"is of channel {header.channel_id!r}",
            )
        return config


def _check_pair(folder: Path, metadata: SnapshotMetadata, name: str) -> None:
    """A pair of files is there and listed as a whole, or not at all."""
    files = (f"{name}.data", f"{name}.metadata")
    listed = [file for file in files if file in metadata.files]
    there = [file for file in files if (folder / file).exists()]
    if listed and len(listed) < len(files):
        raise SnapshotDamaged(SIGNABLE_FILE, f"lists {listed[0]} without its other half")
    for file in there:
        if file not in listed:
            raise SnapshotDamaged(SIGNABLE_FILE, f"has no hash of {file}")
    if name == PUBLIC_STATE and not listed:
        raise SnapshotDamaged(SIGNABLE_FILE, "lists no public state")

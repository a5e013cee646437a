"""A Raft node's log and state: in memory for the core to read, in a record log to survive.

The first record says whose log it is, so that a folder of another channel is noticed; the others
are a snapshot, entries and states as raftpb bytes (Fabric: orderer/consensus/etcdraft/storage.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum

from ..raft.memory_storage import MemoryStorage
from ..raft.messages import EMPTY_HARD_STATE, NO_LIMIT, ConfState, Entry, HardState, Snapshot
from ..raft.wire import (
    decode_entry,
    decode_hard_state,
    decode_snapshot,
    encode_entry,
    encode_hard_state,
    encode_snapshot,
)
from .write_ahead_log import LogError, Record, RecordLog

CATCH_UP_ENTRIES = 4
"""Entries before a snapshot that stay in memory for followers that are only a little behind."""


class ForeignLog(LogError):
    """A log of another channel or node than the one it was opened for: both as texts."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"the Raft log here is that of {found}, not of {expected}")
        self.expected = expected
        self.found = found


class Kind(IntEnum):
    """What a record holds."""

    OWNER = 0
    SNAPSHOT = 1
    ENTRY = 2
    STATE = 3


class RaftStorage:
    """See the module; owner: who writes, as a text.

    fresh: there was no log, so that nothing is known of what this node may have promised.
    ForeignLog, CorruptLog, MalformedMessage when the log cannot be read.
    """

    def __init__(self, log: RecordLog, owner: str) -> None:
        self.memory = MemoryStorage()
        self._log = log
        self._owner = owner
        records = log.read()
        self.fresh = not records
        self._anew = self.fresh
        """Whether the log must be written anew, as a whole."""
        for kind, content in records:
            self._read(kind, content)

    @property
    def waits_for_disk(self) -> bool:
        """Whether storing should not be done on an event loop."""
        return self._log.waits_for_disk

    def keep(
        self,
        hard_state: HardState | None,
        entries: Sequence[Entry] = (),
        snapshot: Snapshot | None = None,
    ) -> list[Record]:
        """Put a Ready's content into memory; return the records that make it durable."""
        records = []
        if snapshot is not None:
            self.memory.apply_snapshot(snapshot)
            self._anew = True
        if entries:
            self.memory.append(entries)
            records += [Record(Kind.ENTRY, encode_entry(entry)) for entry in entries]
        if hard_state is not None:
            self.memory.set_hard_state(hard_state)
            records.append(Record(Kind.STATE, encode_hard_state(hard_state)))
        return records

    def job(self, records: Sequence[Record]) -> Callable[[], None]:
        """Return what makes the records durable, for any thread to run; LogWriteFailed.

        Report its end with ``written``; after a failure ask for another job until one succeeds.
        """
        if not self._anew:
            return lambda: self._log.append(records)
        everything = list(self._everything())
        self._anew = False
        return lambda: self._log.replace(everything)

    def written(self, *, successfully: bool) -> None:
        """The last job has ended."""
        if successfully:
            self.fresh = False
        else:
            self._anew = True

    def snapshot(self, index: int, conf_state: ConfState, data: bytes) -> None:
        """Remember the state after entry ``index`` and forget most entries before it.

        The next job puts it on the disk.
        """
        self.memory.create_snapshot(index, conf_state, data)
        keep_from = index - CATCH_UP_ENTRIES
        if keep_from >= self.memory.first_index():
            self.memory.compact(keep_from)
        self._anew = True

    def close(self) -> None:
        """Release the log."""
        self._log.close()

    @property
    def _owner_record(self) -> Record:
        return Record(Kind.OWNER, self._owner.encode())

    def _everything(self) -> Iterator[Record]:
        yield self._owner_record
        snapshot = self.memory.snapshot()
        if snapshot.index:
            yield Record(Kind.SNAPSHOT, encode_snapshot(snapshot))
        first = max(snapshot.index + 1, self.memory.first_index())
        if first <= self.memory.last_index():
            for entry in self.memory.entries(first, self.memory.last_index() + 1, NO_LIMIT):
                yield Record(Kind.ENTRY, encode_entry(entry))
        state, _ = self.memory.initial_state()
        if state != EMPTY_HARD_STATE:
            yield Record(Kind.STATE, encode_hard_state(state))

    def _read(self, kind: int, content: bytes) -> None:
        match kind:
            case Kind.OWNER:
                if content.decode(errors="replace") != self._owner:
                    raise ForeignLog(self._owner, content.decode(errors="replace"))
            case Kind.SNAPSHOT:
                self.memory.apply_snapshot(decode_snapshot(content))
            case Kind.ENTRY:
                self.memory.append([decode_entry(content)])
            case Kind.STATE:
                self.memory.set_hard_state(decode_hard_state(content))
            case _:
                raise LogError(f"the Raft log of {self._owner} has a record of kind {kind}")

"""The world state in memory: the newest values, and an undo log for each open snapshot.

A commit first publishes what it is about to replace, then replaces it.  A snapshot reads
the newest value first and the undo logs after it: whatever it may have seen too new, the
logs correct.  Logs that no open snapshot needs are dropped with the next commit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from .queries.documents import canonical, parse_document
from .queries.find import Documents, Found, Place, find_in
from .queries.indexes import IndexDefinition
from .queries.planner import Plan
from .queries.sql import select, written_out
from .queries.sqlite_dialect import SqliteDialect
from .state_database import StateDatabase
from .state_db import FullStateSnapshot, StateSnapshot, VersionedValue, hashed_collection
from .store import TransactionRow
from .update_batch import Updates

FindTransaction = Callable[[str], TransactionRow | None]

_CHUNK = 128


@dataclass(frozen=True, slots=True)
class _UndoLog:
    """What the block that made this height replaced (None: the key was absent)."""

    height: int
    replaced: dict[tuple[str, bytes], VersionedValue | None] = field(default_factory=dict)


class MemoryState:
    """State of one channel; one thread commits, any number read their snapshots."""

    def __init__(self, state_database: StateDatabase = StateDatabase.LEVELDB) -> None:
        self.couchdb = state_database is StateDatabase.COUCHDB
        self._height = 0
        self._values: dict[str, dict[bytes, VersionedValue]] = {}
        self._with_metadata: set[str] = set()  # for good
        self._keys: dict[str, list[bytes]] = {}  # sorted; keys of undo logs stay until dropped
        self._logs: list[_UndoLog] = []
        self._open: Counter[int] = Counter()
        self._indexes: dict[str, dict[tuple[str, str], IndexDefinition]] = {}
        self._lock = Lock()

    def snapshot(self, find: FindTransaction = lambda _: None) -> FullStateSnapshot:
        """The state at the present height; find: among the transactions of any height."""
        with self._lock:
            self._open[self._height] += 1
            return _MemorySnapshot(self, self._height, find)

    def apply(self, changes: Iterable[tuple[str, Updates]], height: int) -> None:
        """Make the changes of one block visible, all at once, to later snapshots."""
        with self._lock:
            self._drop_logs()
            log = _UndoLog(height)
            listed = [(namespace, self._kept(namespace, updates)) for namespace, updates in changes]
            for namespace, updates in listed:
                values = self._values.setdefault(namespace, {})
                for key in updates:
                    log.replaced[namespace, key] = values.get(key)
            self._logs = [*self._logs, log]
            for namespace, updates in listed:
                self._replace(namespace, updates)
            self._height = height

    def define_index(self, namespace: str, index: IndexDefinition) -> None:
        """Have an index, over one of the same design document and name."""
        with self._lock:
            known = self._indexes.get(namespace, {})
            self._indexes[namespace] = {**known, (index.ddoc, index.name): index}

    def indexes(self, namespace: str) -> Sequence[IndexDefinition]:
        """The indexes of a namespace, by design document and name."""
        return [index for _, index in sorted(self._indexes.get(namespace, {}).items())]

    def get(self, namespace: str, key: bytes, height: int) -> VersionedValue | None:
        """Value of a key as of a height that some open snapshot holds."""
        value = self._values.get(namespace, {}).get(key)
        for log in self._logs:
            if log.height > height and (namespace, key) in log.replaced:
                return log.replaced[namespace, key]
        return value

    def has_metadata(self, namespace: str) -> bool:
        """Whether some key of a namespace has ever had metadata."""
        return namespace in self._with_metadata

    def keys_from(self, namespace: str, start: bytes, end: bytes) -> list[bytes]:
        """The next keys of a range; some may be absent at a given height."""
        with self._lock:
            keys = self._keys.get(namespace, [])
            first = bisect_left(keys, start)
            last = bisect_left(keys, end, first) if end else len(keys)
            return keys[first : min(last, first + _CHUNK)]

    def namespaces(self) -> list[str]:
        """Namespaces that have, or have had, entries."""
        with self._lock:
            return sorted(self._keys, key=str.encode)

    def release(self, height: int) -> None:
        """A snapshot of this height is no longer read."""
        with self._lock:
            self._open[height] -= 1
            if not self._open[height]:
                del self._open[height]

    def _kept(self, namespace: str, updates: Updates) -> Updates:
        """By CouchDB's rules documents are kept as CouchDB returns them."""
        if not self.couchdb or hashed_collection(namespace) is not None:
            return updates
        kept = {}
        for key, entry in updates.items():
            document = parse_document(entry.value)
            kept[key] = entry if document is None else replace(entry, value=canonical(document))
        return kept

    def _replace(self, namespace: str, updates: Updates) -> None:
        values = self._values[namespace]
        keys = self._keys.setdefault(namespace, [])
        for key, entry in updates.items():
            if entry.is_delete:
                values.pop(key, None)
                continue
            place = bisect_left(keys, key)
            if place == len(keys) or keys[place] != key:
                keys.insert(place, key)
            values[key] = entry
            if entry.metadata:
                self._with_metadata.add(namespace)

    def _drop_logs(self) -> None:
        oldest = min(self._open, default=self._height)
        dropped = [log for log in self._logs if log.height <= oldest]
        self._logs = [log for log in self._logs if log.height > oldest]
        kept = {place for log in self._logs for place in log.replaced}
        for namespace, key in {place for log in dropped for place in log.replaced} - kept:
            if key not in self._values[namespace]:
                keys = self._keys[namespace]
                place = bisect_left(keys, key)
                if place < len(keys) and keys[place] == key:
                    del keys[place]


class _MemorySnapshot:
    def __init__(self, state: MemoryState, height: int, find: FindTransaction) -> None:
        self._state = state
        self._find = find
        self._closed = False
        self.height = height

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        return self._state.get(namespace, key, self.height)

    def get_many(
        self, places: Sequence[tuple[str, bytes]]
    ) -> dict[tuple[str, bytes], VersionedValue]:
        found = ((place, self.get(*place)) for place in places)
        return {place: value for place, value in found if value is not None}

    def has_metadata(self, namespace: str) -> bool:
        return self._state.has_metadata(namespace)

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        while keys := self._state.keys_from(namespace, start, end):
            for key in keys:
                value = self.get(namespace, key)
                if value is not None:
                    yield key, value
            start = keys[-1] + b"\x00"

    def namespaces(self) -> list[str]:
        return self._state.namespaces()

    def transaction(self, tx_id: str) -> TransactionRow | None:
        row = self._find(tx_id)
        return row if row is not None and row.block < self.height else None

    def documents(self) -> Documents | None:
        return _MemoryDocuments(self._state, self) if self._state.couchdb else None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._state.release(self.height)


class _MemoryDocuments:
    """Rich queries of one snapshot: every entry of the namespace is looked at."""

    def __init__(self, state: MemoryState, snapshot: StateSnapshot) -> None:
        self._state = state
        self._snapshot = snapshot

    def indexes(self, namespace: str) -> Sequence[IndexDefinition]:
        return self._state.indexes(namespace)

    def find(
        self, namespace: str, plan: Plan, after: Place | None, skip: int, limit: int
    ) -> list[Found]:
        entries = self._snapshot.range(namespace, b"", b"")
        return find_in(entries, plan, after, skip, limit)

    def explain(self, namespace: str, plan: Plan) -> tuple[str, Sequence[str], bool]:
        statement = select(plan, namespace, SqliteDialect(), None)
        steps = ["in memory: every entry of the namespace is looked at, without any SQL"]
        return written_out(statement), steps, True

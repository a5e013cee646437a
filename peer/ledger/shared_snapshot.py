"""One snapshot of the committed state for all who read between two blocks.

Opening and ending a read transaction costs more than the reads of a usual simulation, or than
looking up a transaction, and most simulations read the same definitions.
(Fabric: goleveldb's snapshots cost next to nothing)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock

from .cached_snapshot import NOT_LOOKED_UP, CachedSnapshot
from .errors import StoreFailed
from .queries.find import Documents
from .state_db import FullStateSnapshot, StateSnapshot, VersionedValue
from .store import TransactionRow

MOST_REMEMBERED = 4096
"""Values kept of one snapshot; a peer that only evaluates reads from one for hours."""


class SharedSnapshots:
    """Hands out the state as committed; ``retire`` whenever it has changed.

    open: makes a snapshot of the state there is.
    Those who have got one keep it as it is; the last one to close it ends it.
    """

    def __init__(self, open: Callable[[], FullStateSnapshot]) -> None:
        self._open = open
        self._lock = Lock()
        self._current: _Shared | None = None

    def take(self) -> StateSnapshot:
        """Return the state; close it."""
        shared = self._join()
        if shared.snapshot.documents() is None:
            return _Lease(shared, self._release)
        self._release(shared)
        # Rich queries are many calls; they get one of their own.
        return CachedSnapshot(self._open())

    def transaction(self, tx_id: str) -> TransactionRow | None:
        """Return the first transaction of this id in the committed blocks."""
        shared = self._join()
        try:
            with shared:
                return shared.snapshot.transaction(tx_id)
        finally:
            self._release(shared)

    def retire(self) -> None:
        """Give nobody the present one any more; end it if nobody has it."""
        with self._lock:
            retired, self._current = self._current, None
            idle = retired is not None and not retired.users
        if retired is not None and idle:
            retired.snapshot.close()

    def _join(self) -> _Shared:
        """The present snapshot, with one user more."""
        with self._lock:
            shared = self._current
            if shared is None or shared.is_broken:
                shared = self._current = _Shared(self._open())
            shared.users += 1
            return shared

    def _release(self, shared: _Shared) -> None:
        with self._lock:
            shared.users -= 1
            over = not shared.users and shared is not self._current
        if over:
            shared.snapshot.close()


class _Shared:
    """A snapshot, who uses it, and what was looked up in it; ``with`` it, one asks at a time.

    is_broken: a look-up has failed, as when a database was restarted; nobody gets it any more.
    """

    __slots__ = ("_lock", "found", "has_metadata", "is_broken", "snapshot", "users")

    def __init__(self, snapshot: FullStateSnapshot) -> None:
        self.snapshot = snapshot
        self.users = 0
        self.is_broken = False
        self.found: dict[tuple[str, bytes], VersionedValue | None] = {}
        self.has_metadata: dict[str, bool] = {}
        self._lock = Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.is_broken = self.is_broken or kind is StoreFailed
        self._lock.release()


class _Lease:
    """One user's hold of a shared snapshot; the snapshot itself is asked by one at a time."""

    __slots__ = ("_release", "_shared", "height")

    def __init__(self, shared: _Shared, release: Callable[[_Shared], None]) -> None:
        self._shared = shared
        self._release: Callable[[_Shared], None] | None = release
        self.height = shared.snapshot.height

    def get(self, namespace: str, key: bytes) -> VersionedValue | None:
        """Value of a key."""
        shared, place = self._shared, (namespace, key)
        known = shared.found.get(place, NOT_LOOKED_UP)
        if known is not NOT_LOOKED_UP:
            return known
        with shared:
            value = shared.snapshot.get(namespace, key)
            if len(shared.found) >= MOST_REMEMBERED:
                shared.found = {}
            shared.found[place] = value
        return value

    def get_many(
        self, places: Sequence[tuple[str, bytes]]
    ) -> Mapping[tuple[str, bytes], VersionedValue]:
        """Values of those keys that are there."""
        shared, found, unknown = self._shared, {}, []
        for place in places:
            known = shared.found.get(place, NOT_LOOKED_UP)
            if known is NOT_LOOKED_UP:
                unknown.append(place)
            elif known is not None:
                found[place] = known
        if unknown:
            with shared:
                found.update(shared.snapshot.get_many(unknown))
        return found

    def has_metadata(self, namespace: str) -> bool:
        """Whether keys of a namespace may have metadata."""
        shared = self._shared
        known = shared.has_metadata.get(namespace)
        if known is None:
            with shared:
                known = shared.has_metadata[namespace] = shared.snapshot.has_metadata(namespace)
        return known

    def range(
        self, namespace: str, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, VersionedValue]]:
        """Entries in key order."""
        entries = self._shared.snapshot.range(namespace, start, end)
        while True:
            with self._shared:
                entry = next(entries, None)
            if entry is None:
                return
            yield entry

    def documents(self) -> Documents | None:
        """None: a state with rich queries is not shared."""
        return None

    def close(self) -> None:
        """Give it back; may be called again."""
        release, self._release = self._release, None
        if release is not None:
            release(self._shared)

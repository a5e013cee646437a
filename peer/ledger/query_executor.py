"""Reads the state through one snapshot; a simulation also records what it read.

Values are always the committed ones: a transaction never sees its own writes.
(Fabric: core/ledger/kvledger/txmgmt/txmgr/{query_executor,collection_val}.go.)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from gridloom.protos.ledger.rwset.kvrwset.kv_rwset_pb2 import QueryReads, RangeQueryInfo

from . import state_metadata
from .collection_catalog import CollectionCatalog
from .errors import (
    CollectionsUndefined,
    PrivateDataUnavailable,
    RichQueriesUnsupported,
    SimulationError,
    SimulatorClosed,
    UndefinedCollection,
)
from .queries.documents import check_key, go_json
from .queries.find import Documents
from .queries.scanner import QueryIterator, QueryScanner
from .range_query import RangeQueryResults
from .rwset_builder import RwSetBuilder
from .state_db import (
    StateSnapshot,
    Version,
    VersionedValue,
    encode_key,
    hashed_namespace,
    key_hash,
    private_namespace,
)


class QueryExecutor:
    """Getters over one snapshot of the state.

    collections: checks collection names; None trusts the caller.
    rwset: where reads are recorded; None records nothing.
    Used by one thread at a time.  Every getter raises SimulatorClosed after done().
    """

    def __init__(
        self,
        snapshot: StateSnapshot,
        collections: CollectionCatalog | None = None,
        rwset: RwSetBuilder | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._collections = collections
        self._rwset = rwset
        self._known_collections: dict[str, Collection[str]] = {}
        self._private_reads: set[tuple[str, str]] = set()
        self._iterators: list[RangeIterator] = []
        self._done = False

    @property
    def height(self) -> int:
        """Number of blocks the state had seen when this executor was made."""
        return self._snapshot.height

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """Value of a key, never empty; None if absent."""
        found = self._read(namespace, key)
        return found.value if found else None

    def get_state_multiple(self, namespace: str, keys: Sequence[str]) -> list[bytes | None]:
        """Values in the order of the keys."""
        return [self.get_state(namespace, key) for key in keys]

    def get_state_metadata(self, namespace: str, key: str) -> dict[str, bytes]:
        """Metadata of a key by name; {} if it has none or is absent."""
        found = self._read(namespace, key)
        return state_metadata.deserialize(found.metadata) if found else {}

    def get_state_range(self, namespace: str, start: str, end: str) -> RangeIterator:
        """Entries from start (inclusive) to end (exclusive; "" = end of the namespace)."""
        return self._range(namespace, start, end, 0)

    def get_state_range_page(
        self, namespace: str, start: str, end: str, page_size: int
    ) -> RangeIterator:
        """The same, at most page_size entries (0 = all); then ask the iterator its bookmark()."""
        return self._range(namespace, start, end, page_size)

    def get_private_data(self, namespace: str, collection: str, key: str) -> bytes | None:
        """Cleartext of a private key from this peer's own store; None if absent.

        PrivateDataUnavailable if this peer's cleartext is not what the public hash speaks of.
        """
        self._check_collection(namespace, collection)
        private_key = self._check_key(encode_key(key))
        private = self._get(private_namespace(namespace, collection), private_key)
        hashed = self._get(hashed_namespace(namespace, collection), key_hash(key))
        version = private.version if private else None
        public_version = hashed.version if hashed else None
        if version != public_version:
            raise PrivateDataUnavailable(namespace, collection, public_version, version)
        if self._rwset is not None:
            self._rwset.add_hashed_read(namespace, collection, key, version)
            self._private_reads.add((namespace, collection))
        return private.value if private else None

    def get_private_data_hash(self, namespace: str, collection: str, key: str) -> bytes | None:
        """SHA-256 of a private value; None if absent.  Every peer knows it."""
        found = self._read_hashed(namespace, collection, key)
        return found.value if found else None

    def get_private_data_metadata(
        self, namespace: str, collection: str, key: str
    ) -> dict[str, bytes]:
        """Metadata of a private key, which is public."""
        found = self._read_hashed(namespace, collection, key)
        return state_metadata.deserialize(found.metadata) if found else {}

    def get_private_data_metadata_by_hash(
        self, namespace: str, collection: str, hashed_key: bytes
    ) -> dict[str, bytes]:
        """The same, when only the key's hash is known; not in a simulation."""
        if self._rwset is not None:
            raise SimulationError(
                "retrieving private data metadata by keyhash is not supported in simulation."
                " This function is only available for query as yet"
            )
        self._check_collection(namespace, collection)
        found = self._get(hashed_namespace(namespace, collection), hashed_key)
        return state_metadata.deserialize(found.metadata) if found else {}

    def get_private_data_range(
        self, namespace: str, collection: str, start: str, end: str
    ) -> RangeIterator:
        """Cleartext of a range of private keys; leaves no trace in the read set."""
        self._check_collection(namespace, collection)
        entries = self._scan(private_namespace(namespace, collection), start, end)
        return RangeIterator(entries, 0, None)

    def get_query_result(self, namespace: str, query: str) -> QueryIterator:
        """Documents that a rich query finds; each one handed out is read, nothing more is.

        RichQueriesUnsupported by LevelDB's rules; QueryUnreadable, QueryRefused.
        """
        return self._query(namespace, query, "ExecuteQuery")

    def get_query_result_page(
        self, namespace: str, query: str, bookmark: str, page_size: int
    ) -> QueryIterator:
        """The same, at most page_size (0 = all), from a bookmark on; then ask its bookmark()."""
        return self._query(namespace, query, "ExecuteQueryWithMetadata", bookmark, page_size)

    def get_private_data_query_result(
        self, namespace: str, collection: str, query: str
    ) -> QueryIterator:
        """Private documents that a rich query finds; leaves no trace in the read set."""
        self._check_collection(namespace, collection)
        self._check_open()
        documents = self._rich_queries("ExecuteQuery")
        stored_in = private_namespace(namespace, collection)
        return QueryIterator(QueryScanner(documents, stored_in, query), None)

    def done(self) -> None:
        """Release the snapshot; may be called again."""
        if not self._done:
            self._done = True
            for iterator in self._iterators:
                iterator.close()
            self._snapshot.close()

    def _query(
        self, namespace: str, query: str, operation: str, bookmark: str = "", page_size: int = 0
    ) -> QueryIterator:
        self._check_open()
        documents = self._rich_queries(operation)
        scanner = QueryScanner(documents, namespace, query, page_size=page_size, bookmark=bookmark)
        record = None if self._rwset is None else partial(self._rwset.add_read, namespace)
        return QueryIterator(scanner, record)

    def _rich_queries(self, operation: str) -> Documents:
        documents = self._snapshot.documents()
        if documents is None:
            raise RichQueriesUnsupported(operation)
        return documents

    def _check_key(self, key: bytes) -> bytes:
        """By CouchDB's rules not every key can be asked for."""
        if self._snapshot.documents() is not None:
            check_key(key)
        return key

    def _check_open(self) -> None:
        if self._done:
            raise SimulatorClosed("this instance should not be used after calling Done()")

    def _get(self, namespace: str, key: bytes) -> VersionedValue | None:
        self._check_open()
        return self._snapshot.get(namespace, key)

    def _read(self, namespace: str, key: str) -> VersionedValue | None:
        self._check_open()
        found = self._get(namespace, self._check_key(encode_key(key)))
        if self._rwset is not None:
            self._rwset.add_read(namespace, key, found.version if found else None)
        return found

    def _read_hashed(self, namespace: str, collection: str, key: str) -> VersionedValue | None:
        self._check_collection(namespace, collection)
        found = self._get(hashed_namespace(namespace, collection), key_hash(key))
        if self._rwset is not None:
            version = found.version if found else None
            self._rwset.add_hashed_read(namespace, collection, key, version)
        return found

    def _scan(self, namespace: str, start: str, end: str) -> Iterator[tuple[bytes, VersionedValue]]:
        self._check_open()
        return self._snapshot.range(namespace, encode_key(start), encode_key(end))

    def _range(self, namespace: str, start: str, end: str, limit: int) -> RangeIterator:
        entries = self._scan(namespace, start, end)
        record = None if self._rwset is None else RangeRecord(namespace, start, end)
        iterator = RangeIterator(entries, limit, record, self._last_bookmark(end))
        self._iterators.append(iterator)
        return iterator

    def _last_bookmark(self, end: str) -> str:
        """What the last page of a range has for a bookmark: by CouchDB's rules the range's end."""
        return "" if self._snapshot.documents() is None else go_json(end)[1:-1]

    def _check_collection(self, namespace: str, collection: str) -> None:
        self._check_open()
        if self._collections is None:
            return
        known = self._known_collections.get(namespace)
        if known is None:
            known = self._collections.collection_names(namespace, self)
            if known is None:
                raise CollectionsUndefined(namespace)
            self._known_collections[namespace] = known
        if collection not in known:
            raise UndefinedCollection(namespace, collection)


class RangeRecord:
    """What a recorded range read will leave in the read set."""

    def __init__(self, namespace: str, start: str, end: str) -> None:
        self.namespace = namespace
        self._end = end
        self._info = RangeQueryInfo(start_key=start)
        self._results = RangeQueryResults()

    def add(self, key: str, version: Version) -> None:
        """A result was handed out: the range known to be seen ends here."""
        self._results.add(key, version)
        self._info.end_key = key

    def exhaust(self) -> None:
        """The iterator had no more: the whole range was seen."""
        self._info.itr_exhausted = True
        self._info.end_key = self._end

    def info(self) -> RangeQueryInfo:
        """The finished entry; call once."""
        reads, summary = self._results.done()
        if summary is not None:
            self._info.reads_merkle_hashes.CopyFrom(summary)
        elif reads:
            self._info.raw_reads.CopyFrom(QueryReads(kv_reads=reads))
        return self._info


class RangeIterator:
    """Results of a range read, one by one; each one handed out counts as read."""

    def __init__(
        self,
        entries: Iterator[tuple[bytes, VersionedValue]],
        limit: int,
        record: RangeRecord | None,
        last_bookmark: str = "",
    ) -> None:
        self._entries: Iterator[tuple[bytes, VersionedValue]] | None = entries
        self._left = limit if limit > 0 else -1
        self._last_bookmark = last_bookmark
        self.record = record

    def next(self) -> tuple[str, bytes] | None:
        """The next key and value; None at the end of the range or page, and when closed."""
        if self._entries is None:
            return None
        entry = next(self._entries, None) if self._left else None
        if entry is None:
            if self.record is not None:
                self.record.exhaust()
            return None
        self._left -= 1
        key, found = entry[0].decode(), entry[1]
        if self.record is not None:
            self.record.add(key, found.version)
        return key, found.value

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self.next, None)

    def bookmark(self) -> str:
        """Close, and return the key where the next page starts; what it is if there is none
        depends on the state database."""
        entry = next(self._entries, None) if self._entries is not None else None
        self.close()
        return entry[0].decode() if entry else self._last_bookmark

    def close(self) -> None:
        """Stop reading; what was read stays in the read set."""
        self._entries = None

"""Runs one transaction against a snapshot and turns what it did into a read-write set.

(Fabric: core/ledger/kvledger/txmgmt/txmgr/tx_simulator.go.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gridloom.protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet

from . import state_metadata
from .collection_catalog import CollectionCatalog
from .errors import SimulatorClosed, UnsupportedTransaction, ValueTooLarge
from .queries.documents import check_value
from .queries.scanner import QueryIterator
from .query_executor import QueryExecutor, RangeIterator
from .rwset_builder import RwSetBuilder
from .state_db import (
    StateSnapshot,
    encode_key,
    hashed_namespace,
    key_hash,
)

MAX_VALUE_BYTES = 100 * 1024 * 1024
"""Largest value: what fits no message of 100 MiB could never be ordered (PROTOCOL 1)."""


@dataclass(frozen=True, slots=True)
class SimulationResults:
    """What a simulation leaves.

    public: serialized TxReadWriteSet; private: cleartext writes, None without any.
    namespaces: all that appear in the public set, sorted.
    private_reads: (namespace, collection) whose cleartext was read.
    written: (namespace, collection or "") -> key -> the key's committed metadata, for every
    key written; with these the endorser tells clients which policies will be asked.
    """

    public: bytes = field(repr=False)
    private: TxPvtReadWriteSet | None = field(repr=False)
    namespaces: tuple[str, ...]
    private_reads: frozenset[tuple[str, str]]
    written: Mapping[tuple[str, str], Mapping[str, Mapping[str, bytes]]] = field(repr=False)


class TxSimulator(QueryExecutor):
    """Getters that record, setters that only record; the state itself never changes.

    Paginated and private range reads leave no trace in the read set, so a transaction may
    not combine them with writes: UnsupportedTransaction, whichever comes second.
    """

    def __init__(
        self, tx_id: str, snapshot: StateSnapshot, collections: CollectionCatalog | None = None
    ) -> None:
        self._builder = RwSetBuilder()
        super().__init__(snapshot, collections, self._builder)
        self.tx_id = tx_id
        self._written: dict[tuple[str, str], dict[str, dict[str, bytes]]] = {}
        self._write_performed = False
        self._private_query_performed = False
        self._paginated_query_performed = False
        self._results_taken = False

    def set_state(self, namespace: str, key: str, value: bytes) -> None:
        """Write a value; an empty one deletes."""
        encoded = self._check_write(namespace, key, value)
        self._builder.add_write(namespace, key, value)
        self._note_written(namespace, "", key, namespace, encoded)

    def delete_state(self, namespace: str, key: str) -> None:
        """Delete a key, present or not."""
        self.set_state(namespace, key, b"")

    def set_state_metadata(self, namespace: str, key: str, metadata: Mapping[str, bytes]) -> None:
        """Replace all metadata of a key; {} deletes them."""
        encoded = self._check_write(namespace, key, b"")
        self._builder.add_metadata_write(namespace, key, _copied(metadata))
        self._note_written(namespace, "", key, namespace, encoded)

    def set_private_data(self, namespace: str, collection: str, key: str, value: bytes) -> None:
        """Write a private value; an empty one deletes."""
        self._write_private(namespace, collection, key, value, purge=False)

    def delete_private_data(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private key, present or not."""
        self._write_private(namespace, collection, key, b"", purge=False)

    def purge_private_data(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private key and every cleartext value it ever had, on all peers."""
        self._write_private(namespace, collection, key, b"", purge=True)

    def set_private_data_metadata(
        self, namespace: str, collection: str, key: str, metadata: Mapping[str, bytes]
    ) -> None:
        """Replace all metadata of a private key; {} deletes them."""
        self._check_collection(namespace, collection)
        self._check_write(namespace, key, b"")
        self._builder.add_private_metadata_write(namespace, collection, key, _copied(metadata))
        self._note_private_written(namespace, collection, key)

    def get_state_range_page(
        self, namespace: str, start: str, end: str, page_size: int
    ) -> RangeIterator:
        """As QueryExecutor's; forbids writes."""
        self._begin_paginated_query()
        return super().get_state_range_page(namespace, start, end, page_size)

    def get_private_data_range(
        self, namespace: str, collection: str, start: str, end: str
    ) -> RangeIterator:
        """As QueryExecutor's; forbids writes."""
        self._begin_private_query()
        return super().get_private_data_range(namespace, collection, start, end)

    def get_query_result_page(
        self, namespace: str, query: str, bookmark: str, page_size: int
    ) -> QueryIterator:
        """As QueryExecutor's; forbids writes."""
        self._begin_paginated_query()
        return super().get_query_result_page(namespace, query, bookmark, page_size)

    def get_private_data_query_result(
        self, namespace: str, collection: str, query: str
    ) -> QueryIterator:
        """As QueryExecutor's; forbids writes."""
        self._begin_private_query()
        return super().get_private_data_query_result(namespace, collection, query)

    @property
    def writes_private_data(self) -> bool:
        """Whether anything private has been written so far."""
        return self._builder.has_private_writes

    def results(self) -> SimulationResults:
        """The read-write set; once (SimulatorClosed after that)."""
        if self._results_taken:
            raise SimulatorClosed(
                "this function should only be called once on a transaction simulator instance"
            )
        self._results_taken = True
        for iterator in self._iterators:
            if iterator.record is not None:
                self._builder.add_range_query(iterator.record.namespace, iterator.record.info())
        public, private = self._builder.build()
        return SimulationResults(
            public=public.SerializeToString(),
            private=private,
            namespaces=self._builder.namespaces,
            private_reads=frozenset(self._private_reads),
            written={place: dict(keys) for place, keys in self._written.items()},
        )

    def _begin_paginated_query(self) -> None:
        if self._write_performed:
            raise UnsupportedTransaction(
                self.tx_id, "Paginated queries are supported only in a read-only transaction"
            )
        self._paginated_query_performed = True

    def _begin_private_query(self) -> None:
        if self._write_performed:
            raise UnsupportedTransaction(
                self.tx_id, "Queries on pvt data is supported only in a read-only transaction"
            )
        self._private_query_performed = True

    def _write_private(
        self, namespace: str, collection: str, key: str, value: bytes, *, purge: bool
    ) -> None:
        self._check_collection(namespace, collection)
        self._check_write(namespace, key, value)
        self._builder.add_private_write(namespace, collection, key, value, purge=purge)
        self._note_private_written(namespace, collection, key)

    def _check_write(self, namespace: str, key: str, value: bytes) -> bytes:
        self._check_open()
        encode_key(namespace)
        encoded = encode_key(key)
        for part in (encoded, value):
            if len(part) > MAX_VALUE_BYTES:
                raise ValueTooLarge(len(part), MAX_VALUE_BYTES)
        for performed, query in (
            (self._private_query_performed, "queries on pvt data"),
            (self._paginated_query_performed, "a paginated query"),
        ):
            if performed:
                raise UnsupportedTransaction(
                    self.tx_id,
                    f"Transaction has already performed {query}. Writes are not allowed",
                )
        self._write_performed = True
        self._check_key(encoded)
        if value and self._snapshot.documents() is not None:
            check_value(value)
        return encoded

    def _note_private_written(self, namespace: str, collection: str, key: str) -> None:
        hashes = hashed_namespace(namespace, collection)
        self._note_written(namespace, collection, key, hashes, key_hash(key))

    def _note_written(
        self, namespace: str, collection: str, key: str, stored_in: str, stored_key: bytes
    ) -> None:
        keys = self._written.setdefault((namespace, collection), {})
        if key not in keys:
            has_any = self._snapshot.has_metadata(stored_in)
            committed = self._snapshot.get(stored_in, stored_key) if has_any else None
            keys[key] = state_metadata.deserialize(committed.metadata) if committed else {}


def _copied(metadata: Mapping[str, bytes]) -> dict[str, bytes]:
    for name in metadata:
        encode_key(name)
    return dict(metadata)

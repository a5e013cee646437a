"""Handing query results to a chaincode in batches.

Without pagination a batch has 100 results, and the peer pulls one more before it says that
there are more: what it pulled stands in the read set, so this look-ahead is protocol.
(Fabric: core/chaincode/query_response_generator.go)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Protocol

from gridloom.common.errors import GridloomError
from gridloom.protos.peer.chaincode_shim_pb2 import (
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
)

from .errors import ShimRequestRefused

BATCH_SIZE = 100


class ResultIterator(Protocol):
    """Serialized results, one at a time; None at the end."""

    def next(self) -> bytes | None: ...
    def bookmark(self) -> str:
        """Close, and return where a next page starts."""
        ...

    def close(self) -> None: ...


class OpenQueries:
    """The iterators one transaction holds open.

    limit: most results a query may return in all (Fabric: ledger.state.totalQueryLimit);
    new_id: makes iterator ids, which never leave the peer and the chaincode.
    """

    def __init__(self, limit: int, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._limit = limit
        self._new_id = new_id
        self._queries: dict[str, _Query] = {}

    def open(self, results: ResultIterator) -> QueryResponse:
        """Return the first batch of a query without pagination."""
        query = _Query(self._new_id(), results)
        self._queries[query.id] = query
        return self._batch(query)

    def page(self, results: ResultIterator, page_size: int) -> QueryResponse:
        """Return one page of at most ``page_size`` results (0: the limit) with its bookmark.

        Next is not called after the last one, so the range does not count as exhausted.
        """
        most = min(page_size, self._limit) if page_size > 0 else self._limit
        query = _Query(self._new_id(), results)
        try:
            while query.returned < most and query.pull():
                pass
        except GridloomError:
            results.close()
            raise
        metadata = QueryResponseMetadata(
            fetched_records_count=query.returned, bookmark=results.bookmark()
        )
        return QueryResponse(
            results=query.cut(), id=query.id, metadata=metadata.SerializeToString()
        )

    def next(self, query_id: str) -> QueryResponse:
        """Return the next batch; ShimRequestRefused when no such query is open."""
        query = self._queries.get(query_id)
        if query is None:
            raise ShimRequestRefused("query iterator not found")
        return self._batch(query)

    def close(self, query_id: str) -> QueryResponse:
        """Close a query; one that is not open is fine."""
        query = self._queries.pop(query_id, None)
        if query is not None:
            query.results.close()
        return QueryResponse(id=query_id)

    def close_all(self) -> None:
        """Close whatever the transaction left open."""
        for query_id in list(self._queries):
            self.close(query_id)

    def _batch(self, query: _Query) -> QueryResponse:
        try:
            while query.returned < self._limit and query.pull():
                if len(query.pending) > BATCH_SIZE:
                    return QueryResponse(results=query.cut(BATCH_SIZE), has_more=True, id=query.id)
        except GridloomError:
            self.close(query.id)
            raise
        self.close(query.id)
        return QueryResponse(results=query.cut(), id=query.id)


class _Query:
    __slots__ = ("id", "pending", "results", "returned")

    def __init__(self, query_id: str, results: ResultIterator) -> None:
        self.id = query_id
        self.results = results
        self.pending: list[bytes] = []
        self.returned = 0

    def pull(self) -> bool:
        """Fetch one result; False at the end."""
        result = self.results.next()
        if result is None:
            return False
        self.pending.append(result)
        self.returned += 1
        return True

    def cut(self, size: int | None = None) -> list[QueryResultBytes]:
        batch, self.pending = self.pending[:size], self.pending[size:] if size else []
        return [QueryResultBytes(resultBytes=result) for result in batch]

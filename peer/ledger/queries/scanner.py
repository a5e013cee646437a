"""All results of a rich query, fetched page by page as Fabric's peer does.

Fabric asks CouchDB for ``internalQueryLimit`` results at a time and goes on from CouchDB's
bookmark; the query's own limit is overwritten, and its skip counts on every page.
(Fabric: statecouchdb.go queryScanner.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..state_db import Version
from .find import Documents, Found, read_bookmark, returned_value
from .planner import plan
from .request import read_request

INTERNAL_QUERY_LIMIT = 1000
"""Results of one page unless configured (ledger.state.couchDBConfig.internalQueryLimit)."""

NO_BOOKMARK = "nil"
"""What CouchDB answers when there was nothing to mark."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One document a query found; version: of its last write."""

    key: str
    value: bytes = field(repr=False)
    version: Version


class QueryScanner:
    """The results of one query, one at a time.

    page_size: most results wanted, 0 for all; bookmark: of the page before, "" for none.
    QueryUnreadable or QueryRefused if the query cannot be run.
    """

    def __init__(
        self,
        documents: Documents,
        namespace: str,
        query: str,
        *,
        page_size: int = 0,
        bookmark: str = "",
        internal_limit: int = INTERNAL_QUERY_LIMIT,
    ) -> None:
        request = read_request(query)
        self._documents: Documents | None = documents
        self._namespace = namespace
        self._plan = plan(request, documents.indexes(namespace))
        self._page_size = page_size
        self._internal_limit = internal_limit
        self._bookmark = bookmark or request.bookmark
        self._returned = 0
        self._cursor = 0
        self._results = self._fetch(documents)

    def next(self) -> QueryResult | None:
        """The next result; None at the end and when closed."""
        documents = self._documents
        if documents is None or not self._results:
            return None
        if self._cursor >= self._internal_limit:
            self._results, self._cursor = self._fetch(documents), 0
        if self._cursor >= len(self._results):
            return None
        found = self._results[self._cursor]
        self._cursor += 1
        self._returned += 1
        value = returned_value(found, self._plan)
        return QueryResult(found.key.decode(), value, found.value.version)

    def bookmark(self) -> str:
        """Close, and return where the next page starts."""
        self.close()
        return self._bookmark

    def close(self) -> None:
        """Fetch no more; may be called again."""
        self._documents = None

    def _fetch(self, documents: Documents) -> list[Found]:
        after = read_bookmark(self._bookmark, self._plan)
        limit = self._internal_limit
        if self._page_size > 0:
            limit = min(limit, self._page_size - self._returned)
        skip = self._plan.request.skip
        results = documents.find(self._namespace, self._plan, after, skip, limit)
        if results:
            self._bookmark = results[-1].place.bookmark()
        else:
            self._bookmark = self._bookmark or NO_BOOKMARK
        return results


class QueryIterator:
    """Results of a rich query, one by one; record: told of each one handed out."""

    def __init__(
        self, scanner: QueryScanner, record: Callable[[str, Version], None] | None
    ) -> None:
        self._scanner = scanner
        self._record = record

    def next(self) -> tuple[str, bytes] | None:
        """The next key and value; None at the end and when closed."""
        found = self._scanner.next()
        if found is None:
            return None
        if self._record is not None:
            self._record(found.key, found.version)
        return found.key, found.value

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self.next, None)

    def bookmark(self) -> str:
        """Close, and return where the next page starts."""
        return self._scanner.bookmark()

    def close(self) -> None:
        """Stop reading; what was read stays in the read set."""
        self._scanner.close()

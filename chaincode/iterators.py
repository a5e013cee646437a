"""Results of range, rich and history queries, fetched as they are read (Fabric: iterators.js).

The peer sends the first results with its answer and more on request, so a loop that ends
early costs no more than it used.  It forgets a query that was read to the end; close one that
was not (or use ``with``) if the transaction goes on for long, else it ends with the transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.wire import parse
from gridloom.protos.ledger.queryresult import kv_query_result_pb2
from gridloom.protos.peer import chaincode_shim_pb2

from .peer_link import ChaincodeMessage, PeerLink

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class KV(NamedTuple):
    """A key of the state and its value: ``for key, value in ctx.stub.get_state_by_range()``."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class KeyModification:
    """One committed write of a key, by the transaction ``tx_id`` at its client's time."""

    tx_id: str
    value: bytes
    timestamp: datetime
    is_delete: bool


@dataclass(frozen=True, slots=True)
class QueryResponseMetadata:
    """Of one page: how many records it holds, and where the next one starts (empty: nowhere)."""

    fetched_records_count: int
    bookmark: str


Result = TypeVar("Result", bound=KV | KeyModification)


class QueryIterator(Generic[Result]):
    """An iterator over the results of one query."""

    def __init__(
        self,
        link: PeerLink,
        response: chaincode_shim_pb2.QueryResponse,
        decode: Callable[[bytes], Result],
    ) -> None:
        self._link = link
        self._id = response.id
        self._decode = decode
        self._results = iter(response.results)
        self._has_more = response.has_more
        self._ahead: Result | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Result:
        if self._ahead is not None:
            result, self._ahead = self._ahead, None
            return result
        while True:
            for encoded in self._results:
                return self._decode(encoded.resultBytes)
            if not self._has_more:
                raise StopIteration
            request = chaincode_shim_pb2.QueryStateNext(id=self._id)
            response = self._link.query(ChaincodeMessage.QUERY_STATE_NEXT, request)
            self._results = iter(response.results)
            self._has_more = response.has_more

    def has_next(self) -> bool:
        """Tell whether another result follows; it may have to be fetched for that."""
        if self._ahead is None:
            self._ahead = next(self, None)
        return self._ahead is not None

    def close(self) -> None:
        """Tell the peer that no more results are wanted."""
        if self._has_more:
            request = chaincode_shim_pb2.QueryStateClose(id=self._id)
            self._link.ask(ChaincodeMessage.QUERY_STATE_CLOSE, request)
        self._results = iter(())
        self._has_more = False
        self._ahead = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


StateQueryIterator = QueryIterator[KV]
HistoryQueryIterator = QueryIterator[KeyModification]


def decode_kv(data: bytes) -> KV:
    """Return the KV of a query's result bytes."""
    result = parse(kv_query_result_pb2.KV, data)
    return KV(result.key, result.value)


def decode_modification(data: bytes) -> KeyModification:
    """Return the KeyModification of a history query's result bytes."""
    result = parse(kv_query_result_pb2.KeyModification, data)
    when = as_datetime(result.timestamp)
    return KeyModification(result.tx_id, result.value, when, result.is_delete)


def query_metadata(data: bytes) -> QueryResponseMetadata:
    """Return the page metadata of a QueryResponse."""
    metadata = parse(chaincode_shim_pb2.QueryResponseMetadata, data)
    return QueryResponseMetadata(metadata.fetched_records_count, metadata.bookmark)


def as_datetime(timestamp: Timestamp) -> datetime:
    """Return a protobuf timestamp as UTC, cut to microseconds; ValueError if out of range."""
    try:
        return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
    except OverflowError as error:
        raise ValueError(f"timestamp of {timestamp.seconds} seconds: {error}") from error

"""The public state of the chaincode's namespace, its queries and history (Fabric: shim/stub.go).

A transaction reads what is committed, never its own writes.  Keys are text; those of ranges
come in the byte order of their UTF-8.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.protos.peer import chaincode_shim_pb2

from .composite_keys import (
    LAST,
    SEPARATOR,
    create_composite_key,
    partial_key_range,
    simple_key_range,
    split_composite_key,
)
from .errors import InvalidKey
from .iterators import (
    HistoryQueryIterator,
    QueryIterator,
    QueryResponseMetadata,
    StateQueryIterator,
    decode_kv,
    decode_modification,
    query_metadata,
)
from .peer_link import ChaincodeMessage, PeerLink
from .writer import Writer

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"
"""Name of the metadata entry that holds a key's endorsement policy."""

_PUBLIC = ""
_Page = tuple[StateQueryIterator, QueryResponseMetadata]


class State:
    """The part of the stub that reads and writes public state."""

    _link: PeerLink
    _writer: Writer

    def get_state(self, key: str) -> bytes:
        """Return the committed value of ``key``; empty if there is none."""
        return self._link.get_state(_PUBLIC, checked_key(key))

    def get_multiple_states(self, keys: Sequence[str]) -> list[bytes]:
        """Return the values of several keys, in one message where the peer allows it."""
        return self._link.get_multiple(_PUBLIC, keys)

    def put_state(self, key: str, value: bytes | str) -> None:
        """Write ``value`` (text as UTF-8) when the transaction commits; empty deletes the key."""
        self._writer.put(_PUBLIC, checked_key(key, written=True), as_bytes(value))

    def delete_state(self, key: str) -> None:
        """Remove ``key`` when the transaction commits."""
        self._writer.delete(_PUBLIC, checked_key(key))

    def get_state_by_range(self, start_key: str = "", end_key: str = "") -> StateQueryIterator:
        """Return the simple keys from ``start_key`` up to, not including, ``end_key``.

        An empty start or end leaves that side open.  The transaction becomes invalid if
        another one changes the result before it commits.
        """
        return self._range(*simple_key_range(start_key, end_key))[0]

    def get_state_by_range_with_pagination(
        self, start_key: str, end_key: str, page_size: int, bookmark: str = ""
    ) -> _Page:
        """Return one page of a range and where the next one begins; only where nothing is written.

        bookmark: of the page before; it then replaces start_key.
        """
        start, end = simple_key_range(start_key, end_key)
        return self._range(start, end, _paging(page_size, bookmark))

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str] = ()
    ) -> StateQueryIterator:
        """Return the composite keys that begin with these parts."""
        return self._range(*partial_key_range(object_type, attributes))[0]

    def get_state_by_partial_composite_key_with_pagination(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> _Page:
        """Return one page of the composite keys that begin with these parts."""
        start, end = partial_key_range(object_type, attributes)
        return self._range(start, end, _paging(page_size, bookmark))

    def get_all_states_composite_key_with_pagination(
        self, page_size: int, bookmark: str = ""
    ) -> _Page:
        """Return one page of all composite keys."""
        return self._range(SEPARATOR, SEPARATOR + LAST, _paging(page_size, bookmark))

    def get_query_result(self, query: str) -> StateQueryIterator:
        """Return the result of a rich query, in the words of the peer's state database.

        PeerError where the database has none.  The result is not checked again at commit.
        """
        return self._rich(query)[0]

    def get_query_result_with_pagination(
        self, query: str, page_size: int, bookmark: str = ""
    ) -> _Page:
        """Return one page of a rich query."""
        return self._rich(query, _paging(page_size, bookmark))

    def get_history_for_key(self, key: str) -> HistoryQueryIterator:
        """Return the committed writes of ``key``, newest first."""
        request = chaincode_shim_pb2.GetHistoryForKey(key=key)
        response = self._link.query(ChaincodeMessage.GET_HISTORY_FOR_KEY, request)
        return QueryIterator(self._link, response, decode_modification)

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        """Set the endorsement policy of ``key`` (see KeyEndorsementPolicy)."""
        self._writer.put_metadata(_PUBLIC, key, VALIDATION_PARAMETER, policy)

    def get_state_validation_parameter(self, key: str) -> bytes:
        """Return the endorsement policy of ``key``; empty if it has none of its own."""
        return self._link.get_metadata(_PUBLIC, key).get(VALIDATION_PARAMETER, b"")

    def create_composite_key(self, object_type: str, attributes: Sequence[str]) -> str:
        """Return the key made of these parts; InvalidKey if one is not allowed."""
        return create_composite_key(object_type, attributes)

    def split_composite_key(self, key: str) -> tuple[str, list[str]]:
        """Return the object type and the attributes of a composite key."""
        return split_composite_key(key)

    def _range(self, start: str, end: str, paging: bytes = b"") -> _Page:
        request = chaincode_shim_pb2.GetStateByRange(startKey=start, endKey=end, metadata=paging)
        response = self._link.query(ChaincodeMessage.GET_STATE_BY_RANGE, request)
        return QueryIterator(self._link, response, decode_kv), query_metadata(response.metadata)

    def _rich(self, query: str, paging: bytes = b"") -> _Page:
        request = chaincode_shim_pb2.GetQueryResult(query=query, metadata=paging)
        response = self._link.query(ChaincodeMessage.GET_QUERY_RESULT, request)
        return QueryIterator(self._link, response, decode_kv), query_metadata(response.metadata)


def checked_key(key: str, *, written: bool = False) -> str:
    """Return the key of a single value; InvalidKey if it is not text, or empty when written."""
    if not isinstance(key, str):
        raise InvalidKey(f"a key must be str, got {key!r}")
    if written and not key:
        raise InvalidKey("key must not be an empty string")
    return key


def as_bytes(value: bytes | str) -> bytes:
    """Return a state value as bytes; TypeError if it is neither bytes nor str."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise TypeError(f"a state value must be bytes or str, got {type(value).__name__}")


def _paging(page_size: int, bookmark: str) -> bytes:
    paging = chaincode_shim_pb2.QueryMetadata(pageSize=page_size, bookmark=bookmark)
    return paging.SerializeToString()

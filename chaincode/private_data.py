"""Private data: collections that only some organisations hold (Fabric: shim/stub.go).

The ledger carries only hashes of the keys and values.  A value put here must not come in as
an argument, which all see: send it as transient data.
"""

from __future__ import annotations

from collections.abc import Sequence

from gridloom.protos.peer import chaincode_shim_pb2

from .composite_keys import partial_key_range, simple_key_range
from .errors import InvalidKey
from .iterators import QueryIterator, StateQueryIterator, decode_kv
from .peer_link import ChaincodeMessage, PeerLink
from .state import VALIDATION_PARAMETER, as_bytes, checked_key
from .writer import Writer


class PrivateData:
    """The part of the stub that reads and writes private data collections."""

    _link: PeerLink
    _writer: Writer

    def get_private_data(self, collection: str, key: str) -> bytes:
        """Return the value of ``key``, empty if there is none; PeerError where not readable."""
        return self._link.get_state(_named(collection), checked_key(key))

    def get_multiple_private_data(self, collection: str, keys: Sequence[str]) -> list[bytes]:
        """Return the values of several keys, in one message where the peer allows it."""
        return self._link.get_multiple(_named(collection), keys)

    def get_private_data_hash(self, collection: str, key: str) -> bytes:
        """Return SHA-256 of the value of ``key``: every organisation may ask for it."""
        request = chaincode_shim_pb2.GetState(key=key, collection=_named(collection))
        return self._link.ask(ChaincodeMessage.GET_PRIVATE_DATA_HASH, request)

    def put_private_data(self, collection: str, key: str, value: bytes | str) -> None:
        """Write ``value`` (text as UTF-8) when the transaction commits."""
        self._writer.put(_named(collection), checked_key(key, written=True), as_bytes(value))

    def delete_private_data(self, collection: str, key: str) -> None:
        """Remove ``key`` when the transaction commits; its history stays."""
        self._writer.delete(_named(collection), checked_key(key))

    def purge_private_data(self, collection: str, key: str) -> None:
        """Remove ``key`` and every past value of it from all peers."""
        self._writer.purge(_named(collection), checked_key(key))

    def get_private_data_by_range(
        self, collection: str, start_key: str = "", end_key: str = ""
    ) -> StateQueryIterator:
        """Return the simple keys of a range, as get_state_by_range; nothing may be written."""
        return self._private_range(collection, *simple_key_range(start_key, end_key))

    def get_private_data_by_partial_composite_key(
        self, collection: str, object_type: str, attributes: Sequence[str] = ()
    ) -> StateQueryIterator:
        """Return the composite keys that begin with these parts; nothing may be written."""
        return self._private_range(collection, *partial_key_range(object_type, attributes))

    def get_private_data_query_result(self, collection: str, query: str) -> StateQueryIterator:
        """Return the result of a rich query on the collection; nothing may be written."""
        request = chaincode_shim_pb2.GetQueryResult(query=query, collection=_named(collection))
        response = self._link.query(ChaincodeMessage.GET_QUERY_RESULT, request)
        return QueryIterator(self._link, response, decode_kv)

    def set_private_data_validation_parameter(
        self, collection: str, key: str, policy: bytes
    ) -> None:
        """Set the endorsement policy of ``key`` (see KeyEndorsementPolicy)."""
        self._writer.put_metadata(_named(collection), key, VALIDATION_PARAMETER, policy)

    def get_private_data_validation_parameter(self, collection: str, key: str) -> bytes:
        """Return the endorsement policy of ``key``; empty if it has none of its own."""
        metadata = self._link.get_metadata(_named(collection), key)
        return metadata.get(VALIDATION_PARAMETER, b"")

    def _private_range(self, collection: str, start: str, end: str) -> StateQueryIterator:
        request = chaincode_shim_pb2.GetStateByRange(
            startKey=start, endKey=end, collection=_named(collection)
        )
        response = self._link.query(ChaincodeMessage.GET_STATE_BY_RANGE, request)
        return QueryIterator(self._link, response, decode_kv)


def _named(collection: str) -> str:
    if not collection:
        raise InvalidKey("collection must not be an empty string")
    return collection

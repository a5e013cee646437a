"""Requests that read: values, hashes, metadata, ranges and history.

(Fabric: the HandleGet… functions of core/chaincode/handler.go)
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.common.wire import parse
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from .invocation import Answer, Scope
from .query_streams import HistoryResults, StateResults


def _get_state(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.GetState, payload)
    if not request.collection:
        return scope.simulator.get_state(scope.namespace, request.key) or b""
    scope.require_read(request.collection)
    found = scope.simulator.get_private_data(scope.namespace, request.collection, request.key)
    return found or b""


def _get_state_multiple(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.GetStateMultiple, payload)
    if request.collection:
        scope.require_read(request.collection)
        values = [
            scope.simulator.get_private_data(scope.namespace, request.collection, key)
            for key in request.keys
        ]
    else:
        values = scope.simulator.get_state_multiple(scope.namespace, request.keys)
    result = shim.GetStateMultipleResult(values=[value or b"" for value in values])
    return result.SerializeToString()


def _get_private_data_hash(scope: Scope, payload: bytes) -> bytes:
    """Answer with the hash: every peer has it, so no membership is asked for."""
    request = parse(shim.GetState, payload)
    scope.refuse_in_init()
    return (
        scope.simulator.get_private_data_hash(scope.namespace, request.collection, request.key)
        or b""
    )


def _get_metadata(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.GetStateMetadata, payload)
    if request.collection:
        scope.require_read(request.collection)
        metadata = scope.simulator.get_private_data_metadata(
            scope.namespace, request.collection, request.key
        )
    else:
        metadata = scope.simulator.get_state_metadata(scope.namespace, request.key)
    entries = [shim.StateMetadata(metakey=name, value=value) for name, value in metadata.items()]
    return shim.StateMetadataResult(entries=entries).SerializeToString()


def _get_range(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.GetStateByRange, payload)
    metadata = parse(shim.QueryMetadata, request.metadata)
    namespace, start, end = scope.namespace, request.startKey, request.endKey
    if request.collection:
        scope.require_read(request.collection)
        found = scope.simulator.get_private_data_range(namespace, request.collection, start, end)
    elif metadata.pageSize or metadata.bookmark:
        page = scope.simulator.get_state_range_page(
            namespace, metadata.bookmark or start, end, metadata.pageSize
        )
        results = scope.queries.page(StateResults(namespace, page), metadata.pageSize)
        return results.SerializeToString()
    else:
        found = scope.simulator.get_state_range(namespace, start, end)
    return scope.queries.open(StateResults(namespace, found)).SerializeToString()


def _get_query_result(scope: Scope, payload: bytes) -> bytes:
    """Answer a rich query; a state database with LevelDB's rules has none and refuses."""
    request = parse(shim.GetQueryResult, payload)
    metadata = parse(shim.QueryMetadata, request.metadata)
    namespace, query, collection = scope.namespace, request.query, request.collection
    if collection:
        scope.require_read(collection)
        found = scope.simulator.get_private_data_query_result(namespace, collection, query)
    elif metadata.pageSize or metadata.bookmark:
        page = scope.simulator.get_query_result_page(
            namespace, query, metadata.bookmark, metadata.pageSize
        )
        results = scope.queries.page(StateResults(namespace, page), metadata.pageSize)
        return results.SerializeToString()
    else:
        found = scope.simulator.get_query_result(namespace, query)
    return scope.queries.open(StateResults(namespace, found)).SerializeToString()


def _get_history(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.GetHistoryForKey, payload)
    found = scope.channel.ledger.history(scope.namespace, request.key)
    return scope.queries.open(HistoryResults(found)).SerializeToString()


def _next(scope: Scope, payload: bytes) -> bytes:
    return scope.queries.next(parse(shim.QueryStateNext, payload).id).SerializeToString()


def _close(scope: Scope, payload: bytes) -> bytes:
    return scope.queries.close(parse(shim.QueryStateClose, payload).id).SerializeToString()


READS: Mapping[int, Answer] = {
    ChaincodeMessage.GET_STATE: _get_state,
    ChaincodeMessage.GET_STATE_MULTIPLE: _get_state_multiple,
    ChaincodeMessage.GET_PRIVATE_DATA_HASH: _get_private_data_hash,
    ChaincodeMessage.GET_STATE_METADATA: _get_metadata,
    ChaincodeMessage.GET_STATE_BY_RANGE: _get_range,
    ChaincodeMessage.GET_QUERY_RESULT: _get_query_result,
    ChaincodeMessage.GET_HISTORY_FOR_KEY: _get_history,
    ChaincodeMessage.QUERY_STATE_NEXT: _next,
    ChaincodeMessage.QUERY_STATE_CLOSE: _close,
}

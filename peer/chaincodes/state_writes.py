"""Requests that write: values, metadata, deletes and purges, one by one or in a batch.

(Fabric: the HandlePut…, HandleDel… and HandleWriteBatch functions of core/chaincode/handler.go)
"""

from __future__ import annotations

from collections.abc import Mapping

from gridloom.common.wire import parse
from gridloom.protos.peer import chaincode_shim_pb2 as shim
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from .errors import ShimRequestRefused
from .invocation import Answer, Scope


def _put(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.PutState, payload)
    _write(scope, request.collection, request.key, request.value)
    return b""


def _delete(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.DelState, payload)
    _write(scope, request.collection, request.key, None)
    return b""


def _put_metadata(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.PutStateMetadata, payload)
    _write_metadata(scope, request.collection, request.key, request.metadata)
    return b""


def _purge(scope: Scope, payload: bytes) -> bytes:
    request = parse(shim.PurgePrivateState, payload)
    _purge_private(scope, request.collection, request.key)
    return b""


def _write_batch(scope: Scope, payload: bytes) -> bytes:
    for record in parse(shim.WriteBatchState, payload).rec:
        match record.type:
            case shim.WriteRecord.PUT_STATE:
                _write(scope, record.collection, record.key, record.value)
            case shim.WriteRecord.DEL_STATE:
                _write(scope, record.collection, record.key, None)
            case shim.WriteRecord.PUT_STATE_METADATA:
                _write_metadata(scope, record.collection, record.key, record.metadata)
            case shim.WriteRecord.PURGE_PRIVATE_DATA:
                _purge_private(scope, record.collection, record.key)
            case _:
                raise ShimRequestRefused("unknown operation type")
    return b""


def _write(scope: Scope, collection: str, key: str, value: bytes | None) -> None:
    """Write, or delete when value is None."""
    if not collection:
        scope.simulator.set_state(scope.namespace, key, value or b"")
        return
    scope.require_write(collection)
    if value is None:
        scope.simulator.delete_private_data(scope.namespace, collection, key)
    else:
        scope.simulator.set_private_data(scope.namespace, collection, key, value)


def _write_metadata(scope: Scope, collection: str, key: str, entry: shim.StateMetadata) -> None:
    """Replace the key's whole map by this one entry, as Fabric does."""
    metadata = {entry.metakey: entry.value}
    if not collection:
        scope.simulator.set_state_metadata(scope.namespace, key, metadata)
        return
    scope.require_write(collection)
    scope.simulator.set_private_data_metadata(scope.namespace, collection, key, metadata)


def _purge_private(scope: Scope, collection: str, key: str) -> None:
    if not scope.channel.bundle.capabilities.application.supports("V2_5"):
        raise ShimRequestRefused(
            "purge private data is not enabled, channel application capability of V2_5 "
            "or later is required"
        )
    if not collection:
        raise ShimRequestRefused("only applicable for private data")
    scope.require_write(collection)
    scope.simulator.purge_private_data(scope.namespace, collection, key)


WRITES: Mapping[int, Answer] = {
    ChaincodeMessage.PUT_STATE: _put,
    ChaincodeMessage.DEL_STATE: _delete,
    ChaincodeMessage.PUT_STATE_METADATA: _put_metadata,
    ChaincodeMessage.PURGE_PRIVATE_DATA: _purge,
    ChaincodeMessage.WRITE_BATCH_STATE: _write_batch,
}

"""Writes of a transaction: one message each, or collected into batches (Fabric: shim/batch.go).

Batches begin with ``start_write_batch`` and only when the peer's READY allowed them; of
several writes of a key the last one counts.  A refused write then shows when the batch is
sent, at the end of the transaction at the latest.
"""

from __future__ import annotations

from itertools import islice

from google.protobuf.message import Message

from gridloom.protos.peer import chaincode_shim_pb2

from .peer_link import ChaincodeMessage, PeerLink

WriteRecord = chaincode_shim_pb2.WriteRecord

_Slot = tuple[str, str, bool]


class Writer:
    """Sends or collects the writes of one transaction; collection empty means public state."""

    __slots__ = ("_batch", "_link")

    def __init__(self, link: PeerLink) -> None:
        self._link = link
        self._batch: dict[_Slot, chaincode_shim_pb2.WriteRecord] | None = None

    def start(self) -> None:
        """Collect from now on, if the peer takes batches."""
        if self._link.parameters.use_write_batch and self._batch is None:
            self._batch = {}

    def finish(self) -> None:
        """Send what was collected and stop collecting; PeerError if a write is refused."""
        if self._batch is None:
            return
        records = iter(self._batch.values())
        self._batch = None
        while batch := list(islice(records, self._link.parameters.max_size_write_batch)):
            self._link.ask(
                ChaincodeMessage.WRITE_BATCH_STATE, chaincode_shim_pb2.WriteBatchState(rec=batch)
            )

    def put(self, collection: str, key: str, value: bytes) -> None:
        """Set a key's value."""
        if not self._collect(WriteRecord.PUT_STATE, collection, key, value):
            request = chaincode_shim_pb2.PutState(key=key, value=value, collection=collection)
            self._send(ChaincodeMessage.PUT_STATE, request)

    def delete(self, collection: str, key: str) -> None:
        """Remove a key."""
        if not self._collect(WriteRecord.DEL_STATE, collection, key):
            request = chaincode_shim_pb2.DelState(key=key, collection=collection)
            self._send(ChaincodeMessage.DEL_STATE, request)

    def purge(self, collection: str, key: str) -> None:
        """Remove a private key with its past."""
        if not self._collect(WriteRecord.PURGE_PRIVATE_DATA, collection, key):
            request = chaincode_shim_pb2.PurgePrivateState(key=key, collection=collection)
            self._send(ChaincodeMessage.PURGE_PRIVATE_DATA, request)

    def put_metadata(self, collection: str, key: str, name: str, value: bytes) -> None:
        """Set the key's metadata to this one entry."""
        entry = chaincode_shim_pb2.StateMetadata(metakey=name, value=value)
        if self._batch is None:
            request = chaincode_shim_pb2.PutStateMetadata(
                key=key, collection=collection, metadata=entry
            )
            self._send(ChaincodeMessage.PUT_STATE_METADATA, request)
        else:
            self._batch[collection, key, True] = WriteRecord(
                key=key,
                collection=collection,
                metadata=entry,
                type=WriteRecord.PUT_STATE_METADATA,
            )

    def _collect(
        self,
        type_: chaincode_shim_pb2.WriteRecord.Type.ValueType,
        collection: str,
        key: str,
        value: bytes = b"",
    ) -> bool:
        if self._batch is None:
            return False
        record = WriteRecord(key=key, value=value, collection=collection, type=type_)
        self._batch[collection, key, False] = record
        return True

    def _send(
        self, type_: chaincode_shim_pb2.ChaincodeMessage.Type.ValueType, request: Message
    ) -> None:
        self._link.ask(type_, request)

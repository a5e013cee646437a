"""One transaction against the committed state: the peer's answers to the shim.

(Fabric: core/chaincode/handler.go and the transaction simulator, without versions)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.common.errors import GridloomError
from gridloom.protos.ledger.queryresult import kv_query_result_pb2
from gridloom.protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_pb2

from ..chaincode import Chaincode
from ..peer_link import ChaincodeMessage, PeerParameters
from .memory_state import MemoryState, Write

_Message = chaincode_shim_pb2.ChaincodeMessage
_Record = chaincode_shim_pb2.WriteRecord
_BATCH = 100  # results of a query in one message (Fabric: maxResultLimit)


class Refused(GridloomError):
    """A request that a peer would refuse; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A chaincode on the ledger and its private data collections."""

    chaincode: Chaincode
    collections: frozenset[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a client asks for: the parts of a proposal that a chaincode can see."""

    channel_id: str
    tx_id: str
    chaincode: str
    args: tuple[bytes, ...]
    signed: proposal_pb2.SignedProposal
    is_init: bool


class Simulation:
    """Runs one proposal; afterwards ``writes`` and ``requests`` tell what it did.

    requests: every request in order as (chaincode, message type, payload).
    """

    def __init__(
        self,
        state: MemoryState,
        deployments: Mapping[str, Deployment],
        proposal: Proposal,
        parameters: PeerParameters,
    ) -> None:
        self.writes: list[Write] = []
        self.requests: list[tuple[str, str, bytes]] = []
        self._state = state
        self._deployments = deployments
        self._proposal = proposal
        self._parameters = parameters
        self._running: list[str] = []
        self._queries: dict[str, Iterator[bytes]] = {}
        self._reads_only: str = ""

    def run(self) -> chaincode_shim_pb2.ChaincodeMessage:
        """Return the chaincode's COMPLETED or ERROR."""
        return self._execute(self._proposal.chaincode, self._proposal.args)

    def _execute(self, name: str, args: Iterable[bytes]) -> chaincode_shim_pb2.ChaincodeMessage:
        init = self._proposal.is_init and not self._running
        message = ChaincodeMessage(
            type=ChaincodeMessage.INIT if init else ChaincodeMessage.TRANSACTION,
            payload=chaincode_pb2.ChaincodeInput(args=args, is_init=init).SerializeToString(),
            txid=self._proposal.tx_id,
            channel_id=self._proposal.channel_id,
            proposal=self._proposal.signed,
        )
        self._running.append(name)
        try:
            chaincode = self._deployments[name].chaincode
            return chaincode.handle_transaction(message, self._answer, self._parameters)
        finally:
            self._running.pop()

    def _answer(self, message: _Message) -> _Message:
        name = ChaincodeMessage.Type.Name(message.type)
        self.requests.append((self._namespace, name, message.payload))
        try:
            payload = _ANSWERS[message.type](self, message.payload)
            type_ = ChaincodeMessage.RESPONSE
        except Refused as reason:
            text = f"{name} failed: transaction ID: {message.txid}: {reason}"
            payload, type_ = text.encode(), ChaincodeMessage.ERROR
        return ChaincodeMessage(
            type=type_, payload=payload, txid=message.txid, channel_id=message.channel_id
        )

    @property
    def _namespace(self) -> str:
        return self._running[-1]

    def _collection(self, name: str) -> str:
        if name and name not in self._deployments[self._namespace].collections:
            raise Refused(f"collection {name} not defined for chaincode {self._namespace}")
        if name and self._proposal.is_init:
            raise Refused("private data APIs are not allowed in chaincode Init()")
        return name

    def _get_state(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.GetState.FromString(payload)
        collection = self._collection(request.collection)
        return self._state.get(self._namespace, collection, request.key)

    def _get_multiple(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.GetStateMultiple.FromString(payload)
        collection = self._collection(request.collection)
        values = [self._state.get(self._namespace, collection, key) for key in request.keys]
        return _bytes(chaincode_shim_pb2.GetStateMultipleResult(values=values))

    def _get_hash(self, payload: bytes) -> bytes:
        value = self._get_state(payload)
        return hashlib.sha256(value).digest() if value else b""

    def _get_metadata(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.GetStateMetadata.FromString(payload)
        collection = self._collection(request.collection)
        entries = [
            chaincode_shim_pb2.StateMetadata(metakey=name, value=value)
            for name, value in self._state.metadata(
                self._namespace, collection, request.key
            ).items()
        ]
        return _bytes(chaincode_shim_pb2.StateMetadataResult(entries=entries))

    def _put(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.PutState.FromString(payload)
        return self._write(request.collection, request.key, request.value)

    def _delete(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.DelState.FromString(payload)
        return self._write(request.collection, request.key, None)

    def _put_metadata(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.PutStateMetadata.FromString(payload)
        return self._write(request.collection, request.key, None, request.metadata)

    def _write_batch(self, payload: bytes) -> bytes:
        for record in chaincode_shim_pb2.WriteBatchState.FromString(payload).rec:
            if record.type == _Record.PUT_STATE_METADATA:
                self._write(record.collection, record.key, None, record.metadata)
            elif record.type == _Record.PUT_STATE:
                self._write(record.collection, record.key, record.value)
            else:
                self._write(record.collection, record.key, None)
        return b""

    def _write(
        self,
        collection: str,
        key: str,
        value: bytes | None,
        metadata: chaincode_shim_pb2.StateMetadata | None = None,
    ) -> bytes:
        if self._reads_only:
            raise Refused(f"Transaction has already performed {self._reads_only}.")
        entry = (metadata.metakey, metadata.value) if metadata is not None else None
        name = self._collection(collection)
        self.writes.append(Write(self._namespace, name, key, value or None, entry))
        return b""

    def _range(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.GetStateByRange.FromString(payload)
        paging = chaincode_shim_pb2.QueryMetadata.FromString(request.metadata)
        collection = self._collection(request.collection)
        start = paging.bookmark or request.startKey
        found = self._state.range(self._namespace, collection, start, request.endKey)
        if collection:
            self._only_reading("queries on pvt data. Writes are not allowed")
        if not collection and (paging.pageSize > 0 or paging.bookmark):
            self._only_reading("a paginated query. Writes are not allowed")
            return self._page(found, paging.pageSize or _BATCH)
        return self._begin(self._kv(key, value) for key, value in found)

    def _only_reading(self, what: str) -> None:
        if self.writes:
            raise Refused("this query is supported only in a read-only transaction")
        self._reads_only = what

    def _page(self, found: Iterator[tuple[str, bytes]], size: int) -> bytes:
        page = list(islice(found, size))
        after, _ = next(found, ("", b""))
        metadata = chaincode_shim_pb2.QueryResponseMetadata(
            fetched_records_count=len(page), bookmark=after
        )
        response = chaincode_shim_pb2.QueryResponse(metadata=_bytes(metadata))
        for key, value in page:
            response.results.add(resultBytes=self._kv(key, value))
        return _bytes(response)

    def _kv(self, key: str, value: bytes) -> bytes:
        return _bytes(kv_query_result_pb2.KV(namespace=self._namespace, key=key, value=value))

    def _history(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.GetHistoryForKey.FromString(payload)
        modifications = []
        for past in self._state.history(self._namespace, request.key):
            when = Timestamp()
            when.FromDatetime(past.timestamp)
            modifications.append(
                kv_query_result_pb2.KeyModification(
                    tx_id=past.tx_id, value=past.value, timestamp=when, is_delete=past.is_delete
                )
            )
        return self._begin(_bytes(modification) for modification in modifications)

    def _begin(self, results: Iterable[bytes]) -> bytes:
        query = f"query-{len(self._queries)}"
        self._queries[query] = iter(list(results))
        return self._more(query)

    def _next(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.QueryStateNext.FromString(payload)
        if request.id not in self._queries:
            raise Refused("query iterator not found")
        return self._more(request.id)

    def _more(self, query: str) -> bytes:
        results = list(islice(self._queries[query], _BATCH))
        ahead = next(self._queries[query], None)
        response = chaincode_shim_pb2.QueryResponse(id=query, has_more=ahead is not None)
        for result in results:
            response.results.add(resultBytes=result)
        if ahead is not None:
            self._queries[query] = iter([ahead, *self._queries[query]])
        return _bytes(response)

    def _close(self, payload: bytes) -> bytes:
        request = chaincode_shim_pb2.QueryStateClose.FromString(payload)
        self._queries[request.id] = iter(())
        return b""

    def _rich(self, payload: bytes) -> bytes:
        raise Refused("ExecuteQuery not supported for the memory ledger")

    def _invoke(self, payload: bytes) -> bytes:
        spec = chaincode_pb2.ChaincodeSpec.FromString(payload)
        name, _, channel = spec.chaincode_id.name.partition("/")
        if channel and channel != self._proposal.channel_id:
            raise Refused(f"channel {channel} is not on this ledger")
        if name not in self._deployments:
            raise Refused(f"chaincode {name} not found")
        if name in self._running:
            raise Refused(f"chaincode {name} is already part of this transaction")
        return _bytes(self._execute(name, spec.input.args))


_ANSWERS: dict[int, Callable[[Simulation, bytes], bytes]] = {
    ChaincodeMessage.GET_STATE: Simulation._get_state,
    ChaincodeMessage.GET_STATE_MULTIPLE: Simulation._get_multiple,
    ChaincodeMessage.GET_PRIVATE_DATA_HASH: Simulation._get_hash,
    ChaincodeMessage.GET_STATE_METADATA: Simulation._get_metadata,
    ChaincodeMessage.PUT_STATE: Simulation._put,
    ChaincodeMessage.DEL_STATE: Simulation._delete,
    ChaincodeMessage.PURGE_PRIVATE_DATA: Simulation._delete,
    ChaincodeMessage.PUT_STATE_METADATA: Simulation._put_metadata,
    ChaincodeMessage.WRITE_BATCH_STATE: Simulation._write_batch,
    ChaincodeMessage.GET_STATE_BY_RANGE: Simulation._range,
    ChaincodeMessage.GET_HISTORY_FOR_KEY: Simulation._history,
    ChaincodeMessage.GET_QUERY_RESULT: Simulation._rich,
    ChaincodeMessage.QUERY_STATE_NEXT: Simulation._next,
    ChaincodeMessage.QUERY_STATE_CLOSE: Simulation._close,
    ChaincodeMessage.INVOKE_CHAINCODE: Simulation._invoke,
}


def _bytes(message: Message) -> bytes:
    return message.SerializeToString()

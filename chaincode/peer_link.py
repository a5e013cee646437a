"""One transaction's line to the peer: a request, its answer (Fabric: shim/handler.go).

The line is a function that sends a ChaincodeMessage and waits for the answer.  Within the
peer's process it is a call, in a chaincode service it goes over the stream; nothing above
this module can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from gridloom.common.wire import parse
from gridloom.protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from .errors import ERROR_THRESHOLD, ChaincodeError, PeerError

ChaincodeMessage = chaincode_shim_pb2.ChaincodeMessage

Exchange = Callable[[chaincode_shim_pb2.ChaincodeMessage], chaincode_shim_pb2.ChaincodeMessage]
"""Sends a request of a running transaction and returns the peer's RESPONSE or ERROR."""

_OK = 200
_ERROR = 500
_DEFAULT_BATCH = 100


@dataclass(frozen=True, slots=True)
class PeerParameters:
    """What the peer allows beyond one request at a time, and who it is.

    The first four come with READY (ChaincodeAdditionalParams, Fabric 3.1): a size is the
    largest number of records in one message.  msp_id is the peer's organisation; empty means
    that CORE_PEER_LOCALMSPID says it.
    """

    use_write_batch: bool = False
    max_size_write_batch: int = _DEFAULT_BATCH
    use_get_multiple_keys: bool = False
    max_size_get_multiple_keys: int = _DEFAULT_BATCH
    msp_id: str = ""

    @classmethod
    def from_ready(cls, payload: bytes, msp_id: str = "") -> PeerParameters:
        """Read the payload of READY; an empty one allows nothing.  MalformedMessage."""
        params = parse(chaincode_pb2.ChaincodeAdditionalParams, payload, "READY")
        return cls(
            use_write_batch=params.use_write_batch,
            max_size_write_batch=params.max_size_write_batch or _DEFAULT_BATCH,
            use_get_multiple_keys=params.use_get_multiple_keys,
            max_size_get_multiple_keys=params.max_size_get_multiple_keys or _DEFAULT_BATCH,
            msp_id=msp_id,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """What another chaincode answered: 200 is success, 400 and above failure."""

    status: int
    message: str = ""
    payload: bytes = b""

    def unwrap(self) -> bytes:
        """Return the payload; ChaincodeError with its message and status if it failed."""
        if self.status >= ERROR_THRESHOLD:
            raise ChaincodeError(self.message, status=self.status)
        return self.payload


class PeerLink:
    """The line of the transaction (channel_id, tx_id)."""

    __slots__ = ("_exchange", "channel_id", "parameters", "tx_id")

    def __init__(
        self, exchange: Exchange, channel_id: str, tx_id: str, parameters: PeerParameters
    ) -> None:
        self._exchange = exchange
        self.channel_id = channel_id
        self.tx_id = tx_id
        self.parameters = parameters

    def ask(
        self, type_: chaincode_shim_pb2.ChaincodeMessage.Type.ValueType, request: Message
    ) -> bytes:
        """Send a request and return the answer's payload; PeerError if the peer refuses."""
        answer = self._exchange(
            ChaincodeMessage(
                type=type_,
                payload=request.SerializeToString(),
                txid=self.tx_id,
                channel_id=self.channel_id,
            )
        )
        if answer.type == ChaincodeMessage.RESPONSE:
            return answer.payload
        name = ChaincodeMessage.Type.Name(type_)
        if answer.type == ChaincodeMessage.ERROR:
            raise PeerError(name, answer.payload.decode(errors="replace"))
        raise PeerError(name, f"the peer answered {name} with message type {answer.type}")

    def get_state(self, collection: str, key: str) -> bytes:
        """Return the value of a key, empty if there is none; collection empty means public."""
        return self.ask(
            ChaincodeMessage.GET_STATE,
            chaincode_shim_pb2.GetState(key=key, collection=collection),
        )

    def get_multiple(self, collection: str, keys: Sequence[str]) -> list[bytes]:
        """Return the values of several keys, in as few messages as the peer allows."""
        if not self.parameters.use_get_multiple_keys:
            return [self.get_state(collection, key) for key in keys]
        values: list[bytes] = []
        for batch in batches(keys, self.parameters.max_size_get_multiple_keys):
            request = chaincode_shim_pb2.GetStateMultiple(keys=batch, collection=collection)
            payload = self.ask(ChaincodeMessage.GET_STATE_MULTIPLE, request)
            result = parse(chaincode_shim_pb2.GetStateMultipleResult, payload)
            if len(result.values) != len(batch):
                reason = f"{len(result.values)} values for {len(batch)} keys"
                raise PeerError("GET_STATE_MULTIPLE", reason)
            values.extend(result.values)
        return values

    def get_metadata(self, collection: str, key: str) -> dict[str, bytes]:
        """Return the metadata entries of a key."""
        request = chaincode_shim_pb2.GetStateMetadata(key=key, collection=collection)
        payload = self.ask(ChaincodeMessage.GET_STATE_METADATA, request)
        result = parse(chaincode_shim_pb2.StateMetadataResult, payload)
        return {entry.metakey: entry.value for entry in result.entries}

    def query(
        self, type_: chaincode_shim_pb2.ChaincodeMessage.Type.ValueType, request: Message
    ) -> chaincode_shim_pb2.QueryResponse:
        """Send a request that is answered by a QueryResponse."""
        return parse(chaincode_shim_pb2.QueryResponse, self.ask(type_, request))

    def invoke(self, name: str, args: Sequence[bytes]) -> Response:
        """Call another chaincode (``name`` or ``name/channel``); failures are responses too."""
        spec = chaincode_pb2.ChaincodeSpec(
            chaincode_id=chaincode_pb2.ChaincodeID(name=name),
            input=chaincode_pb2.ChaincodeInput(args=args),
        )
        try:
            payload = self.ask(ChaincodeMessage.INVOKE_CHAINCODE, spec)
        except PeerError as error:
            return Response(_ERROR, error.message)
        answer = parse(ChaincodeMessage, payload, "answer of INVOKE_CHAINCODE")
        if answer.type != ChaincodeMessage.COMPLETED:
            return Response(_ERROR, answer.payload.decode(errors="replace"))
        response = parse(proposal_response_pb2.Response, answer.payload)
        return Response(response.status, response.message, response.payload)


def batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """Cut ``items`` into runs of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]

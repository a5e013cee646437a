"""A chaincode: its contracts, and the one way a transaction enters it.

``handle_transaction`` is all there is between a peer and Python contracts.  The peer's
process calls it directly, ``handler`` calls it from the stream.
(Fabric: contractapi.ContractChaincode, shim/handler.go's handleTransaction)
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.peer import chaincode_pb2, chaincode_shim_pb2, proposal_response_pb2

from .contract import Contract
from .errors import ChaincodeError, ContractError, ResultError, UnknownFunction
from .metadata import SystemContract, describe
from .peer_link import ChaincodeMessage, Exchange, PeerLink, PeerParameters
from .serialization import Mismatch
from .stub import ChaincodeStub
from .type_hints import converter

log = logging.getLogger(__name__)

_OK = 200
_ERROR = 500
_INITIATED = b"Default initiator successful."
_HERE = str(Path(__file__).parent)


class Chaincode:
    """Contracts served together.

    contracts: the first one is the default, whose functions need no ``contract:`` prefix.
    development: put the traceback of an unexpected exception into the answer.
    parameters: of the peer whose process this is (its MSP id, batches); a stream brings its own.
    title, version: for the metadata.  ContractError if two contracts share a name.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        *,
        development: bool = False,
        parameters: PeerParameters | None = None,
        title: str = "",
        version: str = "",
    ) -> None:
        if not contracts:
            raise ContractError("Chaincode", "at least one contract is needed")
        system = SystemContract()
        self.contracts: dict[str, Contract] = {}
        for contract in (*contracts, system):
            if contract.name in self.contracts:
                raise ContractError("Chaincode", f"two contracts are named {contract.name}")
            self.contracts[contract.name] = contract
        self.default = contracts[0].name
        self.development = development
        self.parameters = parameters or PeerParameters()
        system.metadata = describe(list(self.contracts.values()), self.default, title, version)

    def handle_transaction(
        self,
        message: chaincode_shim_pb2.ChaincodeMessage,
        exchange: Exchange,
        parameters: PeerParameters | None = None,
    ) -> chaincode_shim_pb2.ChaincodeMessage:
        """Run a TRANSACTION or INIT and return COMPLETED, or ERROR if it could not be run.

        exchange answers the transaction's requests, one at a time; parameters is what the
        peer's READY allowed, those of the object if None.  A failed transaction is COMPLETED
        with a status of 400 or more.
        """
        try:
            input_ = parse(chaincode_pb2.ChaincodeInput, message.payload, "chaincode input")
        except GridloomError as error:
            return _answer(message, ChaincodeMessage.ERROR, str(error).encode())
        link = PeerLink(exchange, message.channel_id, message.txid, parameters or self.parameters)
        proposal = message.proposal if message.HasField("proposal") else None
        stub = ChaincodeStub(link, input_, proposal)
        response = self._respond(stub, message.type == ChaincodeMessage.INIT)
        try:
            stub.finish_write_batch()
        except ChaincodeError as error:
            return _answer(message, ChaincodeMessage.ERROR, f"failed send batch: {error}".encode())
        answer = _answer(message, ChaincodeMessage.COMPLETED, response.SerializeToString())
        if stub.chaincode_event is not None:
            answer.chaincode_event.CopyFrom(stub.chaincode_event)
        return answer

    def _respond(self, stub: ChaincodeStub, init: bool) -> proposal_response_pb2.Response:
        try:
            return proposal_response_pb2.Response(status=_OK, payload=self._invoke(stub, init))
        except ChaincodeError as error:
            return proposal_response_pb2.Response(
                status=error.status, message=_encodable(error.message)
            )
        except (Exception, SystemExit) as error:
            # Whatever the author's code raised fails this transaction, never the peer.
            text = self._unexpected(stub, error)
            return proposal_response_pb2.Response(status=_ERROR, message=_encodable(text))

    def _invoke(self, stub: ChaincodeStub, init: bool) -> bytes:
        arguments = stub.get_args()
        if not arguments and init:
            return _INITIATED
        called = arguments[0].decode(errors="replace") if arguments else ""
        prefix, _, name = called.rpartition(":")
        contract = self.contracts.get(prefix or self.default)
        if contract is None:
            raise UnknownFunction(called)
        context = contract.create_context(stub)
        function = contract.functions.get(name)
        if function is None:
            return _free_result(called, contract.unknown_transaction(context))
        values = function.convert_arguments(arguments[1:])
        contract.before_transaction(context)
        result = function.call(contract, context, *values)
        contract.after_transaction(context, result)
        return function.convert_result(result)

    def _unexpected(self, stub: ChaincodeStub, error: BaseException) -> str:
        own = _author_frames(error.__traceback__)
        text = str(error)
        if not text or isinstance(error, LookupError | SystemExit):
            text = f"{type(error).__name__}: {text}" if text else type(error).__name__
        frames = traceback.extract_tb(own)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown place"
        # The message may quote private data, so the log has only its kind and place.
        log.error(
            "[%s] %s: %s at %s",
            stub.get_tx_id()[:8],
            stub.get_function_and_parameters()[0],
            type(error).__name__,
            place,
        )
        if not self.development:
            return text
        report = traceback.TracebackException(type(error), error, own)
        return f"{text}\n{''.join(report.format())}".rstrip()


_FREE = converter(object)


def _free_result(function: str, result: object) -> bytes:
    try:
        payload: bytes = _FREE.to_argument(result)
    except Mismatch as mismatch:
        raise ResultError(function, mismatch.sentence("the returned value")) from None
    return payload


def _answer(
    message: chaincode_shim_pb2.ChaincodeMessage,
    type_: chaincode_shim_pb2.ChaincodeMessage.Type.ValueType,
    payload: bytes,
) -> chaincode_shim_pb2.ChaincodeMessage:
    return ChaincodeMessage(
        type=type_, payload=payload, txid=message.txid, channel_id=message.channel_id
    )


def _author_frames(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the first frame outside this package on, if there is one."""
    own = trace
    while own is not None and own.tb_frame.f_code.co_filename.startswith(_HERE):
        own = own.tb_next
    return own or trace


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()

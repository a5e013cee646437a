"""One transaction of one chaincode: answers the chaincode's requests from the simulator.

Every request of the shim protocol gets one RESPONSE, or an ERROR with the text
"GET_STATE failed: transaction ID: …: reason".  (Fabric: core/chaincode/handler.go)
"""

from __future__ import annotations

import logging

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from ..ledger.simulator import TxSimulator
from .chaincode_calls import CALLS
from .errors import ShimRequestRefused
from .invocation import CalleeDirectory, Invocation, Scope
from .private_access import CollectionAccess
from .query_results import OpenQueries
from .resources import ChannelResources
from .state_reads import READS
from .state_writes import WRITES

_ANSWERS = {**READS, **WRITES, **CALLS}

REQUEST_TYPES = frozenset(_ANSWERS)
"""Messages a running chaincode may send besides COMPLETED, ERROR and KEEPALIVE."""

log = logging.getLogger(__name__)


class TransactionSession:
    """Serves one execution; close() it when the execution has ended, however it ended.

    query_limit: most results one query may return (Fabric: ledger.state.totalQueryLimit).
    """

    def __init__(
        self,
        invocation: Invocation,
        simulator: TxSimulator,
        channel: ChannelResources,
        callees: CalleeDirectory,
        query_limit: int,
        *,
        is_init: bool = False,
    ) -> None:
        access = CollectionAccess(
            channel.bundle,
            channel.definitions,
            simulator,
            invocation.name,
            invocation.signed_proposal,
        )
        self._queries = OpenQueries(query_limit)
        self._scope = Scope(invocation, simulator, channel, callees, access, self._queries, is_init)

    def handle(self, message: ChaincodeMessage) -> ChaincodeMessage:
        """Answer one request with RESPONSE or ERROR; never raises for what was asked."""
        try:
            answer = _ANSWERS.get(message.type)
            if answer is None:
                raise ShimRequestRefused("cannot handle message while in ready state")
            payload = answer(self._scope, message.payload)
        except MalformedMessage as error:
            return self._refuse(message, f"unmarshal failed: {error.reason}")
        except GridloomError as error:
            return self._refuse(message, str(error))
        except Exception:
            log.exception("request of transaction %s", self._scope.invocation.tx_id)
            return self._refuse(message, "panic during execution")
        return self._reply(ChaincodeMessage.RESPONSE, payload)

    def close(self) -> None:
        """Close the iterators the chaincode left open."""
        self._queries.close_all()

    def _reply(self, kind: ChaincodeMessage.Type.ValueType, payload: bytes) -> ChaincodeMessage:
        call = self._scope.invocation
        return ChaincodeMessage(
            type=kind, payload=payload, txid=call.tx_id, channel_id=call.channel_id
        )

    def _refuse(self, request: ChaincodeMessage, reason: str) -> ChaincodeMessage:
        text = request_failed(request.type, self._scope.invocation.tx_id, reason)
        return self._reply(ChaincodeMessage.ERROR, text.encode())


def request_failed(kind: int, tx_id: str, reason: str) -> str:
    """The text of an ERROR that answers a request of type ``kind``."""
    names = ChaincodeMessage.Type.DESCRIPTOR.values_by_number
    name = names[kind].name if kind in names else str(kind)
    return f"{name} failed: transaction ID: {tx_id}: {reason}"

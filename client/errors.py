"""What can go wrong with a transaction, by the step that failed.

::

    GatewayError            a call to the gateway failed: code, message, details
    ├── EndorseError        the proposal was not endorsed
    ├── SubmitError         the transaction was not accepted for ordering
    └── CommitStatusError   its fate could not be learnt
    CommitError             it was ordered, and every peer found it invalid
    OfflineError            something must be signed, and no signer was given

(hyperledger/fabric-gateway: node/src/gatewayerror.ts and its neighbours.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail
from gridloom.protos.peer.transaction_pb2 import TxValidationCode


@dataclass(frozen=True, slots=True)
class Detail:
    """What one node said: its address, the MSP id of its organisation, and the message."""

    address: str
    msp_id: str
    message: str


class GatewayError(GridloomError):
    """A call to the gateway that ended with a status other than OK.

    code: gRPC's; message: the status text; details: what single nodes reported;
    transaction_id: empty where the call was about no transaction.
    """

    def __init__(
        self, code: Code, message: str, details: Iterable[Detail] = (), transaction_id: str = ""
    ) -> None:
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.transaction_id = transaction_id
        lines = [f"{code.name}: {message}"]
        lines += [f"  - {d.address} ({d.msp_id}): {d.message}" for d in self.details]
        super().__init__("\n".join(lines))


class EndorseError(GatewayError):
    """The proposal was not endorsed as the chaincode's policy demands."""


class SubmitError(GatewayError):
    """The endorsed transaction was not accepted for ordering."""


class CommitStatusError(GatewayError):
    """The commit status of a submitted transaction could not be had."""


class CommitError(GridloomError):
    """A transaction that was ordered and then found invalid.

    code: the TxValidationCode; status_name: its name, such as MVCC_READ_CONFLICT.
    """

    def __init__(self, transaction_id: str, code: int) -> None:
        self.transaction_id = transaction_id
        self.code = code
        self.status_name = code_name(code)
        super().__init__(
            f"transaction {transaction_id} failed to commit with status code {code} "
            f"({self.status_name})"
        )


class OfflineError(GridloomError):
    """Something has to be signed, but the gateway was connected without a signer."""

    def __init__(self) -> None:
        super().__init__(
            "no signer: pass one to Gateway, or sign the digest elsewhere and use new_signed_..."
        )


def code_name(code: int) -> str:
    """Return the name of a TxValidationCode, or the number for one that has none."""
    try:
        return TxValidationCode.Name(TxValidationCode.ValueType(code))
    except ValueError:
        return str(code)


def gateway_error(
    error: RpcError, kind: type[GatewayError] = GatewayError, transaction_id: str = ""
) -> GatewayError:
    """Return the SDK's form of a failed call."""
    return kind(error.code, error.message, _details(error.details), transaction_id)


def _details(messages: Iterable[Message]) -> Iterable[Detail]:
    for message in messages:
        detail = ErrorDetail()
        if isinstance(message, Any):
            try:
                if not message.Unpack(detail):
                    continue  # a kind of detail that gateways do not send: not ours to show
            except DecodeError:
                continue
        elif isinstance(message, ErrorDetail):
            detail = message
        else:
            continue
        yield Detail(detail.address, detail.msp_id, detail.message)

"""Errors: what they hold, and how they read."""

import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.timestamp_pb2 import Timestamp

from gridloom.client import CommitError, EndorseError, GatewayError
from gridloom.client.errors import code_name, gateway_error
from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail

DETAIL = ErrorDetail(address="peer0:7051", msp_id="Org1MSP", message="no")


def packed(message):
    result = Any()
    result.Pack(message)
    return result


@pytest.mark.parametrize("detail", [DETAIL, packed(DETAIL)], ids=["in process", "over gRPC"])
def test_a_failed_call_keeps_code_message_details_and_transaction(detail):
    error = gateway_error(RpcError(Code.ABORTED, "failed", [detail]), EndorseError, "tx")
    assert isinstance(error, EndorseError)
    assert (error.code, error.message, error.transaction_id) == (Code.ABORTED, "failed", "tx")
    (told,) = error.details
    assert (told.address, told.msp_id, told.message) == ("peer0:7051", "Org1MSP", "no")
    assert str(error) == "ABORTED: failed\n  - peer0:7051 (Org1MSP): no"


@pytest.mark.parametrize(
    "detail",
    [Timestamp(), packed(Timestamp()), Any(type_url=packed(DETAIL).type_url, value=b"\xff")],
)
def test_details_of_another_kind_are_left_out(detail):
    assert gateway_error(RpcError(Code.ABORTED, "failed", [detail])).details == ()


def test_a_commit_error_names_its_code():
    error = CommitError("tx", 11)
    assert (error.code, error.status_name) == (11, "MVCC_READ_CONFLICT")
    assert str(error) == (
        "transaction tx failed to commit with status code 11 (MVCC_READ_CONFLICT)"
    )
    assert code_name(200) == "200"


def test_all_are_gridlooms():
    assert issubclass(EndorseError, GatewayError)
    assert issubclass(GatewayError, GridloomError)
    assert issubclass(CommitError, GridloomError)

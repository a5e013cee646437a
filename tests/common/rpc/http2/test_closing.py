"""How a call ended travels in trailers, whatever its message holds."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.http2.closing import SUCCESS, Said, failure, read_said
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail


def said(block: bytes) -> Said:
    return read_said([(name, value) for name, value in hpack.Decoder().decode(block, raw=True)])


@given(st.sampled_from([code for code in Code if code]), st.text(max_size=50))
def test_a_failure_keeps_its_code_and_message(code: Code, message: str) -> None:
    read = said(failure(RpcError(code, message), first=False))
    assert read.error is not None
    assert (read.error.code, read.error.message) == (code, message)
    assert read.http is None


def test_details_travel_along() -> None:
    error = RpcError(Code.ABORTED, "no", [ErrorDetail(msp_id="Org1MSP")])
    read = said(failure(error, first=True))
    assert (read.http, read.grpc) == (200, True)
    detail = ErrorDetail()
    (packed,) = read.details
    assert packed.Unpack(detail)  # type: ignore[attr-defined]  # it is an Any
    assert detail.msp_id == "Org1MSP"


@pytest.mark.parametrize("message", ["x" * 30_000, "é" * 8_000, "%" * 9_000])
def test_what_a_client_does_not_take_goes_without_details_and_is_cut(message: str) -> None:
    error = RpcError(Code.ABORTED, message, [ErrorDetail(message=message)])
    trailers = failure(error, first=True, largest=16_384)
    fields = hpack.Decoder().decode(trailers, raw=True)
    assert sum(len(name) + len(value) + 32 for name, value in fields) <= 16_384
    read = said(trailers).error
    assert read is not None
    assert read.message.endswith(" ...")
    assert message.startswith(read.message.removesuffix(" ...").rstrip("\ufffd"))
    assert not read.details
    assert len(trailers) > 16_000


def test_success_is_no_error() -> None:
    assert said(SUCCESS).error is None


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([(b":status", b"404")], Code.UNIMPLEMENTED),
        ([(b":status", b"503")], Code.UNAVAILABLE),
        ([(b":status", b"418")], Code.UNKNOWN),
        ([(b":status", b"nonsense")], Code.UNKNOWN),
        ([(b"grpc-status", b"99")], Code.UNKNOWN),
        ([(b"grpc-status", b"five")], Code.UNKNOWN),
        ([(b"grpc-status", b"5"), (b"grpc-status-details-bin", b"!")], Code.NOT_FOUND),
    ],
)
def test_what_servers_and_proxies_say_instead(
    fields: list[tuple[bytes, bytes]], code: Code
) -> None:
    error = read_said(fields).error
    assert error is not None
    assert error.code is code

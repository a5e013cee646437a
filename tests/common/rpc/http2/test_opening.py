"""What the header block of a request opens, refuses, or breaks."""

import hpack
import pytest

from gridloom.common.rpc.http2.opening import Opening, opening_block, read_opening

GOOD = {
    b":method": b"POST",
    b":scheme": b"https",
    b":path": b"/gateway.Gateway/Evaluate",
    b":authority": b"peer0:7051",
    b"te": b"trailers",
    b"content-type": b"application/grpc",
}


def opened(**changes: bytes | None) -> Opening:
    """Read the good request with some fields changed; None takes one out, _ stands for -."""
    names = {name.replace("_", "-").replace("pseudo-", ":"): v for name, v in changes.items()}
    said = {**GOOD, **{name.encode(): value for name, value in names.items()}}
    return read_opening([(name, value) for name, value in said.items() if value is not None])


def test_a_call_is_opened() -> None:
    assert opened() == Opening(path="/gateway.Gateway/Evaluate")
    assert opened(grpc_encoding=b"gzip").encoding == b"gzip"
    assert opened(content_type=b"application/grpc+proto").path


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(b"2H", 7200), (b"3M", 180), (b"4S", 4), (b"5m", 0.005), (b"6u", 6e-6), (b"7n", 7e-9)],
)
def test_timeouts_have_units(said: bytes, seconds: float) -> None:
    assert opened(grpc_timeout=said).timeout == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0.0001, 0.05, 30.0, 99_999.0, 3e6])
def test_what_we_ask_for_is_what_is_understood(seconds: float) -> None:
    sent = hpack.Decoder().decode(opening_block("/a/b", "peer0", "https", seconds), raw=True)
    said = read_opening([(name, value) for name, value in sent])
    assert said.path == "/a/b"
    assert said.timeout == pytest.approx(seconds, rel=0.001, abs=0.001)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"pseudo_method": b"GET"}, 405),
        ({"content_type": b"text/html"}, 415),
        ({"content_type": b"application/grpcx"}, 415),
        ({"content_type": None}, 415),
    ],
)
def test_what_is_not_grpc_gets_an_http_status(
    changes: dict[str, bytes | None], status: int
) -> None:
    assert opened(**changes).refusal == status


@pytest.mark.parametrize(
    "changes",
    [
        {"pseudo_path": None},
        {"pseudo_path": b""},
        {"pseudo_method": None},
        {"pseudo_status": b"200"},
        {"connection": b"close"},
        {"te": b"gzip"},
        {"Upper": b"case"},
        {"grpc_timeout": b"5"},
        {"grpc_timeout": b"999999999S"},
        {"grpc_timeout": b"-1S"},
    ],
)
def test_what_http2_forbids_is_malformed(changes: dict[str, bytes | None]) -> None:
    assert opened(**changes).malformed


def test_pseudo_headers_come_first_and_once() -> None:
    fields = list(GOOD.items())
    assert read_opening(fields[1:] + fields[:1]).malformed
    assert read_opening(fields[:1] + fields).malformed


def test_a_block_without_pseudo_headers_is_trailers() -> None:
    assert read_opening([(b"a", b"b")]).trailing

"""PEM as Go reads it: tolerant around a block, strict inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridloom.common import pem

BLOCK = b"-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n"


@given(st.binary(max_size=300))
def test_what_is_written_is_read_back(contents):
    text = pem.encode(pem.CERTIFICATE, contents)
    assert pem.decode(text) == pem.Block(pem.CERTIFICATE, contents, b"")
    assert text.endswith(b"-----END CERTIFICATE-----\n")
    assert max(map(len, text.splitlines())) <= 64


@pytest.mark.parametrize(
    ("text", "contents", "trailing"),
    [
        (b"Bag Attributes\n  name: x\n" + BLOCK, b"\1\2\3", b""),
        (BLOCK.replace(b"\n", b"\r\n"), b"\1\2\3", b""),
        (BLOCK[:-1], b"\1\2\3", b""),
        (BLOCK + BLOCK, b"\1\2\3", BLOCK),
        (BLOCK.replace(b"AQID", b"AQ\nID"), b"\1\2\3", b""),
        (BLOCK.replace(b"AQID", b"A Q\tI D"), b"\1\2\3", b""),
        (BLOCK.replace(b"AQID", b"Proc-Type: 4\nDEK-Info: none\n\nAQID"), b"\1\2\3", b""),
        (BLOCK.replace(b"AQID", b"A!ID") + BLOCK, b"\1\2\3", b""),
    ],
    ids=["preamble", "crlf", "no newline", "two", "wrapped", "spaces", "headers", "bad first"],
)
def test_a_block_is_found_among_other_things(text, contents, trailing):
    found = pem.decode(text)
    assert found is not None
    assert (found.contents, found.trailing) == (contents, trailing)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"AQID",
        BLOCK.replace(b"END CERTIFICATE", b"END KEY"),
        BLOCK.replace(b"AQID", b"AQI"),
        BLOCK[:30],
        b"x" + BLOCK,
    ],
)
def test_what_is_no_block_is_none(text):
    assert pem.decode(text) is None


@given(st.binary(max_size=200))
def test_garbage_is_none_and_nothing_worse(data):
    assert pem.decode(b"-----BEGIN X-----\n" + data) is None or b"-----END X-----" in data

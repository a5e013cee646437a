"""common/poca: what a channel under proof of credit says, read back and refused when wrong."""

import json
from decimal import Decimal

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.common.poca import (
    BlockProof,
    CreditedConsenter,
    PocaConfig,
    read_config,
    read_proof,
    write_config,
    write_proof,
)
from gridloom.common.proof_of_credit import Difficulty

CONFIG = PocaConfig(
    (
        CreditedConsenter(b"one", Decimal("97.5"), "localhost:1"),
        CreditedConsenter(b"two", Decimal(100), "localhost:2"),
    ),
    Difficulty(10, Decimal(100), Decimal(10)),
)

ONE = {"identity": "QQ==", "credit": "1", "endpoint": "localhost:1"}


def test_a_configuration_and_a_proof_are_read_as_they_were_written():
    assert read_config(write_config(CONFIG)) == CONFIG
    proof = BlockProof(1, 2**64 - 1, b"signature")
    assert read_proof(write_proof(proof)) == proof
    assert (CONFIG.number_of(b"two"), CONFIG.number_of(b"three")) == (1, None)
    assert CONFIG.target_of(0) < CONFIG.target_of(1) == 2**246


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bits": -1}, "bits is no whole number"),
        ({"bits": True}, "bits is no whole number"),
        ({"bits": 41}, "bits is no whole number from 0 to 40"),
        ({"temperature": "0"}, "temperature is not above zero"),
        ({"temperature": "-1"}, "temperature is no decimal number"),
        ({"temperature": 10}, "temperature is no decimal number"),
        ({"reference": "1e9"}, "reference is no decimal number"),
        ({"consenters": []}, "there are no consenters"),
        ({"consenters": ["x"]}, "a consenter is not an object"),
        ({"consenters": [{"identity": "QQ==", "credit": "101"}]}, "credit 101 is above"),
        ({"consenters": [{**ONE, "identity": "?"}]}, "identity is no base64"),
        ({"consenters": [{**ONE, "endpoint": 7}]}, "endpoint is no text"),
        ({"consenters": [ONE] * 2}, "a consenter is there twice"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(change, says):
    fields = json.loads(write_config(CONFIG)) | change
    with pytest.raises(MalformedMessage, match=says):
        read_config(json.dumps(fields).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_configuration_or_proof_are_refused(data):
    for read in (read_config, read_proof):
        with pytest.raises(MalformedMessage, match="is no JSON"):
            read(data)
    with pytest.raises(MalformedMessage, match="nonce is no whole number"):
        read_proof(b'{"consenter":0,"nonce":18446744073709551616,"signature":""}')

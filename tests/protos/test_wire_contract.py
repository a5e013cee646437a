"""The bindings describe exactly Fabric's wire: same descriptors, byte for byte."""

import hashlib
import importlib
import json

import pytest
from harness.shared import shared

WIRE = json.loads(shared("protocol", "wire.json").read_text())


def test_the_contract_has_41_files() -> None:
    assert len(WIRE) == 41


@pytest.mark.parametrize("proto", sorted(WIRE))
def test_a_module_has_the_contracts_descriptor(proto: str) -> None:
    name = proto.removesuffix(".proto").replace("/", ".")
    module = importlib.import_module(f"gridloom.protos.{name}_pb2")
    digest = hashlib.sha256(module.DESCRIPTOR.serialized_pb).hexdigest()
    assert digest == WIRE[proto]["sha256_of_descriptor"]

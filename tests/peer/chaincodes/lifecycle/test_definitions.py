"""Definitions and approvals against the transactions of a real network."""

import hashlib

import pytest

from gridloom.peer.chaincodes.lifecycle.collections import (
    implicit_collection,
    implicit_collection_org,
)
from gridloom.peer.chaincodes.lifecycle.definitions import (
    NAMESPACES,
    SOURCES,
    ChaincodeDefinition,
    ChaincodeDefinitions,
    LifecycleStateError,
    local_package,
    private_name,
    read_definition,
)
from gridloom.peer.chaincodes.lifecycle.serializer import Record, serialize
from gridloom.protos.peer.lifecycle.lifecycle_pb2 import ApproveChaincodeDefinitionForMyOrgArgs
from gridloom.protos.peer.policy_pb2 import ApplicationPolicy
from harness.golden_transactions import golden_transaction
from harness.lifecycle_state import DictState

DEFAULT_POLICY = ApplicationPolicy(
    channel_config_policy_reference="/Channel/Application/Endorsement"
).SerializeToString()
APPROVALS = [(1, "Org1MSP"), (2, "Org2MSP"), (4, "Org1MSP"), (5, "Org2MSP"), (51, "Org1MSP")]


def approved(number: int) -> tuple[str, ChaincodeDefinition, str]:
    args = ApproveChaincodeDefinitionForMyOrgArgs.FromString(golden_transaction(number).args[1])
    definition = ChaincodeDefinition(
        sequence=args.sequence,
        version=args.version,
        init_required=args.init_required,
        endorsement_plugin=args.endorsement_plugin or "escc",
        validation_plugin=args.validation_plugin or "vscc",
        validation_parameter=args.validation_parameter or DEFAULT_POLICY,
        collections=args.collections.SerializeToString(),
    )
    return args.name, definition, args.source.local_package.package_id


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@pytest.mark.parametrize(("number", "org"), APPROVALS)
def test_an_approval_hashes_to_what_fabric_wrote(number: int, org: str) -> None:
    name, definition, package_id = approved(number)
    state = DictState()
    record = private_name(name, definition.sequence)
    serialize(NAMESPACES, record, definition.as_parameters(), state)
    serialize(SOURCES, record, local_package(package_id), state)
    written = {sha256(key.encode()): sha256(value or b"") for key, value in state.writes.items()}
    golden = golden_transaction(number).hashed("_lifecycle", implicit_collection(org))
    assert written == {write.key_hash: write.value_hash for write in golden.hashed_writes}
    assert len(written) == 6


@pytest.mark.parametrize(("approval", "commit"), [(1, 3), (4, 6)])
def test_a_first_definition_is_written_as_fabric_wrote_it(approval: int, commit: int) -> None:
    name, definition, _ = approved(approval)
    state = DictState()
    serialize(NAMESPACES, name, definition.as_record(), state)
    golden = golden_transaction(commit).public("_lifecycle")
    assert state.writes == {write.key: write.value for write in golden.writes}


def test_a_redefinition_writes_only_what_changed_as_fabric_did() -> None:
    name, first, _ = approved(1)
    state = DictState()
    serialize(NAMESPACES, name, first.as_record(), state)
    state = state.commit()
    serialize(NAMESPACES, name, approved(51)[1].as_record(), state)
    golden = golden_transaction(53).public("_lifecycle")
    assert state.writes == {write.key: write.value for write in golden.writes}
    assert state.reads >= {read.key for read in golden.reads}


def test_no_collections_are_stored_as_a_present_empty_value() -> None:
    record = ChaincodeDefinition(1, "1.0").as_record()
    assert record.fields["Collections"] == bytes.fromhex("1200")
    assert local_package("").fields["PackageID"] == bytes.fromhex("1a00")


def test_what_was_written_is_read_back_through_a_query() -> None:
    name, definition, _ = approved(51)
    state = DictState()
    serialize(NAMESPACES, name, definition.as_record(), state)
    state = state.commit()

    class Query:
        def get_state(self, namespace: str, key: str) -> bytes | None:
            assert namespace == "_lifecycle"
            return state.get_state(key)

    found = ChaincodeDefinitions().definition(name, Query())
    assert found == definition
    assert found.collection("collOrg1").endorsement_policy.HasField("signature_policy")
    assert found.collection("nosuch") is None
    assert ChaincodeDefinitions().definition("nosuch", Query()) is None


def test_reading_a_definition_reads_its_metadata_and_four_fields() -> None:
    name, definition, _ = approved(4)
    state = DictState()
    serialize(NAMESPACES, name, definition.as_record(), state)
    state = state.commit()
    read_definition(name, state)
    fields = {"Sequence", "EndorsementInfo", "ValidationInfo", "Collections"}
    assert state.reads == {"namespaces/metadata/second"} | {
        f"namespaces/fields/second/{field}" for field in fields
    }


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"namespaces/metadata/x": b"\xff"}, "could not unmarshal metadata"),
        ({"namespaces/metadata/x": Record("Other", {}).metadata}, "not a chaincode type: Other"),
        (
            {
                "namespaces/metadata/x": Record("ChaincodeDefinition", {}).metadata,
                "namespaces/fields/x/Sequence": bytes.fromhex("1200"),
            },
            "to encode a value of type Int64, but was Bytes",
        ),
        (
            {
                "namespaces/metadata/x": Record("ChaincodeDefinition", {}).metadata,
                "namespaces/fields/x/EndorsementInfo": bytes.fromhex("1201ff"),
            },
            "could not unmarshal key namespaces/fields/x",
        ),
    ],
)
def test_state_that_is_no_definition_is_named(values: dict[str, bytes], reason: str) -> None:
    with pytest.raises(LifecycleStateError, match=reason):
        read_definition("x", DictState(values))


def test_implicit_collections_are_told_by_their_prefix() -> None:
    assert implicit_collection("Org1MSP") == "_implicit_org_Org1MSP"
    assert implicit_collection_org("_implicit_org_Org1MSP") == "Org1MSP"
    assert implicit_collection_org("collBoth") is None

"""Chaincodes from before Application V2_0 keep the policy that lscc wrote."""

import pytest

from gridloom.common.policies import language
from gridloom.peer.validation.block_validator import ValidationHalted
from gridloom.peer.validation.former_lifecycle import former_definition
from gridloom.protos.peer.chaincode_pb2 import ChaincodeData
from harness.consortium import consortium
from harness.stage_a import MAJORITY, StageA
from harness.transactions import Draft, collection, namespace, rwset

ORG2 = language.parse("OR('Org2MSP.peer')")


def data(**fields: object) -> bytes:
    known = {"name": "basic", "version": "1.0", "escc": "escc", "vscc": "vscc", "policy": ORG2}
    return ChaincodeData(**{**known, **fields}).SerializeToString()


@pytest.fixture
def stage_a() -> StageA:
    return StageA(consortium().bundle())


def endorsed_by(*organizations: int, results: bytes | None = None) -> bytes:
    return Draft(
        creator=consortium().user(),
        endorsers=[consortium().peer(organization) for organization in organizations],
        results=rwset(namespace("basic", {"a": b"1"})) if results is None else results,
    ).envelope()


def test_a_chaincode_of_lscc_is_judged_by_its_own_policy(stage_a):
    stage_a.put("lscc", {"basic": data()})
    assert stage_a.codes(endorsed_by(2)) == ["VALID"]
    assert stage_a.codes(endorsed_by(1)) == ["ENDORSEMENT_POLICY_FAILURE"]


def test_a_definition_of_the_present_lifecycle_replaces_it(stage_a):
    stage_a.put("lscc", {"basic": data()})
    stage_a.define("basic", MAJORITY)
    assert stage_a.codes(endorsed_by(2)) == ["ENDORSEMENT_POLICY_FAILURE"]


def test_its_collections_follow_the_chaincodes_policy(stage_a):
    stage_a.put("lscc", {"basic": data()})
    results = rwset(namespace("basic", collections=[collection("secrets", {"k": b"v"})]))
    assert stage_a.codes(endorsed_by(2, results=results)) == ["VALID"]
    assert stage_a.codes(endorsed_by(1, results=results)) == ["ENDORSEMENT_POLICY_FAILURE"]


@pytest.mark.parametrize("missing", [{"vscc": ""}, {"policy": None}])
def test_without_plugin_or_policy_it_is_no_chaincode(stage_a, missing):
    stage_a.put("lscc", {"basic": data(**missing)})
    assert stage_a.codes(endorsed_by(2)) == ["INVALID_CHAINCODE"]


def test_something_else_in_its_place_stops_the_channel(stage_a):
    stage_a.put("lscc", {"basic": b"\xff"})
    with pytest.raises(ValidationHalted, match="chaincode basic of lscc"):
        stage_a.codes(endorsed_by(2))


def test_it_is_read_as_a_definition_of_sequence_zero():
    class State:
        def get_state(self, namespace: str, key: str) -> bytes:
            return data(version="7") if (namespace, key) == ("lscc", "basic") else b""

    definition = former_definition("basic", State())
    assert definition is not None
    assert (definition.sequence, definition.version) == (0, "7")


def test_an_auditor_is_told_of_a_halt_and_goes_on(stage_a):
    stage_a.put("lscc", {"broken": b"\xff", "basic": data()})
    halts: list[ValidationHalted] = []
    broken = Draft(creator=consortium().user(), chaincode="broken", results=rwset()).envelope()
    codes = stage_a.codes(broken, endorsed_by(2), on_halt=halts.append)
    assert codes == ["NOT_VALIDATED", "VALID"]
    assert [halt.index for halt in halts] == [0]

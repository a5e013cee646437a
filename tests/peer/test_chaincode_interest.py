"""The interest that a simulation leaves, for all kinds of reads and writes."""

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.peer.chaincode_interest import chaincode_interest
from gridloom.peer.ledger.simulator import SimulationResults
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall
from harness.stage_a import signature_policy

POLICY = signature_policy("OR('Org1MSP.peer')").signature_policy
GUARDED = {"VALIDATION_PARAMETER": POLICY.SerializeToString()}


def calls(namespaces=(), written=None, private_reads=()):
    results = SimulationResults(
        public=b"",
        private=None,
        namespaces=tuple(namespaces),
        private_reads=frozenset(private_reads),
        written=written or {},
    )
    return list(chaincode_interest(results, {"_lifecycle"}.__contains__).chaincodes)


def test_a_namespace_that_is_only_read_counts():
    assert calls(["cc", "_lifecycle"]) == [ChaincodeCall(name="cc")]


def test_the_former_lifecycle_is_a_system_chaincode_though_nobody_can_call_it():
    assert calls(["_lifecycle", "lscc"]) == []


def test_a_public_write_counts_once_however_many_keys():
    assert calls(["cc"], {("cc", ""): {"a": {}, "b": {}}}) == [ChaincodeCall(name="cc")]


def test_a_private_write_alone_asks_for_the_collection_only():
    assert calls(["cc"], {("cc", "coll"): {"a": {}}}) == [
        ChaincodeCall(name="cc", collection_names=["coll"], no_private_reads=True)
    ]


def test_a_private_read_alone_asks_for_chaincode_and_collection():
    assert calls(["cc"], private_reads=[("cc", "coll")]) == [
        ChaincodeCall(name="cc"),
        ChaincodeCall(name="cc", collection_names=["coll"]),
    ]


def test_each_collection_is_a_call_of_its_own():
    written = {("cc", "b"): {"k": {}}, ("cc", "a"): {"k": {}}, ("cc", ""): {"k": {}}}
    assert calls(["cc"], written, [("cc", "b")]) == [
        ChaincodeCall(name="cc"),
        ChaincodeCall(name="cc", collection_names=["a"], no_private_reads=True),
        ChaincodeCall(name="cc", collection_names=["b"]),
    ]


def test_guarded_keys_carry_their_policies_and_may_stand_alone():
    assert calls(["cc"], {("cc", ""): {"a": GUARDED}}) == [
        ChaincodeCall(name="cc", key_policies=[POLICY], disregard_namespace_policy=True)
    ]
    assert calls(["cc"], {("cc", ""): {"a": GUARDED, "b": {}}}) == [
        ChaincodeCall(name="cc", key_policies=[POLICY])
    ]


def test_a_guarded_private_key_puts_its_policy_on_the_public_call():
    assert calls(["cc"], {("cc", "coll"): {"a": GUARDED}}) == [
        ChaincodeCall(name="cc", key_policies=[POLICY], disregard_namespace_policy=True)
    ]


def test_a_corrupt_key_policy_is_an_error_already_here():
    with pytest.raises(MalformedMessage):
        calls(["cc"], {("cc", ""): {"a": {"VALIDATION_PARAMETER": b"\xff"}}})

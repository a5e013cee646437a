"""The golden channel's lifecycle transactions, endorsed again, give Fabric's bytes."""

import pytest

from gridloom.peer.chaincodes.lifecycle.approved import ApprovedChaincodes
from gridloom.peer.chaincodes.lifecycle.installed import InstalledPackages
from gridloom.peer.chaincodes.lifecycle.scc import LifecycleChaincode
from gridloom.peer.chaincodes.lifecycle.store import MemoryPackageStore
from gridloom.peer.ledger.provider import LedgerProvider
from gridloom.protos.peer.lifecycle import lifecycle_pb2 as pb
from harness.chaincode_peer import FakePeer, invocation
from harness.golden_transactions import golden_transaction
from harness.ledger import golden_block, replay_golden

CASES = [
    (1, "Org1MSP"),
    (2, "Org2MSP"),
    (3, "Org1MSP"),
    (3, "Org2MSP"),
    (4, "Org1MSP"),
    (5, "Org2MSP"),
    (6, "Org2MSP"),
    (51, "Org1MSP"),
    (52, "Org2MSP"),
    (53, "Org1MSP"),
]


def peer_at(height, msp_id="Org1MSP"):
    ledger = LedgerProvider("memory").create(golden_block(0))
    replay_golden(ledger, height)
    peer = FakePeer(msp_id)
    peer.add_channel("golden1", ledger)
    return peer


def lifecycle(peer):
    return LifecycleChaincode(peer, ApprovedChaincodes(InstalledPackages(MemoryPackageStore())))


def call(peer, function, request):
    simulator = peer.channels["golden1"].ledger.simulator("tx")
    try:
        argument = request if isinstance(request, bytes) else request.SerializeToString()
        name = function.encode()
        response = lifecycle(peer).invoke(
            invocation("_lifecycle", name, argument, channel_id="golden1", simulator=simulator)
        )
        return response, simulator.results()
    finally:
        simulator.done()


@pytest.mark.parametrize(("number", "msp_id"), CASES)
def test_a_step_leaves_the_read_write_set_that_fabric_recorded(number, msp_id):
    golden = golden_transaction(number)
    function, argument = golden.args
    response, results = call(peer_at(number, msp_id), function.decode(), argument)
    assert (response.status, response.message) == (200, "")
    assert response.payload == golden.action.response.payload
    assert results.public == golden.action.results


def test_a_commit_without_the_own_approval_is_refused():
    _, argument = golden_transaction(3).args
    response, _ = call(peer_at(2, "Org2MSP"), "CommitChaincodeDefinition", argument)
    assert response.status == 500
    assert response.message == (
        "failed to invoke backing implementation of 'CommitChaincodeDefinition': "
        "chaincode definition not agreed to by this org (Org2MSP)"
    )


def readiness(peer, number):
    request = pb.CheckCommitReadinessArgs.FromString(golden_transaction(number).args[1])
    response, _ = call(peer, "CheckCommitReadiness", request)
    assert response.status == 200, response.message
    return pb.CheckCommitReadinessResult.FromString(response.payload)


def test_readiness_counts_the_approvals_by_hash():
    assert dict(readiness(peer_at(2), 3).approvals) == {"Org1MSP": True, "Org2MSP": False}
    assert dict(readiness(peer_at(3), 3).approvals) == {"Org1MSP": True, "Org2MSP": True}


def test_readiness_names_what_is_missing_or_different():
    missing = readiness(peer_at(2), 3)
    assert {k: list(v.items) for k, v in missing.mismatches.items()} == {
        "Org2MSP": ["ChaincodeParameters"]
    }
    peer = peer_at(3)
    request = pb.CheckCommitReadinessArgs.FromString(golden_transaction(3).args[1])
    request.version = "1.0.1"
    request.ClearField("collections")
    response, _ = call(peer, "CheckCommitReadiness", request)
    result = pb.CheckCommitReadinessResult.FromString(response.payload)
    assert dict(result.approvals) == {"Org1MSP": False, "Org2MSP": False}
    assert list(result.mismatches["Org1MSP"].items) == ["EndorsementInfo", "Collections"]


def test_readiness_answers_as_the_real_peer_did():
    """golden/lifecycle/checkcommitreadiness.gold.seq3.json"""
    peer = peer_at(66)
    request = pb.CheckCommitReadinessArgs(name="gold", sequence=3, version="3.0")
    response, _ = call(peer, "CheckCommitReadiness", request)
    result = pb.CheckCommitReadinessResult.FromString(response.payload)
    assert dict(result.approvals) == {"Org1MSP": False, "Org2MSP": False}


def test_readiness_wants_the_next_sequence():
    request = pb.CheckCommitReadinessArgs(name="gold", sequence=2, version="3.0")
    response, _ = call(peer_at(66), "CheckCommitReadiness", request)
    assert response.message.endswith(
        "requested sequence is 2, but new definition must be sequence 3"
    )


def test_committed_definitions_are_answered_as_the_real_peer_did():
    """golden/lifecycle/querycommitted.gold.json and querycommitted.golden1.json"""
    peer = peer_at(66)
    response, _ = call(
        peer, "QueryChaincodeDefinition", pb.QueryChaincodeDefinitionArgs(name="gold")
    )
    one = pb.QueryChaincodeDefinitionResult.FromString(response.payload)
    assert (one.sequence, one.version, one.endorsement_plugin) == (2, "2.0", "escc")
    assert dict(one.approvals) == {"Org1MSP": True, "Org2MSP": True}
    names = [c.static_collection_config.name for c in one.collections.config]
    assert names == ["collBoth", "collOrg1"]
    response, _ = call(peer, "QueryChaincodeDefinitions", pb.QueryChaincodeDefinitionsArgs())
    every = pb.QueryChaincodeDefinitionsResult.FromString(response.payload)
    found = {d.name: (d.sequence, d.version) for d in every.chaincode_definitions}
    assert found == {"gold": (2, "2.0"), "second": (1, "1.0")}
    assert all(d.HasField("collections") for d in every.chaincode_definitions)


def test_a_name_without_definition_is_status_404():
    response, _ = call(
        peer_at(3), "QueryChaincodeDefinition", pb.QueryChaincodeDefinitionArgs(name="gold")
    )
    assert (response.status, response.message) == (404, "namespace gold is not defined")

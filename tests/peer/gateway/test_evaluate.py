"""Evaluate: one peer after the other (Fabric: evaluate_test.go)."""

from dataclasses import replace

import pytest

from gridloom.common.rpc import Call, Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import EvaluateRequest
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from harness.gateway_parts import (
    NO_DEADLINE,
    GatewayBench,
    chaincode_error,
    definition,
    peer_error,
    signed_proposal,
    success,
)
from harness.virtual_time import virtual

EXHAUSTED = "failed to evaluate transaction, see attached details for more info"


@pytest.fixture
def bench():
    bench = GatewayBench()
    bench.define(basic=definition())
    return bench


async def evaluate(bench, *organizations, call=NO_DEADLINE, **proposal):
    request = EvaluateRequest(
        proposed_transaction=signed_proposal(**proposal), target_organizations=organizations
    )
    return (await bench.gateway.evaluate(request, call)).result


async def refusal(bench, *organizations, **options):
    with pytest.raises(RpcError) as caught:
        await evaluate(bench, *organizations, **options)
    return caught.value


async def test_the_own_peer_answers(bench):
    response = await evaluate(bench)
    assert (response.status, response.payload) == (200, b"result")
    assert bench.asked() == ["peer0.org1"]


async def test_the_result_is_the_endorsed_one(bench):
    answer = success(b"endorsed")
    answer.response.payload = b"something else"
    bench.endorsers["peer0.org1"].answer = answer
    assert (await evaluate(bench)).payload == b"endorsed"
    answer.payload = b"\xff"
    assert (await evaluate(bench)).payload == b"something else"


async def test_a_higher_peer_of_the_own_organisation_is_preferred_to_all_others(bench):
    bench.infos["peer1.org1"] = replace(bench.infos["peer1.org1"], height=2)
    bench.infos["peer0.org2"] = replace(bench.infos["peer0.org2"], height=9)
    await evaluate(bench)
    assert bench.asked() == ["peer1.org1"]


async def test_organisations_that_are_named_are_the_only_ones_asked(bench):
    await evaluate(bench, "Org3MSP")
    assert bench.asked() == ["peer0.org3"]
    bench.infos["peer1.org2"] = replace(bench.infos["peer1.org2"], height=2)
    await evaluate(bench, "Org3MSP", "Org2MSP")
    assert bench.asked() == ["peer1.org2", "peer0.org3"]


async def test_a_chaincodes_error_is_final_and_told(bench):
    bench.each(lambda peer: setattr(peer, "answer", chaincode_error("no such asset")))
    error = await refusal(bench)
    told = "chaincode response 500, no such asset"
    assert (error.code, error.message) == (
        Code.UNKNOWN,
        f"evaluate call to endorser returned error: {told}",
    )
    (detail,) = error.details
    endpoint = bench.infos["peer0.org1"].endpoint
    assert (detail.address, detail.msp_id, detail.message) == (endpoint, "Org1MSP", told)
    assert bench.asked() == ["peer0.org1"]


async def test_a_proposal_that_the_own_peer_refuses_is_a_failed_precondition(bench):
    refused = RpcError(Code.UNKNOWN, "error validating proposal: access denied")
    bench.endorsers["peer0.org1"].answer = refused
    error = await refusal(bench)
    assert (error.code, error.message) == (
        Code.FAILED_PRECONDITION,
        "evaluate call to endorser returned error: error validating proposal: access denied",
    )
    assert len(error.details) == 1


async def test_peers_that_fail_themselves_are_left_for_the_next(bench):
    bench.endorsers["peer0.org1"].answer = peer_error("chaincode stream terminated")
    bench.endorsers["peer1.org1"].answer = RpcError(Code.UNAVAILABLE, "connection refused")
    assert (await evaluate(bench)).payload == b"result"
    assert bench.asked()[:2] == ["peer0.org1", "peer1.org1"]
    assert len(bench.asked()) == 3


async def test_when_all_have_failed_each_is_told(bench):
    bench.each(lambda peer: setattr(peer, "answer", peer_error("chaincode stream terminated")))
    error = await refusal(bench)
    assert (error.code, error.message) == (Code.ABORTED, EXHAUSTED)
    assert len({detail.address for detail in error.details}) == 5
    assert {detail.message for detail in error.details} == {"chaincode stream terminated"}
    bench.each(lambda peer: setattr(peer, "answer", RpcError(Code.UNAVAILABLE, "gone")))
    error = await refusal(bench)
    assert (error.code, error.message) == (Code.UNAVAILABLE, EXHAUSTED)


async def test_nobody_with_the_chaincode_is_a_failed_precondition(bench):
    message = "no peers available to evaluate chaincode {} in channel mychannel"
    error = await refusal(bench, chaincode="nosuch")
    assert (error.code, error.message) == (Code.FAILED_PRECONDITION, message.format("nosuch"))
    bench.infos = {n: replace(info, chaincodes={}) for n, info in bench.infos.items()}
    assert (await refusal(bench)).message == message.format("basic")
    bench.infos["peer0.org2"] = replace(bench.infos["peer0.org2"], chaincodes={"basic": 9})
    await evaluate(bench)
    assert bench.asked() == ["peer0.org2"]


@pytest.mark.parametrize("chaincode", ["qscc", "cscc", "_lifecycle"])
async def test_system_chaincodes_are_everywhere(bench, chaincode):
    bench.infos = {n: replace(info, chaincodes={}) for n, info in bench.infos.items()}
    await evaluate(bench, chaincode=chaincode)
    assert bench.asked() == ["peer0.org1"]


async def test_an_unknown_channel_is_unavailable(bench):
    error = await refusal(bench, channel_id="nosuch")
    assert (error.code, error.message) == (
        Code.UNAVAILABLE,
        "failed to get config for channel [nosuch]: could not get last config for channel nosuch",
    )


async def test_transient_data_stays_in_the_own_organisation(bench):
    bench.endorsers["peer0.org1"].answer = bench.endorsers["peer1.org1"].answer = peer_error("no")
    error = await refusal(bench, transient={"key": b"secret"})
    assert error.code is Code.ABORTED
    assert bench.asked() == ["peer0.org1", "peer1.org1"]
    await evaluate(bench, "Org2MSP", transient={"key": b"secret"})
    for name in ("peer0.org1", "peer1.org1"):
        del bench.infos[name]
    error = await refusal(bench, transient={"key": b"secret"})
    assert (error.code, error.message) == (
        Code.FAILED_PRECONDITION,
        "no endorsers found in the gateway's organization; retry specifying target "
        "organization(s) to protect transient data: no peers available to evaluate chaincode "
        "basic in channel mychannel",
    )


@pytest.mark.parametrize(
    ("proposal", "message"),
    [
        (SignedProposal(), "a signed proposal is required"),
        (SignedProposal(proposal_bytes=b"\xff"), "error unmarshalling Proposal: "),
        (signed_proposal(channel_id=""), "no channel id provided"),
        (signed_proposal(""), "no chaincode name is provided, channel id [mychannel]"),
    ],
)
async def test_what_is_no_proposal_is_an_invalid_argument(bench, proposal, message):
    with pytest.raises(RpcError) as caught:
        await bench.gateway.evaluate(EvaluateRequest(proposed_transaction=proposal), NO_DEADLINE)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.message.startswith(f"failed to unpack transaction proposal: {message}")


@virtual
async def test_the_client_stops_waiting(bench):
    bench.endorsers["peer0.org1"].answer = None
    error = await refusal(bench, call=Call(deadline=0.02))
    assert (error.code, error.message) == (Code.DEADLINE_EXCEEDED, "evaluate timeout expired")

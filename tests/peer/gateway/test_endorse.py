"""Endorse: whom it asks, what it tells of failures (Fabric: endorse_test.go)."""

import asyncio
from dataclasses import replace

import pytest

from gridloom.common.proposals import transaction_action
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.peer.gateway import GatewayOptions
from gridloom.protos.common.common_pb2 import Payload
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeCall, ChaincodeInterest
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
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

SEE = "see attached details for more info"
FIRST_FAILED = f"failed to endorse transaction, {SEE}"
TOO_FEW = f"failed to collect enough transaction endorsements, {SEE}"
COLLECTIONS = """[{"name": "own", "policy": "OR('Org1MSP.member')"}]"""


@pytest.fixture
def bench():
    bench = GatewayBench()
    bench.define(basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer')"))
    return bench


async def endorse(bench, *organizations, call=NO_DEADLINE, **proposal):
    request = EndorseRequest(
        proposed_transaction=signed_proposal(**proposal), endorsing_organizations=organizations
    )
    return (await bench.gateway.endorse(request, call)).prepared_transaction


async def refusal(bench, *organizations, **options):
    with pytest.raises(RpcError) as caught:
        await endorse(bench, *organizations, **options)
    return caught.value


def details(bench, error):
    """Which peer said what."""
    names = {info.endpoint: name for name, info in bench.infos.items()}
    msp_ids = {name: info.msp_id for name, info in bench.infos.items()}
    assert all(d.msp_id == msp_ids[names[d.address]] for d in error.details)
    return sorted((names[d.address], d.message) for d in error.details)


def endorsers(bench, envelope):
    transaction = Transaction.FromString(Payload.FromString(envelope.payload).data)
    action = ChaincodeActionPayload.FromString(transaction.actions[0].payload).action
    names = {info.identity: name for name, info in bench.infos.items()}
    return sorted(names[e.endorser] for e in action.endorsements)


class TestPlanning:
    async def test_the_own_peer_comes_first_and_then_what_the_policy_lacks(self, bench):
        envelope = await endorse(bench)
        asked = bench.asked()
        assert asked[0] == "peer0.org1"
        assert len(asked) == 2
        assert endorsers(bench, envelope) == sorted(asked)
        assert transaction_action(envelope).response.payload == b"result"
        assert not envelope.signature

    async def test_the_highest_peer_of_the_own_organisation_comes_first(self, bench):
        bench.infos["peer1.org1"] = replace(bench.infos["peer1.org1"], height=2)
        await endorse(bench)
        assert bench.asked()[0] == "peer1.org1"
        bench.channel.height = 2  # the own height is never an old one
        await endorse(bench)
        assert bench.endorsers["peer0.org1"].asked == 1

    async def test_a_policy_of_another_organisation_adds_its_peer(self, bench):
        bench.define(basic=definition("OR('Org3MSP.peer')"))
        envelope = await endorse(bench)
        assert bench.asked() == ["peer0.org1", "peer0.org3"]
        assert endorsers(bench, envelope) == ["peer0.org3"]

    async def test_one_peer_is_enough_where_the_policy_says_so(self, bench):
        bench.define(basic=definition("OR('Org1MSP.peer', 'Org2MSP.peer')"))
        await endorse(bench)
        assert bench.asked() == ["peer0.org1"]

    async def test_what_the_first_peer_touched_is_planned_for(self, bench):
        bench.define(other=definition("OR('Org3MSP.peer')"))
        calls = [ChaincodeCall(name="basic"), ChaincodeCall(name="other")]
        answer = success(interest=ChaincodeInterest(chaincodes=calls))
        bench.endorsers["peer0.org1"].answer = answer
        envelope = await endorse(bench)
        assert {name.split(".")[1] for name in endorsers(bench, envelope)} == {
            "org1",
            "org2",
            "org3",
        }

    async def test_layouts_with_the_first_peers_group_are_preferred(self, bench):
        bench.define(basic=definition("OR('Org3MSP.peer', 'Org2MSP.peer', 'Org1MSP.peer')"))
        for _ in range(10):
            await endorse(bench)
        assert set(bench.asked()) == {"peer0.org1"}

    async def test_peers_of_equal_height_share_the_work(self, bench):
        for _ in range(20):
            await endorse(bench)
        assert bench.endorsers["peer0.org2"].asked > 2
        assert bench.endorsers["peer1.org2"].asked > 2

    async def test_without_own_peers_discovery_names_the_first(self, bench):
        bench.define(basic=definition("OR('Org3MSP.peer')"))
        for name in ("peer0.org1", "peer1.org1"):
            bench.infos[name] = replace(bench.infos[name], chaincodes={})
        await endorse(bench)
        assert bench.asked() == ["peer0.org3"]

    async def test_the_lifecycle_needs_no_definition(self, bench):
        envelope = await endorse(bench, chaincode="_lifecycle")
        assert len(endorsers(bench, envelope)) == 2

    async def test_an_unknown_chaincode_or_channel_is_a_failed_precondition(self, bench):
        prefix = (
            "no combination of peers can be derived which satisfy the endorsement policy: "
            "No metadata was found for chaincode"
        )
        error = await refusal(bench, chaincode="nosuch")
        assert (error.code, error.message, error.details) == (
            Code.FAILED_PRECONDITION,
            f"{prefix} nosuch in channel mychannel",
            (),
        )
        error = await refusal(bench, channel_id="nosuch")
        assert error.message == f"{prefix} basic in channel nosuch"

    async def test_chaincodes_on_too_few_peers_are_a_failed_precondition(self, bench):
        for name in ("peer0.org2", "peer1.org2"):
            bench.infos[name] = replace(bench.infos[name], chaincodes={"basic": 7})
        error = await refusal(bench)
        assert error.code is Code.FAILED_PRECONDITION
        assert error.message.endswith(
            "policy: required chaincodes are not installed on sufficient peers"
        )


class TestOrganizations:
    async def test_one_peer_of_each_that_is_named_endorses(self, bench):
        envelope = await endorse(bench, "Org1MSP", "Org3MSP", "Org3MSP")
        assert endorsers(bench, envelope) == ["peer0.org1", "peer0.org3"]
        assert len(bench.asked()) == 2

    async def test_those_without_peers_are_named(self, bench):
        error = await refusal(bench, "Org4MSP", "Org1MSP", "Org5MSP")
        assert (error.code, error.message) == (
            Code.UNAVAILABLE,
            "failed to find any endorsing peers for org(s): Org4MSP, Org5MSP",
        )
        assert not bench.asked()

    async def test_a_failing_one_leaves_too_few(self, bench):
        for name in ("peer0.org2", "peer1.org2"):
            bench.endorsers[name].answer = chaincode_error(f"no from {name}")
        error = await refusal(bench, "Org1MSP", "Org2MSP")
        assert (error.code, error.message) == (Code.ABORTED, TOO_FEW)
        assert details(bench, error) == [
            (name, f"chaincode response 500, no from {name}")
            for name in ("peer0.org2", "peer1.org2")
        ]


class TestFailures:
    async def test_every_own_peer_is_tried_first(self, bench):
        bench.each(lambda peer: setattr(peer, "answer", chaincode_error("no such asset", 404)))
        error = await refusal(bench)
        assert (error.code, error.message) == (Code.ABORTED, FIRST_FAILED)
        message = "chaincode response 404, no such asset"
        assert details(bench, error) == [("peer0.org1", message), ("peer1.org1", message)]

    async def test_one_own_peer_that_endorses_is_enough(self, bench):
        bench.endorsers["peer0.org1"].answer = peer_error("broken")
        envelope = await endorse(bench)
        assert "peer1.org1" in endorsers(bench, envelope)

    async def test_another_peer_of_the_group_stands_in(self, bench):
        bench.endorsers["peer0.org2"].answer = RpcError(Code.UNAVAILABLE, "connection refused")
        for _ in range(5):
            assert endorsers(bench, await endorse(bench)) == ["peer0.org1", "peer1.org2"]

    async def test_another_layout_stands_in(self, bench):
        bench.define(basic=definition())
        for name in ("peer0.org2", "peer1.org2"):
            bench.endorsers[name].answer = peer_error("down")
        for _ in range(5):
            assert endorsers(bench, await endorse(bench)) == ["peer0.org1", "peer0.org3"]

    async def test_different_results_are_told_of_each_peer(self, bench):
        for name in ("peer0.org2", "peer1.org2"):
            bench.endorsers[name].answer = success(b"other")
        error = await refusal(bench)
        assert (error.code, error.message) == (Code.ABORTED, TOO_FEW)
        message = "ProposalResponsePayloads do not match"
        assert details(bench, error) == [("peer0.org2", message), ("peer1.org2", message)]

    async def test_every_organisation_that_failed_is_told(self, bench):
        bench.define(basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer', 'Org3MSP.peer')"))
        for name in ("peer0.org2", "peer1.org2", "peer0.org3"):
            bench.endorsers[name].answer = chaincode_error("no")
        error = await refusal(bench)
        assert [name for name, _ in details(bench, error)] == [
            "peer0.org2",
            "peer0.org3",
            "peer1.org2",
        ]

    async def test_an_unreachable_peer_is_told_in_the_words_of_grpc(self, bench):
        failure = RpcError(Code.UNAVAILABLE, "connection refused")
        bench.each(lambda peer: setattr(peer, "answer", failure))
        error = await refusal(bench)
        message = "rpc error: code = Unavailable desc = connection refused"
        assert details(bench, error) == [("peer0.org1", message), ("peer1.org1", message)]

    async def test_a_proposal_the_own_peer_refuses_is_told_as_it_says_it(self, bench):
        failure = RpcError(Code.UNKNOWN, "error validating proposal: access denied")
        bench.each(lambda peer: setattr(peer, "answer", failure))
        assert details(bench, await refusal(bench)) == [
            ("peer0.org1", "error validating proposal: access denied"),
            ("peer1.org1", "rpc error: code = Unknown desc = error validating proposal: "
             "access denied"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("proposal", "message"),
        [
            (SignedProposal(), "the proposed transaction must contain a signed proposal"),
            (SignedProposal(proposal_bytes=b"\xff"), "error unmarshalling Proposal: "),
            (SignedProposal(proposal_bytes=b"\x0a\x01\xff"), "error unmarshalling Header: "),
            (
                SignedProposal(proposal_bytes=b"\x12\x01\xff"),
                "error unmarshalling ChaincodeProposalPayload: ",
            ),
        ],
    )
    async def test_what_is_no_proposal_is_an_invalid_argument(self, bench, proposal, message):
        with pytest.raises(RpcError) as caught:
            await bench.gateway.endorse(EndorseRequest(proposed_transaction=proposal), NO_DEADLINE)
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert caught.value.message.startswith(message)


class TestTransientData:
    @pytest.fixture(autouse=True)
    def defined(self, bench):
        bench.define(
            basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer')", COLLECTIONS),
            private=definition("OR('Org1MSP.peer', 'Org2MSP.peer')", COLLECTIONS),
        )

    def write(self, bench, chaincode):
        """Let the first peer say that it wrote to the collection without reading it."""
        call = ChaincodeCall(name=chaincode, collection_names=["own"], no_private_reads=True)
        interest = ChaincodeInterest(chaincodes=[call])
        bench.endorsers["peer0.org1"].answer = success(interest=interest)

    async def test_it_stays_with_the_members_of_the_collection(self, bench):
        self.write(bench, "private")
        envelope = await endorse(bench, chaincode="private", transient={"key": b"secret"})
        assert bench.asked() == endorsers(bench, envelope) == ["peer0.org1"]
        assert b"secret" not in envelope.payload

    async def test_a_plan_that_would_leave_them_is_refused(self, bench):
        self.write(bench, "basic")
        error = await refusal(bench, transient={"key": b"secret"})
        assert (error.code, error.message) == (
            Code.FAILED_PRECONDITION,
            "requires endorsement from organisation(s) that are not in the distribution policy of "
            "the private data collection(s): [own]; retry specifying trusted endorsing "
            "organizations to protect transient data",
        )
        assert bench.asked() == ["peer0.org1"]

    async def test_without_transient_data_others_may_endorse(self, bench):
        self.write(bench, "basic")
        assert len(endorsers(bench, await endorse(bench))) == 2

    async def test_a_plan_that_is_not_possible_at_all_says_why(self, bench):
        self.write(bench, "basic")
        for name in ("peer0.org2", "peer1.org2"):
            del bench.infos[name]
        error = await refusal(bench, transient={"key": b"secret"})
        assert error.message.endswith("no peer combination can satisfy the endorsement policy")

    async def test_organisations_that_are_named_are_trusted(self, bench):
        self.write(bench, "basic")
        envelope = await endorse(bench, "Org1MSP", "Org2MSP", transient={"key": b"secret"})
        assert len(endorsers(bench, envelope)) == 2

    async def test_without_own_peers_it_goes_nowhere(self, bench):
        for name in ("peer0.org1", "peer1.org1"):
            bench.infos[name] = replace(bench.infos[name], chaincodes={})
        error = await refusal(bench, transient={"key": b"secret"})
        assert (error.code, error.message) == (
            Code.FAILED_PRECONDITION,
            "no endorsers found in the gateway's organization; retry specifying endorsing "
            "organization(s) to protect transient data",
        )
        assert not bench.asked()


class TestTime:
    @virtual
    async def test_the_client_stops_waiting_for_the_first_peer(self, bench):
        bench.endorsers["peer0.org1"].answer = None
        error = await refusal(bench, call=Call(deadline=0.02))
        assert (error.code, error.message) == (
            Code.DEADLINE_EXCEEDED,
            "endorsement timeout expired while collecting first endorsement",
        )

    @virtual
    async def test_the_client_stops_waiting_for_the_others(self, bench):
        for name in ("peer0.org2", "peer1.org2"):
            bench.endorsers[name].answer = None
        error = await refusal(bench, call=Call(deadline=0.02))
        assert (error.code, error.message) == (
            Code.DEADLINE_EXCEEDED,
            "endorsement timeout expired while collecting endorsements",
        )

    @virtual
    async def test_a_slow_peer_is_given_up_for_another(self):
        bench = GatewayBench(options=GatewayOptions(endorsement_timeout=0.02))
        bench.define(basic=definition("AND('Org1MSP.peer', 'Org2MSP.peer')"))
        bench.endorsers["peer0.org2"].answer = None
        for _ in range(3):
            assert endorsers(bench, await endorse(bench)) == ["peer0.org1", "peer1.org2"]

    async def test_nobody_is_asked_on_when_enough_have_endorsed(self, bench):
        bench.define(basic=definition())
        await endorse(bench)
        assert len(bench.asked()) == 2
        assert len(asyncio.all_tasks()) == 1

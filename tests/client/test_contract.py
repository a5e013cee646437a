"""What the SDK puts into its requests, seen by a channel that records them."""

import random
from datetime import UTC, datetime

import pytest

from gridloom.client import Gateway, Timeouts
from gridloom.common.envelopes import transaction_id
from gridloom.protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EvaluateRequest, EvaluateResponse
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal
from harness.consortium import NOW, clock, consortium


class Recorder:
    """Answers every evaluation; keeps requests and timeouts."""

    def __init__(self):
        self.requests = []
        self.timeouts = []
        self.closed = False

    async def unary(self, method, request, response_type, *, timeout=None):
        self.requests.append(request)
        self.timeouts.append(timeout)
        return EvaluateResponse()

    async def close(self):
        self.closed = True


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def gateway(recorder):
    return Gateway(
        recorder,
        consortium().user(),
        now=clock,
        random_bytes=random.Random(1).randbytes,
        timeouts=Timeouts(evaluate=1.5),
    )


def opened(request):
    proposal = Proposal.FromString(request.proposed_transaction.proposal_bytes)
    header = Header.FromString(proposal.header)
    payload = ChaincodeProposalPayload.FromString(proposal.payload)
    return (
        ChannelHeader.FromString(header.channel_header),
        SignatureHeader.FromString(header.signature_header),
        ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec,
        dict(payload.TransientMap),
    )


async def test_a_request_holds_the_call_and_who_makes_it(gateway, recorder):
    contract = gateway.get_network("mychannel").get_contract("basic")
    await contract.evaluate(
        "f",
        ["text", b"\xff"],
        transient={"key": "value", "other": b"\x00"},
        endorsing_organizations=["Org2MSP"],
    )
    (request,) = recorder.requests
    channel, signature, spec, transient = opened(request)
    assert isinstance(request, EvaluateRequest)
    assert (request.channel_id, channel.channel_id) == ("mychannel", "mychannel")
    assert channel.timestamp.ToDatetime(UTC) == NOW
    assert request.transaction_id == channel.tx_id
    assert channel.tx_id == transaction_id(signature.nonce, signature.creator)
    assert signature.creator == consortium().user().serialized == gateway.identity
    assert (spec.chaincode_id.name, list(spec.input.args)) == ("basic", [b"f", b"text", b"\xff"])
    assert transient == {"key": b"value", "other": b"\x00"}
    assert list(request.target_organizations) == ["Org2MSP"]
    judge = consortium().bundle().msp_manager.deserialize(signature.creator)
    signed = request.proposed_transaction
    judge.verify(signed.proposal_bytes, signed.signature)


async def test_the_name_of_a_contract_is_put_before_the_functions(gateway, recorder):
    contract = gateway.get_network("mychannel").get_contract("basic", "Assets")
    assert (contract.chaincode_name, contract.contract_name) == ("basic", "Assets")
    await contract.evaluate_transaction("f")
    assert list(opened(recorder.requests[0])[2].input.args) == [b"Assets:f"]


async def test_each_proposal_has_an_id_of_its_own(gateway):
    contract = gateway.get_network("mychannel").get_contract("basic")
    ids = {contract.new_proposal("f").transaction_id for _ in range(10)}
    assert len(ids) == 10


async def test_endorsing_organizations_are_in_the_request_and_in_what_is_kept(gateway, recorder):
    contract = gateway.get_network("mychannel").get_contract("basic")
    proposal = contract.new_proposal("f", endorsing_organizations=["Org1MSP", "Org3MSP"])
    again = gateway.new_proposal(proposal.serialized)
    assert again.digest == proposal.digest
    with pytest.raises(AttributeError):
        await again.endorse()  # the recorder only knows how to answer evaluations
    (request,) = recorder.requests
    assert isinstance(request, EndorseRequest)
    assert list(request.endorsing_organizations) == ["Org1MSP", "Org3MSP"]


async def test_a_timeout_of_a_call_takes_the_place_of_the_gateways(gateway, recorder):
    contract = gateway.get_network("mychannel").get_contract("basic")
    await contract.evaluate_transaction("f")
    await contract.new_proposal("f").evaluate(timeout=7.5)
    assert recorder.timeouts == [1.5, 7.5]


async def test_a_channel_that_was_passed_in_stays_open(gateway, recorder):
    async with gateway as same:
        assert same is gateway
        assert same.channel is recorder
    assert not recorder.closed


async def test_a_channel_of_its_own_is_closed_with_it():
    gateway = Gateway.connect("localhost:1", consortium().user())
    assert gateway.channel.target == "localhost:1"
    await gateway.close()


def test_the_time_has_a_default_that_knows_its_zone():
    gateway = Gateway(Recorder(), consortium().user())
    proposal = gateway.get_network("c").get_contract("basic").new_proposal("f")
    header = Header.FromString(
        Proposal.FromString(proposal._proposed.proposal.proposal_bytes).header
    )
    sent = ChannelHeader.FromString(header.channel_header).timestamp.ToDatetime(UTC)
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 3600


def test_a_bare_string_is_not_taken_for_a_list_of_arguments(gateway, recorder):
    contract = gateway.get_network("mychannel").get_contract("basic")
    for arguments in ("asset1", b"asset1"):
        with pytest.raises(TypeError, match="must be a sequence of them"):
            contract.new_proposal("ReadAsset", arguments)
    assert recorder.requests == []

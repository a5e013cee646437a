"""Proposals and transactions: those of a real network made again byte by byte."""

from datetime import UTC, datetime

import pytest

from gridloom.common.errors import MalformedMessage
from gridloom.common.proposals import (
    ProposalResponsesDiffer,
    assemble_transaction,
    chaincode_action,
    new_proposal,
    prepare_transaction,
    transaction_action,
    unique_endorsements,
)
from gridloom.protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from gridloom.protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse
from gridloom.protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from harness.golden_wire import recorded

GATEWAY_ENDORSEMENTS = [(44, 45), (52, 53), (58, 59), (60, 61)]
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def proposal_for(**options):
    return new_proposal("mychannel", "basic", [b"f", b"x"], b"creator", b"n" * 24, NOON, **options)


def response(payload=b"payload", endorser=b"peer"):
    endorsement = Endorsement(endorser=endorser, signature=b"signature of " + endorser)
    return ProposalResponse(payload=payload, endorsement=endorsement)


def endorsed_action(envelope):
    transaction = Transaction.FromString(Payload.FromString(envelope.payload).data)
    return ChaincodeActionPayload.FromString(transaction.actions[0].payload).action


@pytest.mark.parametrize(("request_number", "response_number"), GATEWAY_ENDORSEMENTS)
def test_a_real_gateways_transaction_is_made_again_byte_by_byte(request_number, response_number):
    proposed = recorded(request_number, EndorseRequest).proposed_transaction
    expected = recorded(response_number, EndorseResponse).prepared_transaction
    action = endorsed_action(expected)
    made = prepare_transaction(
        Proposal.FromString(proposed.proposal_bytes),
        action.proposal_response_payload,
        action.endorsements,
    )
    assert made.payload == expected.payload
    assert not made.signature


@pytest.mark.parametrize("responses", [(2,), (2, 4), (4, 2)])
def test_a_real_clients_transaction_is_made_again_byte_by_byte(responses):
    proposal = Proposal.FromString(recorded(1, SignedProposal).proposal_bytes)
    answers = [recorded(number, ProposalResponse) for number in responses]
    made = assemble_transaction(proposal, answers)
    if responses == (2, 4):
        assert made.payload == recorded(5, Envelope).payload
    assert len(endorsed_action(made).endorsements) == len(responses)


def test_a_real_proposal_is_made_again_but_for_the_chaincodes_language():
    golden = Proposal.FromString(recorded(44, EndorseRequest).proposed_transaction.proposal_bytes)
    header = Header.FromString(golden.header)
    channel = ChannelHeader.FromString(header.channel_header)
    name = ChaincodeHeaderExtension.FromString(channel.extension).chaincode_id.name
    spec = _spec(golden)
    signature_header = SignatureHeader.FromString(header.signature_header)
    made, tx_id = new_proposal(
        channel.channel_id,
        name,
        list(spec.input.args),
        signature_header.creator,
        signature_header.nonce,
        channel.timestamp.ToDatetime(UTC),
    )
    assert tx_id == channel.tx_id
    # A recorded time has nanoseconds; everything else of the header is equal.
    again = ChannelHeader.FromString(Header.FromString(made.header).channel_header)
    again.timestamp.CopyFrom(channel.timestamp)
    assert again.SerializeToString() == header.channel_header
    own = _spec(made)
    own.type = spec.type
    assert own.SerializeToString() == spec.SerializeToString()


def _spec(proposal):
    payload = ChaincodeProposalPayload.FromString(proposal.payload)
    return ChaincodeInvocationSpec.FromString(payload.input).chaincode_spec


def test_transient_data_is_in_the_proposal_and_never_in_the_transaction():
    proposal, _ = proposal_for(transient={"key": b"secret value"})
    assert b"secret value" in proposal.payload
    envelope = prepare_transaction(proposal, b"payload", [])
    assert b"secret value" not in envelope.payload


def test_an_init_call_is_marked_as_one():
    assert _spec(proposal_for(is_init=True)[0]).input.is_init
    assert not _spec(proposal_for()[0]).input.is_init


def test_only_the_first_endorsement_of_each_endorser_counts():
    first, again = response(endorser=b"a").endorsement, response(endorser=b"a").endorsement
    again.signature = b"another"
    other = response(endorser=b"b").endorsement
    assert unique_endorsements([first, other, again]) == [first, other]


def test_responses_that_differ_make_no_transaction():
    with pytest.raises(ProposalResponsesDiffer, match="ProposalResponsePayloads do not match"):
        assemble_transaction(proposal_for()[0], [response(b"one"), response(b"other")])


def test_no_response_or_none_with_an_endorsement_makes_no_transaction():
    with pytest.raises(MalformedMessage, match="at least one"):
        assemble_transaction(proposal_for()[0], [])
    with pytest.raises(MalformedMessage, match="no endorsements"):
        assemble_transaction(proposal_for()[0], [ProposalResponse(payload=b"payload")])


def test_the_result_of_a_transaction_is_found_in_it():
    envelope = recorded(53, EndorseResponse).prepared_transaction
    action = transaction_action(envelope)
    assert action.response.status == 200
    assert action == chaincode_action(endorsed_action(envelope).proposal_response_payload)


@pytest.mark.parametrize(
    "payload",
    [b"\xff", Payload(data=b"\xff").SerializeToString(), b"", Payload().SerializeToString()],
)
def test_what_is_no_transaction_is_a_malformed_message(payload):
    with pytest.raises(MalformedMessage):
        transaction_action(Envelope(payload=payload))


def test_a_proposal_whose_parts_do_not_parse_is_a_malformed_message():
    with pytest.raises(MalformedMessage, match="proposal header"):
        prepare_transaction(Proposal(header=b"\xff"), b"payload", [])
    with pytest.raises(MalformedMessage, match="proposal payload"):
        prepare_transaction(Proposal(payload=b"\xff"), b"payload", [])

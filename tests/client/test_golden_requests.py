"""What the official SDK sent in a real network: ours makes the same bytes of the same input."""

import pytest

from gridloom.client import Gateway, Identity
from gridloom.common.errors import MalformedMessage
from gridloom.protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    CommitStatusResponse,
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    PreparedTransaction,
    ProposedTransaction,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
    SubmitResponse,
)
from gridloom.protos.msp.identities_pb2 import SerializedIdentity
from harness.golden_wire import recorded, recorded_bytes


class Recorder:
    """A channel that keeps what is sent and answers what was answered."""

    def __init__(self, *responses):
        self.sent = []
        self._responses = list(responses)

    async def unary(self, method, request, response_type, *, timeout=None):
        self.sent.append((method, request.SerializeToString()))
        response = self._responses.pop(0)
        assert isinstance(response, response_type)
        return response


@pytest.fixture
def identity():
    signed = recorded(48, SignedCommitStatusRequest)
    request = CommitStatusRequest.FromString(signed.request)
    serialized = SerializedIdentity.FromString(request.identity)
    return Identity(serialized.mspid, serialized.id_bytes)


async def test_evaluate(identity):
    expected = recorded(40, EvaluateRequest)
    recorder = Recorder(recorded(41, EvaluateResponse))
    proposed = ProposedTransaction(
        transaction_id=expected.transaction_id, proposal=expected.proposed_transaction
    )
    proposal = Gateway(recorder, identity).new_proposal(proposed.SerializeToString())
    assert b'"ID":"a1"' in await proposal.evaluate()
    assert recorder.sent == [("/gateway.Gateway/Evaluate", recorded_bytes(40))]


@pytest.mark.parametrize("number", [44, 52])
async def test_a_whole_submission(identity, number):
    """Endorse, Submit and CommitStatus, with the signatures made then."""
    endorse = recorded(number, EndorseRequest)
    submit = recorded(number + 2, SubmitRequest)
    status = recorded(number + 4, SignedCommitStatusRequest)
    recorder = Recorder(
        recorded(number + 1, EndorseResponse),
        SubmitResponse(),
        recorded(number + 5, CommitStatusResponse),
    )
    gateway = Gateway(recorder, identity)
    proposed = ProposedTransaction(
        transaction_id=endorse.transaction_id,
        proposal=endorse.proposed_transaction,
        endorsing_organizations=endorse.endorsing_organizations,
    )
    proposal = gateway.new_proposal(proposed.SerializeToString())
    transaction = await proposal.endorse()
    transaction.set_signature(submit.prepared_transaction.signature)
    submitted = await transaction.submit()
    submitted.set_signature(status.signature)
    assert (await submitted.get_status()).successful
    assert recorder.sent == [
        ("/gateway.Gateway/Endorse", recorded_bytes(number)),
        ("/gateway.Gateway/Submit", recorded_bytes(number + 2)),
        ("/gateway.Gateway/CommitStatus", recorded_bytes(number + 4)),
    ]


def test_chaincode_events(identity):
    expected = recorded(74, SignedChaincodeEventsRequest)
    network = Gateway(Recorder(), identity).get_network("golden1")
    request = network.chaincode_events("gold", start_block=0)
    request.set_signature(expected.signature)
    assert request.serialized == recorded_bytes(74)


def test_the_steps_survive_being_written_down(identity):
    gateway = Gateway(Recorder(), identity)
    prepared = PreparedTransaction(
        transaction_id="id", envelope=recorded(45, EndorseResponse).prepared_transaction
    ).SerializeToString()
    transaction = gateway.new_transaction(prepared)
    assert transaction.serialized == prepared
    assert gateway.new_signed_transaction(prepared, b"signature").serialized != prepared
    commit = gateway.new_commit(recorded_bytes(48))
    assert commit.serialized == recorded_bytes(48)
    assert commit.transaction_id == recorded(44, EndorseRequest).transaction_id


@pytest.mark.parametrize("method", ["new_proposal", "new_transaction", "new_commit"])
def test_bytes_of_something_else_are_refused(identity, method):
    gateway = Gateway(Recorder(), identity)
    with pytest.raises(MalformedMessage):
        getattr(gateway, method)(b"\xff")
    with pytest.raises(MalformedMessage):
        getattr(gateway, method.replace("new", "new_signed"))(b"\xff", b"signature")


@pytest.mark.parametrize(
    "kind", ["chaincode_events", "block_events", "block_and_private_data_events"]
)
def test_bytes_that_are_no_request_for_events_are_refused(identity, kind):
    with pytest.raises(MalformedMessage):
        getattr(Gateway(Recorder(), identity), f"new_signed_{kind}")(b"\xff", b"signature")

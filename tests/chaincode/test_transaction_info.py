"""What a transaction knows of itself, from a proposal that went to a real peer."""

import hashlib
from datetime import UTC, datetime

import pytest

from gridloom.chaincode import ChaincodeError, PeerParameters
from gridloom.common.errors import MalformedMessage
from gridloom.protos.common import common_pb2
from gridloom.protos.peer import chaincode_pb2, proposal_pb2
from harness.scripted_peer import ScriptedPeer, stub_for
from harness.shared import shared


def golden_proposal() -> proposal_pb2.SignedProposal:
    path = shared("golden", "wire", "01-endorser-invoke-Endorser_ProcessProposal.req.pb")
    return proposal_pb2.SignedProposal.FromString(path.read_bytes())


def test_creator_time_and_binding_come_from_the_clients_proposal():
    signed = golden_proposal()
    stub = stub_for(ScriptedPeer(), proposal=signed)
    proposal = proposal_pb2.Proposal.FromString(signed.proposal_bytes)
    header = common_pb2.Header.FromString(proposal.header)
    signature_header = common_pb2.SignatureHeader.FromString(header.signature_header)
    channel_header = common_pb2.ChannelHeader.FromString(header.channel_header)
    assert stub.get_creator() == signature_header.creator
    assert stub.get_tx_timestamp() == channel_header.timestamp.ToDatetime(tzinfo=UTC)
    assert stub.get_tx_timestamp().date() == datetime(2026, 11, 20, tzinfo=UTC).date()
    joined = signature_header.nonce + signature_header.creator + bytes(8)
    assert stub.get_binding() == hashlib.sha256(joined).digest()
    assert stub.get_transient() == {}
    assert stub.get_signed_proposal() == signed


def test_the_epoch_enters_the_binding_in_little_endian():
    channel_header = common_pb2.ChannelHeader(epoch=258)
    signature_header = common_pb2.SignatureHeader(nonce=b"n", creator=b"c")
    header = common_pb2.Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=signature_header.SerializeToString(),
    )
    proposal = proposal_pb2.Proposal(header=header.SerializeToString())
    signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString())
    stub = stub_for(ScriptedPeer(), proposal=signed)
    assert stub.get_binding() == hashlib.sha256(b"nc\x02\x01" + bytes(6)).digest()


def test_transient_data_is_read_from_the_proposals_payload():
    payload = proposal_pb2.ChaincodeProposalPayload(TransientMap={"secret": b"\x00\xff"})
    proposal = proposal_pb2.Proposal(payload=payload.SerializeToString())
    signed = proposal_pb2.SignedProposal(proposal_bytes=proposal.SerializeToString())
    assert stub_for(ScriptedPeer(), proposal=signed).get_transient() == {"secret": b"\x00\xff"}


def test_arguments_are_bytes_and_can_be_had_as_text():
    stub = stub_for(ScriptedPeer(), b"put", "zwölf".encode(), b"\xff")
    assert stub.get_args() == [b"put", "zwölf".encode(), b"\xff"]
    assert stub.get_string_args() == ["put", "zwölf", "�"]
    assert stub.get_function_and_parameters() == ("put", ["zwölf", "�"])
    assert stub.get_args_slice() == b"put" + "zwölf".encode() + b"\xff"
    assert stub_for(ScriptedPeer()).get_function_and_parameters() == ("", [])


def test_decorations_of_the_peer_are_passed_on():
    input_ = chaincode_pb2.ChaincodeInput(args=[b"f"], decorations={"d": b"1"}, is_init=True)
    stub = stub_for(ScriptedPeer())
    stub._input = input_
    assert stub.get_decorations() == {"d": b"1"}
    assert stub.is_init()


def test_the_organisation_is_the_peers_or_from_the_environment(monkeypatch):
    monkeypatch.delenv("CORE_PEER_LOCALMSPID", raising=False)
    with pytest.raises(ChaincodeError, match="'CORE_PEER_LOCALMSPID' is not set"):
        stub_for(ScriptedPeer()).get_msp_id()
    monkeypatch.setenv("CORE_PEER_LOCALMSPID", "Org2MSP")
    assert stub_for(ScriptedPeer()).get_msp_id() == "Org2MSP"
    own = stub_for(ScriptedPeer(), parameters=PeerParameters(msp_id="Org1MSP"))
    assert own.get_msp_id() == "Org1MSP"


def test_a_transaction_without_a_proposal_says_so_when_it_is_asked_for_one():
    stub = stub_for(ScriptedPeer())
    assert stub.get_signed_proposal() is None
    with pytest.raises(ChaincodeError, match="without its signed proposal"):
        stub.get_creator()
    broken = stub_for(ScriptedPeer(), proposal=proposal_pb2.SignedProposal(proposal_bytes=b"\xff"))
    with pytest.raises(MalformedMessage):
        broken.get_tx_timestamp()

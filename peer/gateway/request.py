"""The proposal inside a gateway request, opened as far as the gateway must look."""

from __future__ import annotations

from dataclasses import dataclass

from gridloom.common.errors import MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import ChannelHeader, Header
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)


@dataclass(frozen=True, slots=True)
class OpenProposal:
    """A client's proposal: what it calls, and whether transient data comes with it."""

    signed: SignedProposal
    proposal: Proposal
    channel_id: str
    chaincode: str
    has_transient_data: bool

    @classmethod
    def open(cls, signed: SignedProposal) -> OpenProposal:
        """Parse it; MalformedMessage says which part is broken."""
        proposal = parse(Proposal, signed.proposal_bytes, "error unmarshalling Proposal")
        header = parse(Header, proposal.header, "error unmarshalling Header")
        channel = parse(ChannelHeader, header.channel_header, "error unmarshalling ChannelHeader")
        payload = parse(
            ChaincodeProposalPayload,
            proposal.payload,
            "error unmarshalling ChaincodeProposalPayload",
        )
        spec = parse(
            ChaincodeInvocationSpec, payload.input, "error unmarshalling ChaincodeInvocationSpec"
        )
        return cls(
            signed,
            proposal,
            channel.channel_id,
            spec.chaincode_spec.chaincode_id.name,
            bool(payload.TransientMap),
        )

    @classmethod
    def open_complete(cls, signed: SignedProposal) -> OpenProposal:
        """The same, and it must name a channel and a chaincode; MalformedMessage if not."""
        if not signed.proposal_bytes:
            raise MalformedMessage("proposal", "a signed proposal is required")
        opened = cls.open(signed)
        if not opened.channel_id:
            raise MalformedMessage("proposal", "no channel id provided")
        if not opened.chaincode:
            raise MalformedMessage(
                "proposal", f"no chaincode name is provided, channel id [{opened.channel_id}]"
            )
        return opened

"""The proposal inside a gateway request, opened as far as the gateway must look."""

from __future__ import annotations

from typing import NamedTuple

from gridloom.common.envelopes import without_transient
from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.wire import parse
from gridloom.protos.common.common_pb2 import ChannelHeader, Header
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import (
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)

from ..proposal import ProposalContent, known_content, open_content, open_headers


class OpenProposal(NamedTuple):
    """A client's proposal: what it calls, and whether transient data comes with it.

    header and bare_payload: its parts as they go into the transaction.
    """

    signed: SignedProposal
    header: Header
    bare_payload: bytes
    channel_id: str
    chaincode: str
    has_transient_data: bool

    @classmethod
    def open(cls, signed: SignedProposal) -> OpenProposal:
        """Parse it; MalformedMessage says which part is broken."""
        content = _content(signed.proposal_bytes)
        if content is None:
            return cls._open_in_part(signed)
        return cls(
            signed,
            content.header,
            content.bare_payload,
            content.channel_id,
            content.called,
            content.has_transient_data,
        )

    @classmethod
    def _open_in_part(cls, signed: SignedProposal) -> OpenProposal:
        """Parse one that no endorser will accept, as far as the gateway is concerned."""
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
            header,
            without_transient(proposal.payload),
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


def _content(data: bytes) -> ProposalContent | None:
    """What is in a proposal, for this gateway and for the endorsers after it."""
    try:
        return known_content(data) or open_content(data, open_headers(data))
    except GridloomError:
        return None

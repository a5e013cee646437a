"""System chaincodes: parts of the peer that are called like chaincodes.

They run inside the call and answer with a response; no package, no definition, no init.
(Fabric: core/scc)
"""

from __future__ import annotations

from typing import Protocol

from gridloom.common.errors import GridloomError
from gridloom.common.wire import parse
from gridloom.protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from gridloom.protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal, SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import Response

from .invocation import Invocation

SYSTEM_VERSION = "syscc"
"""The version a system chaincode shows in endorsements."""


class SystemChaincode(Protocol):
    """One system chaincode."""

    @property
    def name(self) -> str: ...

    def invoke(self, invocation: Invocation) -> Response:
        """Answer; failures are responses too, with status 404 or 500."""
        ...


def success(payload: bytes = b"") -> Response:
    """A response with status 200."""
    return Response(status=200, payload=payload)


def failure(message: str, status: int = 500) -> Response:
    """A response that refuses, with the text the client reads."""
    return Response(status=status, message=message)


def invoked_chaincode(proposal: SignedProposal) -> str:
    """The chaincode the client named; MalformedMessage when the proposal does not parse."""
    parsed = parse(Proposal, proposal.proposal_bytes, "proposal")
    payload = parse(ChaincodeProposalPayload, parsed.payload, "proposal payload")
    spec = parse(ChaincodeInvocationSpec, payload.input, "invocation spec").chaincode_spec
    return spec.chaincode_id.name


def called_by_another(name: str, proposal: SignedProposal) -> Response | None:
    """Refuse when the client did not call ``name`` itself; None when it did."""
    try:
        original = invoked_chaincode(proposal)
    except GridloomError as error:
        return failure(f"Failed to identify the called chaincode: {error}")
    if original == name:
        return None
    reason = " because of potential for deadlocks" if name == "qscc" else ""
    return failure(
        f"Rejecting invoke of {name.upper()} from another chaincode{reason}, "
        f"original invocation for '{original}'"
    )

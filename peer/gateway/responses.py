"""Reading what an endorser answered: did it fail, and is it worth asking another one?

(Fabric: internal/pkg/gateway/apiutils.go.)
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass

from gridloom.common.errors import MalformedMessage
from gridloom.common.proposals import chaincode_action
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse

from ..discovery.peers import PeerInfo

PROCESS_PROPOSAL = "/protos.Endorser/ProcessProposal"
SUCCESS = range(200, 400)
CHAINCODE_ERROR = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer is no success; retry: another peer may do better."""

    code: Code
    message: str
    retry: bool


async def ask(
    peer: PeerInfo, proposal: SignedProposal, *, local: bool, timeout: float
) -> ProposalResponse | Failure:
    """Let ``peer`` process the proposal.

    local: it is the gateway's own peer, whose refusal to process is the client's fault;
    a remote peer's may be its own.
    """
    asking = peer.channel.unary(PROCESS_PROPOSAL, proposal, ProposalResponse, timeout=timeout)
    return await judged(asking, local=local)


async def judged(asking: Awaitable[ProposalResponse], *, local: bool) -> ProposalResponse | Failure:
    """Wait for a peer's answer to a proposal and say whether it is one."""
    try:
        response = await asking
    except RpcError as error:
        if local and error.code is Code.UNKNOWN:
            return Failure(Code.FAILED_PRECONDITION, error.message, retry=False)
        return Failure(Code.UNAVAILABLE, describe(error), retry=True)
    status, message = response.response.status, response.response.message
    if status in SUCCESS:
        return response
    if status == CHAINCODE_ERROR and not response.payload:
        return Failure(Code.ABORTED, message, retry=True)
    return Failure(Code.UNKNOWN, f"chaincode response {status}, {message}", retry=False)


def describe(error: RpcError) -> str:
    """Return a failed call in the words of gRPC's Go library, which clients match on."""
    name = "".join(part.capitalize() for part in error.code.name.split("_"))
    name = "Canceled" if error.code is Code.CANCELLED else name
    return f"rpc error: code = {name} desc = {error.message}"


def result_of(response: ProposalResponse) -> bytes:
    """Return what the transaction function returned.

    The response's own payload need not be it, so the one endorsed is preferred.
    """
    if not response.payload:
        return response.response.payload  # nothing was endorsed
    try:
        return chaincode_action(response.payload).response.payload
    except MalformedMessage:
        return response.response.payload

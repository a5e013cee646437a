"""Evaluate: run a function on one peer and return its result (Fabric: gateway/evaluate.go)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Code, RpcError
from gridloom.common.rpc.deadline import within
from gridloom.common.rpc.local import as_rpc_error
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail, EvaluateRequest, EvaluateResponse
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse

from ..discovery.peers import PeerInfo
from .plan import error_detail
from .registry import NoPlan, Registry, UnknownChannel
from .request import OpenProposal
from .responses import PROCESS_PROPOSAL, Failure, ask, judged, result_of

OwnPeer = Callable[[SignedProposal], Coroutine[Any, Any, ProposalResponse]]
"""Processes a proposal at the gateway's own peer without endorsing what comes out."""


async def evaluate(
    registry: Registry,
    request: EvaluateRequest,
    *,
    endorsement_timeout: float,
    own_peer: OwnPeer | None = None,
) -> EvaluateResponse:
    """Ask peers one by one until one answers; RpcError with what each of them said.

    endorsement_timeout: seconds for each peer; own_peer: a shorter way to this gateway's own.
    """
    try:
        proposal = OpenProposal.open_complete(request.proposed_transaction)
    except MalformedMessage as error:
        reason = error.reason if error.what == "proposal" else str(error)
        raise RpcError(
            Code.INVALID_ARGUMENT, f"failed to unpack transaction proposal: {reason}"
        ) from error
    details: list[ErrorDetail] = []
    code = Code.UNAVAILABLE
    for peer in _peers(registry, proposal, list(request.target_organizations)):
        if own_peer is not None and registry.is_local(peer):
            asking = _within(endorsement_timeout, own_peer, proposal.signed)
            answer = await judged(asking, local=True)
        else:
            answer = await ask(
                peer, proposal.signed, local=registry.is_local(peer), timeout=endorsement_timeout
            )
        if not isinstance(answer, Failure):
            response = EvaluateResponse(result=answer.response)
            response.result.payload = result_of(answer)
            return response
        details.append(error_detail(peer, answer.message))
        code = answer.code
        if not answer.retry:
            raise RpcError(
                code, f"evaluate call to endorser returned error: {answer.message}", details
            )
    raise RpcError(
        code, "failed to evaluate transaction, see attached details for more info", details
    )


async def _within(seconds: float, own_peer: OwnPeer, signed: SignedProposal) -> ProposalResponse:
    """Ask the own peer; it fails as a call to it would."""
    try:
        return await within(asyncio.get_running_loop().time() + seconds, own_peer(signed))
    except Exception as error:
        raise as_rpc_error(error, PROCESS_PROPOSAL) from error


def _peers(registry: Registry, proposal: OpenProposal, msp_ids: list[str]) -> list[PeerInfo]:
    """Return whom to ask; transient data stays in the own organisation unless told otherwise."""
    protected = proposal.has_transient_data and not msp_ids
    if protected:
        msp_ids = [registry.local.msp_id]
    try:
        registry.require_channel(proposal.channel_id)
        return registry.evaluators(proposal.channel_id, proposal.chaincode, msp_ids)
    except UnknownChannel as error:
        raise RpcError(Code.UNAVAILABLE, str(error)) from error
    except NoPlan as error:
        message = str(error)
        if protected:
            message = (
                "no endorsers found in the gateway's organization; retry specifying target "
                f"organization(s) to protect transient data: {error}"
            )
        raise RpcError(Code.FAILED_PRECONDITION, message) from error

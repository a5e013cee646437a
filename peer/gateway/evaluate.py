"""Evaluate: run a function on one peer and return its result (Fabric: gateway/evaluate.go)."""

from __future__ import annotations

from gridloom.common.errors import MalformedMessage
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import ErrorDetail, EvaluateRequest, EvaluateResponse

from .plan import error_detail
from .registry import NoPlan, Registry
from .request import OpenProposal
from .responses import Failure, ask, result_of


async def evaluate(
    registry: Registry, request: EvaluateRequest, endorsement_timeout: float
) -> EvaluateResponse:
    """Ask peers one by one until one answers; RpcError with what each of them said.

    endorsement_timeout: seconds for each peer.
    """
    try:
        proposal = OpenProposal.open(request.proposed_transaction)
        proposal.check_complete()
    except MalformedMessage as error:
        raise RpcError(
            Code.INVALID_ARGUMENT, f"failed to unpack transaction proposal: {error.reason}"
        ) from error
    if not registry.knows(proposal.channel_id):
        raise RpcError(
            Code.UNAVAILABLE, f"failed to get config for channel [{proposal.channel_id}]"
        )
    organizations = list(request.target_organizations)
    protected = proposal.has_transient_data and not organizations
    if protected:
        organizations = [registry.local.msp_id]
    try:
        peers = registry.evaluators(proposal.channel_id, proposal.chaincode, organizations)
    except NoPlan as error:
        message = str(error)
        if protected:
            message = (
                "no endorsers found in the gateway's organization; retry specifying target "
                f"organization(s) to protect transient data: {error}"
            )
        raise RpcError(Code.FAILED_PRECONDITION, message) from error
    details: list[ErrorDetail] = []
    code = Code.UNAVAILABLE
    for peer in peers:
        answer = await ask(
            peer, proposal.signed, local=registry.is_local(peer), timeout=endorsement_timeout
        )
        if not isinstance(answer, Failure):
            response = EvaluateResponse()
            response.result.CopyFrom(answer.response)
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

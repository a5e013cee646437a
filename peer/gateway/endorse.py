"""Endorse: collect the endorsements a transaction needs (Fabric: gateway/endorse.go)."""

from __future__ import annotations

import asyncio

from gridloom.common.errors import MalformedMessage
from gridloom.common.proposals import prepare_transaction
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse, ErrorDetail
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeInterest, ProposalResponse

from ..discovery.endorsement import interest_in
from ..discovery.peers import PeerInfo
from .plan import Plan, error_detail
from .registry import NoPlan, Registry
from .request import OpenProposal
from .responses import Failure, ask


async def endorse(
    registry: Registry, request: EndorseRequest, endorsement_timeout: float
) -> EndorseResponse:
    """Return the transaction for the client to sign; RpcError with what each peer said.

    endorsement_timeout: seconds for each peer.
    """
    if not request.proposed_transaction.proposal_bytes:
        raise RpcError(
            Code.INVALID_ARGUMENT, "the proposed transaction must contain a signed proposal"
        )
    try:
        proposal = OpenProposal.open(request.proposed_transaction)
    except MalformedMessage as error:
        raise RpcError(Code.INVALID_ARGUMENT, str(error)) from error
    collection = _Collection(registry, proposal, endorsement_timeout)
    if request.endorsing_organizations:
        try:
            plan = registry.plan_for_organizations(
                proposal.channel_id, proposal.chaincode, list(request.endorsing_organizations)
            )
        except NoPlan as error:
            raise RpcError(Code.UNAVAILABLE, str(error)) from error
    else:
        plan = await collection.plan_from_first_endorser()
    await collection.complete(plan)
    if plan.completed is None or plan.response_payload is None:
        raise RpcError(
            Code.ABORTED,
            "failed to collect enough transaction endorsements, see attached details for more info",
            plan.errors,
        )
    transaction = prepare_transaction(proposal.proposal, plan.response_payload, plan.completed)
    return EndorseResponse(prepared_transaction=transaction)


class _Collection:
    """Collecting endorsements for one proposal."""

    def __init__(self, registry: Registry, proposal: OpenProposal, timeout: float) -> None:
        self._registry = registry
        self._proposal = proposal
        self._timeout = timeout

    async def complete(self, plan: Plan) -> None:
        """Ask the peers of one layout after the other until one is satisfied."""
        while plan.completed is None:
            endorsers = plan.endorsers()
            if not endorsers:
                return
            await asyncio.gather(*(self._endorse(plan, peer) for peer in endorsers))
            plan.next_layout()

    async def plan_from_first_endorser(self) -> Plan:
        """Let one peer of the own organisation simulate, then plan for what was touched."""
        first, response = await self._first_endorsement()
        interest = response.interest
        if not interest.chaincodes:
            interest = interest_in(self._proposal.chaincode)
        plan = self._plan_for(interest, first)
        plan.accept(first, response)
        return plan

    async def _endorse(self, plan: Plan, peer: PeerInfo) -> None:
        """Get an endorsement of a peer, or of another one of its group."""
        candidate: PeerInfo | None = peer
        while candidate is not None:
            answer = await self._ask(candidate)
            if isinstance(answer, Failure):
                plan.fail(candidate, answer.message)
            elif plan.accept(candidate, answer):
                return
            candidate = plan.next_in_group(candidate)
        plan.abandon_group_of(peer)

    async def _first_endorsement(self) -> tuple[PeerInfo, ProposalResponse]:
        errors: list[ErrorDetail] = []
        plan = self._first_plan()
        candidate: PeerInfo | None = plan.endorsers()[0]
        while candidate is not None:
            answer = await self._ask(candidate)
            if not isinstance(answer, Failure):
                return candidate, answer
            errors.append(error_detail(candidate, answer.message))
            candidate = plan.next_in_group(candidate)
        raise RpcError(
            Code.ABORTED,
            "failed to endorse transaction, see attached details for more info",
            errors,
        )

    def _first_plan(self) -> Plan:
        proposal, registry = self._proposal, self._registry
        try:
            return registry.plan_for_organizations(
                proposal.channel_id, proposal.chaincode, [registry.local.msp_id]
            )
        except NoPlan:
            if proposal.has_transient_data:
                raise RpcError(
                    Code.FAILED_PRECONDITION,
                    "no endorsers found in the gateway's organization; retry specifying "
                    "endorsing organization(s) to protect transient data",
                ) from None
        try:
            return registry.plan_for_interest(proposal.channel_id, interest_in(proposal.chaincode))
        except NoPlan as error:
            raise RpcError(Code.FAILED_PRECONDITION, str(error)) from error

    def _plan_for(self, interest: ChaincodeInterest, first: PeerInfo) -> Plan:
        """Plan so that transient data stays with the members of the collections involved."""
        channel_id = self._proposal.channel_id
        protected: list[str] = []
        cautious = interest
        if self._proposal.has_transient_data:
            cautious = ChaincodeInterest()
            cautious.CopyFrom(interest)
            for call in cautious.chaincodes:
                if call.no_private_reads:
                    call.no_private_reads = False
                    protected += call.collection_names
        try:
            return self._registry.plan_for_interest(channel_id, cautious, first)
        except NoPlan as error:
            message = str(error)
            if protected and self._is_possible(interest, first):
                message = (
                    "requires endorsement from organisation(s) that are not in the distribution "
                    f"policy of the private data collection(s): [{' '.join(protected)}]; retry "
                    "specifying trusted endorsing organizations to protect transient data"
                )
            raise RpcError(Code.FAILED_PRECONDITION, message) from error

    def _is_possible(self, interest: ChaincodeInterest, first: PeerInfo) -> bool:
        try:
            self._registry.plan_for_interest(self._proposal.channel_id, interest, first)
        except NoPlan:
            return False
        return True

    async def _ask(self, peer: PeerInfo) -> ProposalResponse | Failure:
        return await ask(
            peer,
            self._proposal.signed,
            local=self._registry.is_local(peer),
            timeout=self._timeout,
        )

"""Endorse: collect the endorsements a transaction needs (Fabric: gateway/endorse.go)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.proposals import endorsed_transaction
from gridloom.common.rpc import Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse, ErrorDetail
from gridloom.protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
)

from ..discovery.endorsement import interest_in
from ..discovery.peers import PeerInfo
from .deadline import until
from .plan import Plan, error_detail
from .registry import NoPlan, Registry
from .request import OpenProposal
from .responses import Failure, ask

FIRST_TOO_LATE = "endorsement timeout expired while collecting first endorsement"
ENDORSING_TOO_LATE = "endorsement timeout expired while collecting endorsements"
SEE_DETAILS = "see attached details for more info"


async def endorse(
    registry: Registry,
    request: EndorseRequest,
    *,
    endorsement_timeout: float,
    deadline: float | None = None,
) -> EndorseResponse:
    """Return the transaction for the client to sign; RpcError with what each peer said.

    endorsement_timeout: seconds for each peer; deadline: of the whole call, in loop time.
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
                proposal.channel_id, proposal.chaincode, request.endorsing_organizations
            )
        except NoPlan as error:
            raise RpcError(Code.UNAVAILABLE, str(error)) from error
    else:
        planning = collection.plan_from_first_endorser()
        plan = await until(deadline, FIRST_TOO_LATE, planning)
    completing = collection.complete(plan)
    endorsements = await until(deadline, ENDORSING_TOO_LATE, completing)
    return _prepared(proposal, plan, endorsements)


def _prepared(
    proposal: OpenProposal, plan: Plan, endorsements: Sequence[Endorsement] | None
) -> EndorseResponse:
    if endorsements is None:
        message = f"failed to collect enough transaction endorsements, {SEE_DETAILS}"
        raise RpcError(Code.ABORTED, message, plan.errors)
    try:
        transaction = endorsed_transaction(
            proposal.header, proposal.bare_payload, plan.response_payload, endorsements
        )
    except GridloomError as error:
        raise RpcError(Code.ABORTED, f"failed to assemble transaction: {error}") from error
    return EndorseResponse(prepared_transaction=transaction)


class _Collection:
    """Collecting endorsements for one proposal."""

    def __init__(self, registry: Registry, proposal: OpenProposal, timeout: float) -> None:
        self._registry = registry
        self._proposal = proposal
        self._timeout = timeout

    async def complete(self, plan: Plan) -> Sequence[Endorsement] | None:
        """Ask the peers of one layout after the other until one is satisfied, or none is left."""
        while (endorsements := plan.endorsements()) is None:
            asked = plan.next_endorsers()
            if not asked:
                return None
            if len(asked) == 1:
                await self._endorse(plan, asked[0])
            else:
                await asyncio.gather(*(self._endorse(plan, peer) for peer in asked))
        return endorsements

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
        """Get an endorsement of a peer, or of others of its group as long as they fail."""
        candidate: PeerInfo | None = peer
        while candidate is not None:
            answer = await self._ask(candidate)
            if isinstance(answer, Failure):
                plan.fail(candidate, answer.message)
            elif plan.accept(candidate, answer):
                return
            candidate = plan.replacement(candidate)

    async def _first_endorsement(self) -> tuple[PeerInfo, ProposalResponse]:
        errors: list[ErrorDetail] = []
        for peer in self._first_endorsers():
            answer = await self._ask(peer)
            if not isinstance(answer, Failure):
                return peer, answer
            errors.append(error_detail(peer, answer.message))
        raise RpcError(Code.ABORTED, f"failed to endorse transaction, {SEE_DETAILS}", errors)

    def _first_endorsers(self) -> list[PeerInfo]:
        """Return the peers of the own organisation; without any, some that discovery names."""
        channel_id, chaincode = self._proposal.channel_id, self._proposal.chaincode
        own = self._registry.endorsers(channel_id, chaincode, self._registry.local.msp_id)
        if own:
            return own
        if self._proposal.has_transient_data:
            raise RpcError(
                Code.FAILED_PRECONDITION,
                "no endorsers found in the gateway's organization; retry specifying "
                "endorsing organization(s) to protect transient data",
            )
        try:
            return self._registry.any_endorsers(channel_id, interest_in(chaincode))
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
            try:
                return self._registry.plan_for_interest(channel_id, cautious, first)
            except NoPlan:
                if not protected:
                    raise
                self._registry.plan_for_interest(channel_id, interest, first)
        except NoPlan as error:
            raise RpcError(Code.FAILED_PRECONDITION, str(error)) from error
        raise RpcError(
            Code.FAILED_PRECONDITION,
            "requires endorsement from organisation(s) that are not in the distribution "
            f"policy of the private data collection(s): [{' '.join(protected)}]; retry "
            "specifying trusted endorsing organizations to protect transient data",
        )

    async def _ask(self, peer: PeerInfo) -> ProposalResponse | Failure:
        return await ask(
            peer,
            self._proposal.signed,
            local=self._registry.is_local(peer),
            timeout=self._timeout,
        )

"""Having proposals endorsed by this peer's replica, in another process, while there is one.

Whatever cannot or should not be done there is done here: system chaincodes, chaincodes that are
services, private data, channels joined just now, and everything when the replica is lost.  An
endorsement leaves nothing behind, so it may be made again.
(Fabric has none: see replica.py)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from gridloom.common.errors import MalformedMessage
from gridloom.common.identities import Signer, SigningIdentity
from gridloom.common.proposals import endorsements_of
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.protos.gateway.gateway_pb2 import EndorseRequest, EndorseResponse
from gridloom.protos.peer.proposal_pb2 import SignedProposal
from gridloom.protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from .chaincodes.host import ChaincodeHost
from .chaincodes.resources import ChannelResources
from .endorser import Endorser
from .proposal import destination

log = logging.getLogger(__name__)

PROCESS_PROPOSAL = "/protos.Endorser/ProcessProposal"
ENDORSE = "/gateway.Gateway/Endorse"

_NOT_THERE = frozenset({Code.UNIMPLEMENTED, Code.UNAVAILABLE, Code.CANCELLED})
_AsOf = tuple[int, int]
_Kind = tuple[str, str, str]
"""Method, channel and chaincode."""

M = TypeVar("M", bound=Message)


class Vouching:
    """The keys that the peers of this process and their replicas share.

    What one of them has signed in the other process nobody needs to verify in this one.
    """

    def __init__(self) -> None:
        self._signers: dict[bytes, SigningIdentity] = {}

    def introduce(self, signer: Signer) -> None:
        """A peer's own identity, if its key is at hand."""
        if isinstance(signer, SigningIdentity):
            self._signers[signer.serialized] = signer

    def vouch(self, payload: bytes, endorsements: Iterable[Endorsement]) -> None:
        """Take it for granted that whoever of them is among the endorsers has signed."""
        for endorsement in endorsements:
            signer = self._signers.get(endorsement.endorser)
            if signer is not None:
                signer.vouch(payload + endorsement.endorser, endorsement.signature)


class Deputy(Protocol):
    """A process that may endorse for a peer; one vouching for all whom it endorses for."""

    @property
    def vouching(self) -> Vouching: ...

    def is_free(self) -> bool:
        """Whether it is there and should be asked; called once for each proposal there is."""
        ...

    async def call(self, method: str, request: Message, response_type: type[M]) -> M:
        """Call the peer's replica there; RpcError."""
        ...

    def retire(self) -> None:
        """Have it end, for what it knows is no longer so; another may come.  From any thread."""
        ...


class Delegation:
    """What one peer passes on to its deputy."""

    def __init__(
        self,
        deputy: Deputy,
        host: ChaincodeHost,
        channels: Callable[[str], ChannelResources | None],
    ) -> None:
        self._deputy = deputy
        self._host = host
        self._channels = channels
        self._delegable: dict[_Kind, tuple[_AsOf, bool]] = {}

    async def process_proposal(self, request: SignedProposal) -> ProposalResponse | None:
        """The replica's endorsement, None if the peer has to see itself; RpcError if refused."""
        response = await self._ask(PROCESS_PROPOSAL, request, request, ProposalResponse)
        if response is not None and response.HasField("endorsement"):
            self._deputy.vouching.vouch(response.payload, (response.endorsement,))
        return response

    async def endorse(self, request: EndorseRequest) -> EndorseResponse | None:
        """The transaction as the replica's gateway has it endorsed; None and errors as above."""
        proposal = request.proposed_transaction
        response = await self._ask(ENDORSE, request, proposal, EndorseResponse)
        if response is not None:
            payload, endorsements = endorsements_of(response.prepared_transaction)
            self._deputy.vouching.vouch(payload, endorsements)
        return response

    async def _ask(
        self, method: str, request: Message, proposal: SignedProposal, response_type: type[M]
    ) -> M | None:
        if not self._deputy.is_free():
            return None
        try:
            kind = (method, *destination(proposal.proposal_bytes))
        except MalformedMessage:
            return None  # which is refused here, with its reason
        if not self._may_delegate(kind):
            return None
        try:
            return await self._deputy.call(method, request, response_type)
        except RpcError as error:
            if error.code not in _NOT_THERE:
                raise
            if error.code is Code.UNIMPLEMENTED:
                self._keep_here(kind)
            return None

    def _may_delegate(self, kind: _Kind) -> bool:
        """Whether a chaincode is one that the replica can run, as far as can be known here."""
        _, channel_id, name = kind
        channel = self._channels(channel_id)
        if channel is None:
            return False
        as_of = self._host.approved.as_of(channel)
        known = self._delegable.get(kind)
        if known is None or known[0] != as_of:
            if not self._host.is_runnable_inline(channel_id, name):
                return False
            known = self._delegable[kind] = as_of, True
        return known[1]

    def _keep_here(self, kind: _Kind) -> None:
        """Delegate a chaincode no more until the lifecycle has changed."""
        _, channel_id, name = kind
        channel = self._channels(channel_id)
        if channel is not None:
            log.info("chaincode %s on %s needs the peer itself", name, channel_id)
            self._delegable[kind] = self._host.approved.as_of(channel), False


class DelegatingEndorser:
    """Implements protos.Endorser for one peer; own: what answers here."""

    def __init__(self, own: Endorser, delegation: Delegation) -> None:
        self._own = own
        self._delegation = delegation

    async def process_proposal(self, request: SignedProposal, call: Call) -> ProposalResponse:
        """Answer a signed proposal; RpcError (UNKNOWN) if the proposal itself is refused."""
        response = await self._delegation.process_proposal(request)
        if response is not None:
            return response
        return await self._own.process_proposal(request, call)

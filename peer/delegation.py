"""Having proposals endorsed by this peer's replica, in another process, while there is one.

Whatever cannot or should not be done there is done here: system chaincodes, chaincodes that are
services, private data, channels joined just now, and everything when the replica is lost.  An
endorsement leaves nothing behind, so it may be made again.
(Fabric has none: see replica.py)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from gridloom.common.errors import GridloomError
from gridloom.common.rpc import Call, Channel, Code, RpcError
from gridloom.protos.peer import proposal_pb2
from gridloom.protos.peer.proposal_response_pb2 import ProposalResponse

from .chaincodes.host import ChaincodeHost
from .chaincodes.resources import ChannelResources
from .endorser import Endorser
from .proposal import known_content, open_content, open_headers

log = logging.getLogger(__name__)

METHOD = "/protos.Endorser/ProcessProposal"

_NOT_THERE = frozenset({Code.UNIMPLEMENTED, Code.UNAVAILABLE, Code.CANCELLED})
_AsOf = tuple[int, int]


class Deputy(Protocol):
    """A process that may endorse for a peer."""

    def channel(self) -> Channel | None:
        """The way to it, None while it is not there; asked for each proposal there is."""
        ...

    def retire(self) -> None:
        """Have it end, for what it knows is no longer so; another may come.  From any thread."""
        ...


class DelegatingEndorser:
    """Implements protos.Endorser for one peer.

    own: what answers here; vouch: told message and signature of an endorsement that the peer's
    own key has made there, which nobody needs to verify.
    """

    def __init__(
        self,
        own: Endorser,
        deputy: Deputy,
        host: ChaincodeHost,
        channels: Callable[[str], ChannelResources | None],
        vouch: Callable[[bytes, bytes], None],
    ) -> None:
        self._own = own
        self._deputy = deputy
        self._host = host
        self._channels = channels
        self._vouch = vouch
        self._delegable: dict[tuple[str, str], tuple[_AsOf, bool]] = {}

    async def process_proposal(
        self, request: proposal_pb2.SignedProposal, call: Call
    ) -> ProposalResponse:
        """Answer a signed proposal; RpcError (UNKNOWN) if the proposal itself is refused."""
        elsewhere = self._deputy.channel()
        if elsewhere is None:
            return await self._own.process_proposal(request, call)
        place = self._place(request)
        if place is None or not self._may_delegate(*place):
            return await self._own.process_proposal(request, call)
        try:
            response = await elsewhere.unary(METHOD, request, ProposalResponse)
        except RpcError as error:
            if error.code not in _NOT_THERE:
                raise
            if error.code is Code.UNIMPLEMENTED:
                self._keep_here(*place)
            return await self._own.process_proposal(request, call)
        if response.HasField("endorsement"):
            endorsement = response.endorsement
            self._vouch(response.payload + endorsement.endorser, endorsement.signature)
        return response

    def _place(self, request: proposal_pb2.SignedProposal) -> tuple[str, str] | None:
        """Channel and chaincode of a proposal; None without a channel, or if it is malformed."""
        data = request.proposal_bytes
        try:
            content = known_content(data) or open_content(data, open_headers(data))
        except GridloomError:
            return None  # which the endorser here refuses with its reason
        return (content.channel_id, content.chaincode_name) if content.channel_id else None

    def _may_delegate(self, channel_id: str, name: str) -> bool:
        """Whether a chaincode is one that the replica can run, as far as can be known here."""
        channel = self._channels(channel_id)
        if channel is None:
            return False
        as_of = self._host.approved.as_of(channel)
        known = self._delegable.get((channel_id, name))
        if known is None or known[0] != as_of:
            if not self._host.is_runnable_inline(channel_id, name):
                return False
            known = self._delegable[channel_id, name] = as_of, True
        return known[1]

    def _keep_here(self, channel_id: str, name: str) -> None:
        """Delegate a chaincode no more until the lifecycle has changed."""
        channel = self._channels(channel_id)
        if channel is not None:
            log.info("chaincode %s on %s needs the peer itself", name, channel_id)
            self._delegable[channel_id, name] = self._host.approved.as_of(channel), False

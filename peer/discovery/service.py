"""The service discovery.Discovery: who is in a channel, who orders it, who can endorse what.

Older SDKs (fabric-network) plan their endorsements with it; a gateway does so by itself.
(Fabric: discovery/service.go, discovery/support/acl)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from google.protobuf import text_format

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.policies.policy import SignedData
from gridloom.common.rpc import Call, Code, RpcError
from gridloom.common.wire import parse
from gridloom.protos.discovery import protocol_pb2 as pb
from gridloom.protos.peer.proposal_response_pb2 import ChaincodeInterest

from ..acl import ADMINS, MEMBERS, WRITERS, AccessControl
from ..settings import DiscoverySettings
from .channel_config import config_result
from .endorsement import EndorsementDescriptor, authorized_peers, describe_endorsers
from .membership import by_organization, channel_peer, local_peer
from .peers import ChannelView, PeerDirectory, PeerInfo

logger = logging.getLogger(__name__)

LOCAL_MEMBERSHIP = "discovery/LocalMembership"
"""How an error names what a query without a channel asks for."""


class QueryRefused(GridloomError):
    """A query that gets an error instead of a result; the message is Fabric's."""


class DiscoveryService:
    """Implements discovery.Discovery for one peer.

    own: the peer itself; channels: those it has joined, by id; channel_ids: their names;
    runnable: what it runs on a channel, by name with the sequence of the definition.
    """

    def __init__(
        self,
        own: PeerInfo,
        directory: PeerDirectory,
        access: AccessControl,
        *,
        channels: Callable[[str], ChannelView | None],
        channel_ids: Callable[[], Sequence[str]],
        runnable: Callable[[str], Mapping[str, int]],
        settings: DiscoverySettings,
    ) -> None:
        self._own = own
        self._directory = directory
        self._channels = channels
        self._channel_ids = channel_ids
        self._runnable = runnable
        self._access = access
        self._local_role = MEMBERS if settings.org_members_allowed else ADMINS

    async def discover(self, signed: pb.SignedRequest, call: Call) -> pb.Response:
        """Answer every query, in order; what is refused is an error among the results.

        RpcError UNKNOWN for a request that names nobody, or another TLS certificate than the
        connection's.  A certificate can only be held against it where the server asks for one,
        which grpcio does under mutual TLS only.
        """
        request = _open(signed, call)
        caller = SignedData(
            signed.payload, request.authentication.client_identity, signed.signature
        )
        return pb.Response(results=[self._answer(query, caller) for query in request.queries])

    def _answer(self, query: pb.Query, caller: SignedData) -> pb.QueryResult:
        try:
            if not query.channel:
                return self._answer_local(query, caller)
            return self._answer_channel(query, caller)
        except QueryRefused as error:
            return pb.QueryResult(error=pb.Error(content=str(error)))

    def _answer_local(self, query: pb.Query, caller: SignedData) -> pb.QueryResult:
        try:
            self._access.check_role(LOCAL_MEMBERSHIP, self._local_role, caller)
        except GridloomError as error:
            raise _denied("without a channel", error) from error
        if query.WhichOneof("query") != "local_peers":
            raise QueryRefused("unknown or missing request type")
        known = {self._own.endpoint: self._own}
        for channel_id in self._channel_ids():
            known |= {peer.endpoint: peer for peer in self._directory.peers(channel_id)}
        peers = by_organization((peer.msp_id, local_peer(peer)) for peer in known.values())
        return pb.QueryResult(members=pb.PeerMembershipResult(peers_by_org=peers))

    def _answer_channel(self, query: pb.Query, caller: SignedData) -> pb.QueryResult:
        channel = self._channels(query.channel)
        if channel is None:
            raise _denied(f"of {query.channel}", None)
        try:
            channel.bundle.policies.get(WRITERS).evaluate([caller])
        except GridloomError as error:
            raise _denied(f"of {query.channel}", error) from error
        match query.WhichOneof("query"):
            case "config_query":
                return pb.QueryResult(config_result=config_result(channel.bundle))
            case "peer_query":
                return self._peers(channel, query.peer_query)
            case "cc_query":
                return self._endorsers(channel, query.cc_query)
            case _:
                raise QueryRefused("unknown or missing request type")

    def _peers(self, channel: ChannelView, query: pb.PeerMembershipQuery) -> pb.QueryResult:
        peers = self._members(channel)
        if query.filter.chaincodes:
            find = channel.definition
            try:
                peers = authorized_peers(channel.bundle, find, peers, query.filter)
            except GridloomError as error:
                raise QueryRefused(str(error)) from error
        found = by_organization(
            (p.msp_id, channel_peer(p, channel.bundle.channel_id)) for p in peers
        )
        for org in channel.bundle.application.orgs.values():
            found.setdefault(org.msp_id, pb.Peers())
        return pb.QueryResult(members=pb.PeerMembershipResult(peers_by_org=found))

    def _endorsers(self, channel: ChannelView, query: pb.ChaincodeQuery) -> pb.QueryResult:
        _check_interests(query.interests)
        peers, result = self._members(channel), pb.ChaincodeQueryResult()
        for interest in query.interests:
            try:
                found = describe_endorsers(channel.bundle, channel.definition, peers, interest)
            except GridloomError as error:
                logger.info("channel %s: %s", channel.bundle.channel_id, error)
                shown = _as_go_shows(interest)
                raise QueryRefused(f"failed constructing descriptor for {shown}") from error
            result.content.append(_descriptor(channel.bundle.channel_id, found, peers, interest))
        return pb.QueryResult(cc_query_res=result)

    def _members(self, channel: ChannelView) -> list[PeerInfo]:
        """The channel's peers; of what one has not told, what holds for this peer is assumed."""
        runs = self._runnable(channel.bundle.channel_id)
        members = []
        for peer in self._directory.peers(channel.bundle.channel_id):
            is_own = peer.endpoint == self._own.endpoint
            height = channel.height if is_own or peer.height is None else peer.height
            chaincodes = runs if is_own or peer.chaincodes is None else peer.chaincodes
            members.append(replace(peer, height=height, chaincodes=chaincodes))
        return members


def _open(signed: pb.SignedRequest, call: Call) -> pb.Request:
    try:
        request = parse(pb.Request, signed.payload, "discovery request")
    except MalformedMessage as error:
        raise RpcError(Code.UNKNOWN, f"failed parsing request: {error}") from error
    if not request.HasField("authentication"):
        raise RpcError(Code.UNKNOWN, "access denied, no authentication info in request")
    if not request.authentication.client_identity:
        raise RpcError(Code.UNKNOWN, "access denied, client identity wasn't supplied")
    claimed = request.authentication.client_tls_cert_hash
    if call.certificate is not None and claimed != sha256(call.certificate).digest():
        raise RpcError(
            Code.UNKNOWN,
            "client claimed TLS hash doesn't match computed TLS hash from gRPC stream",
        )
    return request


def _check_interests(interests: Sequence[ChaincodeInterest]) -> None:
    if not interests:
        raise QueryRefused("chaincode query must have at least one chaincode interest")
    for interest in interests:
        if not interest.chaincodes:
            raise QueryRefused("chaincode interest must contain at least one chaincode")
        if not all(call.name for call in interest.chaincodes):
            raise QueryRefused("chaincode name in interest cannot be empty")


def _descriptor(
    channel_id: str,
    found: EndorsementDescriptor,
    peers: Sequence[PeerInfo],
    interest: ChaincodeInterest,
) -> pb.EndorsementDescriptor:
    known = {peer.endpoint: peer for peer in peers}
    used = {group for layout in found.layouts for group in layout}
    return pb.EndorsementDescriptor(
        chaincode=interest.chaincodes[0].name,
        endorsers_by_groups={
            group: pb.Peers(peers=[channel_peer(known[at], channel_id) for at in endpoints])
            for group, endpoints in found.groups.items()
            if group in used
        },
        layouts=[pb.Layout(quantities_by_group=layout) for layout in found.layouts],
    )


def _as_go_shows(interest: ChaincodeInterest) -> str:
    """A message as Go's %v prints it: chaincodes:{name:"basic"}."""
    text = text_format.MessageToString(interest, as_one_line=True)
    return text.replace(" { ", ":{").replace(" }", "}").replace(": ", ":")


def _denied(what: str, error: GridloomError | None) -> QueryRefused:
    """The one answer to whom nothing may be told; the reason stays in the log."""
    logger.warning("discovery %s: access denied: %s", what, error or "there is no such channel")
    return QueryRefused("access denied")

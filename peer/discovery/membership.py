"""Peers in the form in which discovery tells of them: gossip's messages in unsigned envelopes.

Not every directory learns of peers by gossip, so there need be no signed AliveMessage or StateInfo
that could be passed on.  Clients read these envelopes and do not verify them.
(Fabric: discovery/service.go, gossip/protoext)
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message

from gridloom.protos.discovery import protocol_pb2 as pb
from gridloom.protos.gossip.message_pb2 import (
    AliveMessage,
    Envelope,
    GossipMessage,
    Member,
    PeerTime,
)

from ..gossip.messages import pki_id
from ..gossip.state_info import Standing, state_info
from .peers import PeerInfo

_EPOCH = PeerTime(inc_num=1, seq_num=1)


def local_peer(info: PeerInfo) -> pb.Peer:
    """A peer as such: its identity and endpoint."""
    member = Member(endpoint=info.endpoint, pki_id=pki_id(info.identity))
    alive = AliveMessage(membership=member, timestamp=_EPOCH)
    message = GossipMessage(tag=GossipMessage.EMPTY, alive_msg=alive)
    return pb.Peer(identity=info.identity, membership_info=_envelope(message))


def channel_peer(info: PeerInfo, channel_id: str) -> pb.Peer:
    """A peer of a channel: besides, the height of its ledger and what it runs.

    A chaincode's version is told as the sequence of its definition, which is what matters
    here.  Of a peer that has not told its height 0 is said.
    """
    said = Standing(info.height or 0, info.chaincodes or {})
    state = state_info(pki_id(info.identity), channel_id, said, _EPOCH)
    peer = local_peer(info)
    message = GossipMessage(tag=GossipMessage.CHAN_OR_ORG, state_info=state)
    peer.state_info.CopyFrom(_envelope(message))
    return peer


def by_organization(peers: Iterable[tuple[str, pb.Peer]]) -> dict[str, pb.Peers]:
    """Peers by MSP id; peers: each with its organisation's."""
    found: dict[str, pb.Peers] = {}
    for msp_id, peer in peers:
        found.setdefault(msp_id, pb.Peers()).peers.append(peer)
    return found


def _envelope(message: Message) -> Envelope:
    return Envelope(payload=message.SerializeToString())

"""What peers say of themselves on a channel: how high their ledger is and what they can run.

A StateInfo names its channel by a hash that only those can read who know the channel.  It is
believed of the very peer that sends it, and told to peers of the channel's organisations.
Pure: messages in, messages out (Fabric: gossip/gossip/channel/channel.go)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple, Protocol

from gridloom.common.errors import MalformedMessage
from gridloom.common.identities import Signer
from gridloom.protos.gossip.message_pb2 import (
    Chaincode,
    GossipMessage,
    PeerTime,
    Properties,
    StateInfo,
    StateInfoPullRequest,
    StateInfoSnapshot,
)

from ..chaincodes.lifecycle.definitions import LIFECYCLE_NAMESPACE
from .handshake import RemotePeer
from .messages import open_envelope, pki_id, sign

logger = logging.getLogger(__name__)

_LIFECYCLE = Chaincode(name=LIFECYCLE_NAMESPACE, version="1")
"""What every peer runs, and says so (Fabric: the lifecycle's metadata)."""
_SEQUENCE = re.compile("[0-9]{1,19}")


class Standing(NamedTuple):
    """A peer on a channel: its ledger's height, and what it can run.

    chaincodes: by name with the sequence of the definition, which Fabric tells as version.
    """

    height: int
    chaincodes: Mapping[str, int]


class OwnChannels(Protocol):
    """The channels of the peer that talks."""

    def channel_ids(self) -> Sequence[str]: ...

    def standing(self, channel_id: str) -> Standing:
        """What this peer says of itself on a channel that it has joined."""

    def is_member(self, channel_id: str, msp_id: str) -> bool:
        """Whether an organisation is one of the channel's."""


class StateInfos:
    """What this peer says on its channels, and what it has heard of others.

    incarnation: larger at each start of this peer.
    """

    def __init__(self, signer: Signer, own: OwnChannels, incarnation: int) -> None:
        self._signer = signer
        self._own = own
        self._name = pki_id(signer.serialized)
        self._time = PeerTime(inc_num=incarnation)
        self._heard: dict[tuple[bytes, str], tuple[tuple[int, int], Standing]] = {}

    def of(self, identity: bytes, channel_id: str) -> Standing | None:
        """Return what the peer of a serialized identity has said; None if it is not there."""
        heard = self._heard.get((identity, channel_id))
        return None if heard is None else heard[1]

    def to_say(self, msp_id: str) -> list[GossipMessage]:
        """Return what a peer of an organisation is told and asked, for each channel both are in."""
        said = []
        for channel_id in self._own.channel_ids():
            if self._own.is_member(channel_id, msp_id):
                pull = StateInfoPullRequest(channel_MAC=channel_mac(self._name, channel_id))
                tag = GossipMessage.CHAN_OR_ORG
                said.append(GossipMessage(tag=tag, state_info=self._info(channel_id)))
                said.append(GossipMessage(tag=tag, state_info_pull_req=pull))
        return said

    def answer(self, sender: RemotePeer, message: GossipMessage) -> GossipMessage | None:
        """Return what the question asks for, None if it asks for no channel of the sender's."""
        channel_id = self._channel_of(sender, message.state_info_pull_req.channel_MAC)
        if channel_id is None:
            return None
        tag = GossipMessage.CHAN_OR_ORG
        own = sign(GossipMessage(tag=tag, state_info=self._info(channel_id)), self._signer)
        snapshot = StateInfoSnapshot(elements=[own])
        return GossipMessage(tag=tag, channel=channel_id.encode(), state_snapshot=snapshot)

    def learn(self, sender: RemotePeer, message: GossipMessage) -> None:
        """Take what a peer says of itself, by a message of its own or in a snapshot.

        Whoever gives the former has seen that it is the sender's; what is forged or malformed
        in the latter is passed over.
        """
        if message.WhichOneof("content") == "state_info":
            self._keep(sender, message.state_info)
        for envelope in message.state_snapshot.elements:
            try:
                info = open_envelope(envelope).state_info
            except MalformedMessage as error:
                logger.debug("a StateInfo of %s is passed over: %s", sender.msp_id, error)
                continue
            if info.pki_id == sender.pki_id and sender.has_signed(envelope):
                self._keep(sender, info)

    def _keep(self, sender: RemotePeer, info: StateInfo) -> None:
        channel_id = self._channel_of(sender, info.channel_MAC)
        if channel_id is None or info.pki_id != sender.pki_id:
            return
        said = (info.timestamp.inc_num, info.timestamp.seq_num)
        peer = sender.claim.identity, channel_id
        known = self._heard.get(peer)
        if known is not None and said <= known[0]:
            return
        if info.properties.left_channel:
            self._heard.pop(peer, None)
        else:
            self._heard[peer] = said, standing(info.properties)

    def _channel_of(self, sender: RemotePeer, mac: bytes) -> str | None:
        """The channel that the sender means, if its organisation is one of the channel's."""
        for channel_id in self._own.channel_ids():
            if channel_mac(sender.pki_id, channel_id) == mac:
                return channel_id if self._own.is_member(channel_id, sender.msp_id) else None
        return None

    def _info(self, channel_id: str) -> StateInfo:
        self._time.seq_num += 1
        return state_info(self._name, channel_id, self._own.standing(channel_id), self._time)


def channel_mac(name: bytes, channel_id: str) -> bytes:
    """How the peer with this PKI-ID calls a channel (Fabric: ``GenerateMAC``)."""
    return sha256(name + channel_id.encode()).digest()


def state_info(name: bytes, channel_id: str, said: Standing, time: PeerTime) -> StateInfo:
    """A StateInfo, by its parts."""
    chaincodes = [
        Chaincode(name=name, version=str(sequence))
        for name, sequence in sorted(said.chaincodes.items())
    ]
    return StateInfo(
        timestamp=time,
        pki_id=name,
        channel_MAC=channel_mac(name, channel_id),
        properties=Properties(ledger_height=said.height, chaincodes=[*chaincodes, _LIFECYCLE]),
    )


def standing(properties: Properties) -> Standing:
    """What a StateInfo says; the old lifecycle's chaincodes, whose versions are words, left out."""
    told = {
        each.name: each.version
        for each in properties.chaincodes
        if each.name != LIFECYCLE_NAMESPACE
    }
    return Standing(
        properties.ledger_height,
        {name: int(version) for name, version in told.items() if _SEQUENCE.fullmatch(version)},
    )

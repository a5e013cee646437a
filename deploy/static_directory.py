"""The peers of a network as its description has them (Fabric: what gossip would tell).

Which of them are in a channel is asked of whoever knows the channel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from gridloom.common.rpc import Channel
from gridloom.peer.discovery.peers import PeerInfo

from .material import Material
from .topology import Topology

if TYPE_CHECKING:
    from gridloom.peer.node import Peer


class StaticDirectory:
    """The peers of a topology, each at its endpoint; heights and chaincodes are not known.

    members: the MSP ids of a channel's organizations now, those of the description if not
    given; a channel that nobody knows has no peers.  everyone: the peers of all channels.
    """

    def __init__(
        self,
        topology: Topology,
        material: Material,
        connect: Callable[[str], Channel],
        members: Callable[[str], Collection[str]] | None = None,
    ) -> None:
        self._members = members or _described_members(topology)
        self.everyone = [
            PeerInfo(
                msp_id=org.msp_id,
                endpoint=node.endpoint,
                identity=material.node(node.name).signing_identity.serialized,
                channel=connect(node.name),
            )
            for org in topology.organizations
            for node in org.peers
        ]

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel."""
        members = self._members(channel_id)
        return [peer for peer in self.everyone if peer.msp_id in members]


def members_of(peer: Peer) -> Callable[[str], Collection[str]]:
    """Return who is in a channel as a peer knows it: nobody in one that it has not joined."""

    def members(channel_id: str) -> Collection[str]:
        channel = peer.channel(channel_id)
        return () if channel is None else channel.bundle.application.orgs.keys()

    return members


def _described_members(topology: Topology) -> Callable[[str], Collection[str]]:
    members = {
        channel.name: [org.msp_id for org in topology.members(channel)]
        for channel in topology.channels
    }
    return lambda channel_id: members.get(channel_id, ())

"""The peers of one process, each by its own word (Fabric: what gossip's StateInfo tells)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.rpc import Channel
from gridloom.peer.chaincodes.host import ChaincodeHost
from gridloom.peer.discovery.peers import PeerInfo

from .material import Material
from .static_directory import StaticDirectory
from .topology import Topology


class LiveChannel(Protocol):
    """A channel that a peer has joined."""

    @property
    def channel_id(self) -> str: ...

    @property
    def height(self) -> int: ...

    @property
    def bundle(self) -> ChannelBundle: ...


class LivePeer(Protocol):
    """A peer of this process; `peer.node.Peer` is one, and `peer.replica.Replica`."""

    @property
    def host(self) -> ChaincodeHost: ...

    def channel(self, channel_id: str) -> LiveChannel | None: ...


class LiveDirectory:
    """The peers of this process that take part in a channel, with heights and chaincodes.

    peers: by full name; it may still be filled.
    """

    def __init__(self, peers: Mapping[str, LivePeer]) -> None:
        self._nodes = peers
        self._latest: dict[str, tuple[list[_Standing], Sequence[PeerInfo]]] = {}
        self._known: list[tuple[PeerInfo, str]] = []

    def open(
        self, topology: Topology, material: Material, connect: Callable[[str], Channel]
    ) -> None:
        """Begin to answer, once all peers are there; connect: the way to one by its full name."""
        everyone = StaticDirectory(topology, material, connect).everyone
        names = {node.endpoint: node.name for node in topology.peers()}
        self._known = [(info, names[info.endpoint]) for info in everyone]

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel by its own word; the same list while nothing changes."""
        joined = [
            _Standing(info, peer, channel, channel.height, peer.host.approved.packages.changes)
            for info, name in self._known
            if (channel := (peer := self._nodes[name]).channel(channel_id)) is not None
        ]
        known = self._latest.get(channel_id)
        if known is None or known[0] != joined:
            members = [each for each in joined if each.is_member]
            known = self._latest[channel_id] = joined, [each.described() for each in members]
        return known[1]

    def at(self, name: str) -> PeerInfo:
        """A peer by its full name, nothing being said of a channel; KeyError."""
        return {known: info for info, known in self._known}[name]


class _Standing(NamedTuple):
    """A peer on a channel, and what is different once anything else about it may be."""

    info: PeerInfo
    peer: LivePeer
    channel: LiveChannel
    height: int
    packages: int

    @property
    def is_member(self) -> bool:
        """Whether the channel's configuration knows its organisation."""
        return self.info.msp_id in self.channel.bundle.application.orgs

    def described(self) -> PeerInfo:
        """The peer with its height and chaincodes."""
        runs = self.peer.host.runnable(self.channel.channel_id)
        return replace(self.info, height=self.height, chaincodes=runs)

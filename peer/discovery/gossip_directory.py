"""The peers of a channel, as gossip knows them.

Asked are the anchor peers that the channels name, peers of the own organisation
(``peer.gossip.bootstrap``), and whoever these have told of: first who is there, by gossip's
handshake, then whom it knows and what it is on each channel, and again as long as it answers
(Fabric: gossip/discovery and gossip/gossip/channel, which send such news around unasked).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.rpc import Channel

from ..gossip.communication import UNREACHABLE, Communication
from ..gossip.membership import Membership
from ..gossip.state_info import Standing, StateInfos
from .peers import PeerInfo

log = logging.getLogger(__name__)

LOOK = 0.2
"""Seconds between two looks whether there is anybody to be asked, or anything to be told."""
SEEK = 2.0
"""Seconds between two attempts at an address where nobody has answered yet."""
KEEP_UP = 4.0
"""Seconds between two questions to a peer that is known (Fabric: aliveTimeInterval, 5 s)."""
ANSWER_TIMEOUT = 5.0
"""Seconds a peer has to say whom it knows."""


class LocalPeer(Protocol):
    """The peer whose directory this is."""

    @property
    def communication(self) -> Communication: ...

    @property
    def membership(self) -> Membership: ...

    @property
    def states(self) -> StateInfos: ...

    def channel_ids(self) -> Sequence[str]: ...

    def standing(self, channel_id: str) -> Standing: ...

    def channel(self, channel_id: str) -> _Joined | None: ...


class _Joined(Protocol):
    @property
    def bundle(self) -> ChannelBundle: ...


class GossipDirectory:
    """A ``PeerDirectory``; bootstrap: addresses of peers of the own organization.

    connect: a way to the peer at ``host:port``; nonce: a number of 64 bits, another each time.
    """

    def __init__(
        self,
        connect: Callable[[str], Channel],
        nonce: Callable[[], int],
        bootstrap: Sequence[str] = (),
    ) -> None:
        self._connect = connect
        self._nonce = nonce
        self._bootstrap = tuple(bootstrap)
        self._own: PeerInfo | None = None
        self._peer: LocalPeer | None = None
        self._found: dict[str, PeerInfo] = {}
        self._asked: dict[str, float] = {}
        self._runs: dict[str, Mapping[str, int]] = {}
        self._asking: asyncio.Task[None] | None = None

    def start(self, peer: LocalPeer, own: PeerInfo) -> None:
        """Begin to ask around for a peer, on the running event loop; own: that peer itself."""
        self._peer, self._own = peer, own
        self._asking = asyncio.get_running_loop().create_task(self._ask_around(peer, own))

    async def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel that has been found, this one included."""
        if self._peer is None or self._own is None:
            return []
        joined = self._peer.channel(channel_id)
        members = {} if joined is None else joined.bundle.application.orgs
        listed = [self._own] if self._own.msp_id in members else []
        for peer in self._found.values():
            said = self._peer.states.of(peer.identity, channel_id)
            if said is not None and peer.msp_id in members:
                listed.append(replace(peer, height=said.height, chaincodes=said.chaincodes))
        return listed

    async def _ask_around(self, peer: LocalPeer, own: PeerInfo) -> None:
        while True:
            try:
                self._tell_news(peer)
                known = _anchors(peer) | peer.membership.endpoints() | {*self._bootstrap}
                known = (known | self._found.keys()) - {own.endpoint}
                self._asked = {at: when for at, when in self._asked.items() if at in known}
                await asyncio.gather(*(self._ask(peer, at) for at in known if self._is_due(at)))
            except Exception:
                log.exception("asking around is interrupted")
            await asyncio.sleep(LOOK)

    def _tell_news(self, peer: LocalPeer) -> None:
        """Have everybody asked, and told, at once if this peer runs other chaincodes now."""
        before = self._runs
        self._runs = {at: peer.standing(at).chaincodes for at in peer.channel_ids()}
        if self._runs != before:
            self._asked.clear()

    def _is_due(self, endpoint: str) -> bool:
        pause = KEEP_UP if endpoint in self._found else SEEK
        last = self._asked.get(endpoint)
        return last is None or asyncio.get_running_loop().time() - last >= pause

    async def _ask(self, peer: LocalPeer, endpoint: str) -> None:
        """Find out who is at an address and whom that peer knows, or that nobody is."""
        self._asked[endpoint] = asyncio.get_running_loop().time()
        try:
            info = self._found.get(endpoint) or await self._meet(peer, endpoint)
            connection = await peer.communication.connect(info)
        except UNREACHABLE as error:
            if self._found.pop(endpoint, None) is not None:
                log.info("the peer at %s does not answer any more: %s", endpoint, error)
            else:
                log.debug("nobody known at %s: %s", endpoint, error)
            return
        # it may have another certificate of its organisation by now
        self._found[endpoint] = replace(info, identity=connection.remote.claim.identity)
        question = peer.membership.request(self._nonce())
        try:
            for message in peer.states.to_say(info.msp_id):
                connection.send(message)
            peer.membership.learn(await connection.request(question, ANSWER_TIMEOUT))
        except UNREACHABLE as error:
            log.debug("the peer at %s does not say whom it knows: %s", endpoint, error)

    async def _meet(self, peer: LocalPeer, endpoint: str) -> PeerInfo:
        channel = self._connect(endpoint)
        remote = await peer.communication.who_is_at(channel)
        log.info("peer of %s found at %s", remote.msp_id, endpoint)
        return PeerInfo(remote.msp_id, endpoint, remote.claim.identity, channel)


def _anchors(peer: LocalPeer) -> set[str]:
    """The addresses of all anchor peers in the configuration of the peer's channels."""
    joined = (peer.channel(channel_id) for channel_id in peer.channel_ids())
    return {
        f"{host}:{port}"
        for channel in joined
        if channel is not None
        for org in channel.bundle.application.orgs.values()
        for host, port in org.anchor_peers
    }

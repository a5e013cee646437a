"""The peers of a channel, found by the addresses that its configuration and our settings name.

Each organization's anchor peers, and peers of the own one (``peer.gossip.bootstrap``): who is at
an address is asked there, by gossip's handshake, and again until somebody answers
(Fabric: gossip's membership, which knows every peer and not only these).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from gridloom.common.channel.bundle import ChannelBundle
from gridloom.common.errors import GridloomError
from gridloom.common.identities import Identity, Signer
from gridloom.common.rpc import Channel
from gridloom.protos.gossip.message_pb2 import Envelope

from ..gossip.handshake import Handshake
from .peers import PeerInfo

log = logging.getLogger(__name__)

GOSSIP_STREAM = "/gossip.Gossip/GossipStream"
ASK_AGAIN = 2.0
"""Seconds between two rounds of questions."""
ANSWER_TIMEOUT = 5.0
"""Seconds a peer has to say who it is."""


class LocalPeer(Protocol):
    """The peer whose directory this is."""

    def channel_ids(self) -> Sequence[str]: ...

    def channel(self, channel_id: str) -> _Joined | None: ...


class _Joined(Protocol):
    @property
    def bundle(self) -> ChannelBundle: ...


class AnchorPeers:
    """A ``PeerDirectory``; bootstrap: addresses of peers of the own organization.

    tls_certificate: DER of what this peer shows in TLS sessions; connect: a way to the peer at
    ``host:port``.
    """

    def __init__(
        self,
        signer: Signer,
        tls_certificate: bytes | None,
        connect: Callable[[str], Channel],
        bootstrap: Sequence[str] = (),
    ) -> None:
        self._own: PeerInfo | None = None
        self._connect = connect
        self._bootstrap = tuple(bootstrap)
        self._handshake = Handshake(signer, self._judge, tls_certificate)
        self._peer: LocalPeer | None = None
        self._found: dict[str, PeerInfo] = {}
        self._asking: asyncio.Task[None] | None = None

    def start(self, peer: LocalPeer, own: PeerInfo) -> None:
        """Begin to ask around for a peer, on the running event loop; own: that peer itself."""
        self._peer, self._own = peer, own
        self._asking = asyncio.get_running_loop().create_task(self._ask_around())

    async def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def peers(self, channel_id: str) -> Sequence[PeerInfo]:
        """Return every peer of the channel that has been found, this one included."""
        members = self._members(channel_id)
        own = () if self._own is None else (self._own,)
        return [peer for peer in (*own, *self._found.values()) if peer.msp_id in members]

    def _members(self, channel_id: str) -> Mapping[str, object]:
        joined = self._peer.channel(channel_id) if self._peer is not None else None
        return {} if joined is None else joined.bundle.application.orgs

    def _bundles(self) -> list[ChannelBundle]:
        if self._peer is None:
            return []
        joined = (self._peer.channel(channel_id) for channel_id in self._peer.channel_ids())
        return [channel.bundle for channel in joined if channel is not None]

    def _addresses(self) -> set[str]:
        anchors = {
            f"{host}:{port}"
            for bundle in self._bundles()
            for org in bundle.application.orgs.values()
            for host, port in org.anchor_peers
        }
        own = set() if self._own is None else {self._own.endpoint}
        return (anchors | set(self._bootstrap)) - own

    async def _ask_around(self) -> None:
        while True:
            unknown = self._addresses() - self._found.keys()
            await asyncio.gather(*(self._ask(endpoint) for endpoint in unknown))
            await asyncio.sleep(ASK_AGAIN)

    async def _ask(self, endpoint: str) -> None:
        channel = self._connect(endpoint)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                identity = await self._who(channel)
        except (GridloomError, TimeoutError) as error:
            log.debug("nobody known at %s: %s", endpoint, error)
            return
        log.info("peer of %s found at %s", identity.msp_id, endpoint)
        self._found[endpoint] = PeerInfo(identity.msp_id, endpoint, identity.serialized, channel)

    async def _who(self, channel: Channel) -> Identity:
        stream = channel.stream(GOSSIP_STREAM, _first(self._handshake.own()), Envelope)
        async with aclosing(stream) as answers:
            async for answer in answers:
                remote = self._handshake.verify(answer, None)
                if remote is not None:
                    return remote.identity
                break
        raise NobodyThere

    def _judge(self, serialized: bytes) -> Identity:
        for bundle in self._bundles():
            try:
                identity = bundle.msp_manager.deserialize(serialized)
                bundle.msp_manager.validate(identity)
            except GridloomError:
                continue
            return identity
        raise NobodyThere


class NobodyThere(GridloomError):
    """An address at which no peer of any of our channels answers."""

    def __init__(self) -> None:
        super().__init__("no peer of any channel of this one")


async def _first(envelope: Envelope) -> AsyncIterator[Envelope]:
    yield envelope
    await asyncio.Event().wait()  # the stream stays open until its answer has come

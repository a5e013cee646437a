"""Asking other members for private data (Fabric: gossip/privdata/pull.go).

Everything wanted is shared out over the peers that may have it; what did not come is asked
of others, until nobody is left.  No peer is asked twice in one go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from gridloom.protos.gossip.message_pb2 import GossipMessage, RemotePvtDataRequest

from ..discovery.peers import PeerInfo
from ..gossip.communication import UNREACHABLE, Communication
from .digests import Digest, Wanted
from .distribution import Members
from .membership import Membership

logger = logging.getLogger(__name__)

RESPONSE_TIMEOUT = 5.0
"""Seconds a peer may take to answer (Fabric: responseWaitTime)."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of asking.

    found: by digest every set that was sent, not yet judged; expiring: digests that some peer
    has forgotten by block-to-live or will in a moment, so that nobody was asked; answered:
    those of which somebody said what he has; asked: whether there was anybody to ask.
    """

    found: dict[Digest, Sequence[bytes]] = field(default_factory=dict, repr=False)
    expiring: set[Digest] = field(default_factory=set)
    answered: set[Digest] = field(default_factory=set)
    asked: bool = False


class Puller:
    """Asks the other peers of one channel.

    margin: blocks before its end at which data are not worth moving (Fabric: btlPullMargin).
    """

    def __init__(
        self,
        channel_id: str,
        communication: Communication,
        membership: Membership,
        others: Members,
        *,
        random: Random,
        random_bytes: Callable[[int], bytes],
        margin: int = 10,
    ) -> None:
        self._channel_id = channel_id
        self._communication = communication
        self._membership = membership
        self._others = others
        self._random = random
        self._random_bytes = random_bytes
        self._margin = margin

    async def pull(self, wanted: Sequence[Wanted]) -> Pulled:
        """Ask whoever may have it; never raises for peers that fail."""
        members = [*self._others()]
        self._random.shuffle(members)
        pulled = Pulled(asked=any(self._may_have(p, each) for each in wanted for p in members))
        left = {each.digest: each for each in wanted}
        while left and members:
            for each in [each for each in left.values() if self._expires(each, members)]:
                pulled.expiring.add(each.digest)
                del left[each.digest]
            shares = self._share_out(left.values(), members)
            if not shares:
                break
            for endpoint in shares:
                members = [peer for peer in members if peer.endpoint != endpoint]
            for answer in await asyncio.gather(*(self._ask(p, d) for p, d in shares.values())):
                pulled.answered.update(answer)
                for digest, sets in answer.items():
                    if sets and left.pop(digest, None) is not None:
                        pulled.found[digest] = sets
        return pulled

    def _share_out(
        self, wanted: Iterable[Wanted], members: Sequence[PeerInfo]
    ) -> Mapping[str, tuple[PeerInfo, list[Digest]]]:
        """Whom to ask for what, by endpoint."""
        shares: dict[str, tuple[PeerInfo, list[Digest]]] = {}
        for each in wanted:
            able = [peer for peer in members if self._may_have(peer, each)]
            peer = next(filter(each.preferred, able), next(iter(able), None))
            if peer is not None:
                shares.setdefault(peer.endpoint, (peer, []))[1].append(each.digest)
        return shares

    def _may_have(self, peer: PeerInfo, wanted: Wanted) -> bool:
        return self._membership.admits(wanted.config, peer.identity)

    def _expires(self, wanted: Wanted, members: Sequence[PeerInfo]) -> bool:
        lives = wanted.config.block_to_live
        end = wanted.digest.block + lives
        return lives > 0 and any(
            peer.height is not None and peer.height + self._margin >= end for peer in members
        )

    async def _ask(
        self, peer: PeerInfo, digests: Sequence[Digest]
    ) -> Mapping[Digest, Sequence[bytes]]:
        """What a peer gives of these: by digest, () for what it has not; {} if it fails."""
        request = GossipMessage(
            channel=self._channel_id.encode(),
            nonce=int.from_bytes(self._random_bytes(8), "big"),
            tag=GossipMessage.CHAN_ONLY,
            privateReq=RemotePvtDataRequest(digests=[digest.message() for digest in digests]),
        )
        try:
            connection = await self._communication.connect(peer)
            answer = await connection.request(request, RESPONSE_TIMEOUT)
        except UNREACHABLE as error:
            logger.warning(
                "%s did not answer for %d private sets: %s",
                peer.endpoint,
                len(digests),
                str(error) or type(error).__name__,
            )
            return {}
        sent = {Digest.of(each.digest): tuple(each.payload) for each in answer.privateRes.elements}
        return {digest: sent.get(digest, ()) for digest in digests}

"""Whom a peer has heard of, and what it tells others about them.

A peer asks by a MembershipRequest, which holds an AliveMessage of its own, and is told the
AliveMessages of others: where each is, signed by itself.  Who is not heard of anew is dead after
a while.  A place is a hint and no more: who is there is found out by gossip's handshake.
Pure: messages and the time in, messages out (Fabric: gossip/discovery/discovery_impl.go)
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gridloom.common.errors import GridloomError, MalformedMessage
from gridloom.common.identities import Identity, Signer
from gridloom.protos.gossip.message_pb2 import (
    AliveMessage,
    Envelope,
    GossipMessage,
    Member,
    MembershipRequest,
    MembershipResponse,
    PeerTime,
)

from .handshake import RemotePeer
from .messages import open_envelope, pki_id, sign

logger = logging.getLogger(__name__)

ALIVE_EXPIRATION = 25.0
"""Seconds until a peer that is not heard of is dead (peer.gossip.aliveExpirationTimeout)."""
FORGETTING = 20 * ALIVE_EXPIRATION
"""Seconds after which nothing is known of it: until then old news does not revive it."""
MOST_HEARD, MOST_HEARSAY = 1_000, 50
"""Peers heard of at a time, and those that nobody vouches for; further ones are passed over."""
_ENDPOINT = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}:[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class _Heard:
    """The newest AliveMessage of a peer, when it said so and when we heard it (seconds).

    identity: serialized, with its MSP id; both empty if only hearsay says whose message it is.
    """

    identity: bytes
    msp_id: str
    endpoint: str
    said: tuple[int, int]
    envelope: Envelope
    at: float

    def is_older(self, said: tuple[int, int], identity: bytes) -> bool:
        """Whether a message of that time, by this identity or hearsay, is to take its place."""
        return said > self.said if bool(identity) == bool(self.identity) else bool(identity)


class Membership:
    """What one peer knows of others.

    endpoint: ``host:port`` of this peer for others; judge: the valid identity behind serialized
    bytes, a GridloomError for anybody unknown; seconds: a clock that only grows; incarnation:
    larger at each start of this peer.
    """

    def __init__(
        self,
        signer: Signer,
        endpoint: str,
        judge: Callable[[bytes], Identity],
        seconds: Callable[[], float],
        incarnation: int,
    ) -> None:
        self._signer = signer
        self._judge = judge
        self._seconds = seconds
        self._self = Member(endpoint=endpoint, pki_id=pki_id(signer.serialized))
        self._time = PeerTime(inc_num=incarnation)
        self._heard: dict[bytes, _Heard] = {}

    def request(self, nonce: int) -> GossipMessage:
        """Return the question to another peer whom it knows."""
        request = MembershipRequest(self_information=self._alive_message())
        return GossipMessage(tag=GossipMessage.EMPTY, nonce=nonce, mem_req=request)

    def answer(self, sender: RemotePeer, message: GossipMessage) -> GossipMessage | None:
        """Return the answer to such a question, None if the sender does not speak of itself.

        It holds this peer, and of the living those of its own organisation and the sender's.
        """
        try:
            own = message.mem_req.self_information
            if _opened(own).membership.pki_id != sender.pki_id:
                raise MalformedMessage("AliveMessage", "it is another peer's than the sender's")
            self._hear(own, {sender.pki_id: sender.claim.identity})
        except GridloomError as error:
            logger.debug("a question of %s for peers is not answered: %s", sender.msp_id, error)
            return None
        told = {self._signer.msp_id, sender.msp_id}
        alive = [heard.envelope for heard in self._alive() if heard.msp_id in told]
        response = MembershipResponse(alive=[*alive, self._alive_message()])
        return GossipMessage(tag=GossipMessage.EMPTY, nonce=message.nonce, mem_res=response)

    def learn(self, answer: GossipMessage) -> None:
        """Take what another peer tells; what is forged or malformed is passed over."""
        for envelope in answer.mem_res.alive:
            try:
                self._hear(envelope, {})
            except GridloomError as error:
                logger.debug("an AliveMessage is passed over: %s", error)

    def endpoints(self) -> set[str]:
        """Return where the living are said to be."""
        return {heard.endpoint for heard in self._alive() if heard.endpoint}

    def _alive(self) -> list[_Heard]:
        since = self._seconds() - ALIVE_EXPIRATION
        return [heard for heard in self._heard.values() if heard.at > since]

    def _alive_message(self) -> Envelope:
        self._time.seq_num += 1
        alive = AliveMessage(
            membership=self._self, timestamp=self._time, identity=self._signer.serialized
        )
        return sign(GossipMessage(tag=GossipMessage.EMPTY, alive_msg=alive), self._signer)

    def _hear(self, envelope: Envelope, met: Mapping[bytes, bytes]) -> None:
        """Keep an AliveMessage that is news; a GridloomError if it is not what it says.

        met: identities by PKI-ID, of those who leave theirs out.  Whose identity nobody has
        told may still be there: Fabric's peers tell of each other without identities.
        """
        alive = _opened(envelope)
        name, said = alive.membership.pki_id, (alive.timestamp.inc_num, alive.timestamp.seq_num)
        known = self._heard.get(name)
        identity = alive.identity or met.get(name) or (known.identity if known else b"")
        if name == self._self.pki_id or (known is not None and not known.is_older(said, identity)):
            return
        msp_id = self._vouched(name, identity, envelope) if identity else ""
        if known is None:
            self._make_room(identity)
        endpoint = alive.membership.endpoint
        self._heard[name] = _Heard(identity, msp_id, endpoint, said, envelope, self._seconds())

    def _vouched(self, name: bytes, identity: bytes, envelope: Envelope) -> str:
        """Return the MSP id of whoever has signed an AliveMessage."""
        if name != pki_id(identity):
            raise MalformedMessage("AliveMessage", "the PKI-ID is not that of the identity")
        judged = self._judge(identity)
        judged.verify(envelope.payload, envelope.signature)
        return judged.msp_id

    def _make_room(self, identity: bytes) -> None:
        before = self._seconds() - FORGETTING
        for long_dead in [name for name, heard in self._heard.items() if heard.at <= before]:
            del self._heard[long_dead]
        hearsay = sum(not heard.identity for heard in self._heard.values())
        if len(self._heard) >= MOST_HEARD or (not identity and hearsay >= MOST_HEARSAY):
            raise MalformedMessage("AliveMessage", "too many peers are told of")


def _opened(envelope: Envelope) -> AliveMessage:
    alive = open_envelope(envelope).alive_msg
    if not alive.membership.pki_id:
        raise MalformedMessage("AliveMessage", "it names no peer")
    endpoint = alive.membership.endpoint
    if endpoint and not _ENDPOINT.fullmatch(endpoint):
        raise MalformedMessage("AliveMessage", f"{endpoint!r} is no host:port")
    return alive

"""What peers tell each other about where they are, and what nobody is believed."""

from dataclasses import dataclass, field

import pytest

from gridloom.peer.gossip.handshake import Handshake, RemotePeer
from gridloom.peer.gossip.membership import (
    ALIVE_EXPIRATION,
    FORGETTING,
    MOST_HEARSAY,
    Membership,
)
from gridloom.peer.gossip.messages import open_envelope, pki_id, sign
from gridloom.protos.gossip.message_pb2 import (
    AliveMessage,
    Envelope,
    GossipMessage,
    Member,
    PeerTime,
)
from harness.consortium import Consortium
from harness.gossiping import DESCRIPTION, Judge

NET = Consortium(DESCRIPTION)
JUDGE = Judge(NET)
NAMES = {
    f"{name}.example.com:7051": f"{name}.example.com"
    for name in ("peer0.org1", "peer1.org1", "peer0.org2", "peer0.org3")
}
ONE, OTHER, SECOND, THIRD = NAMES


@dataclass
class Clock:
    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Talking:
    """A peer that hears of others."""

    address: str
    clock: Clock = field(default_factory=Clock)
    incarnation: int = 1

    def __post_init__(self):
        self.signer = NET.material.node(NAMES[self.address]).signing_identity
        self.membership = Membership(
            self.signer, self.address, JUDGE, self.clock, incarnation=self.incarnation
        )

    def remote(self) -> RemotePeer:
        claim = Handshake(self.signer, JUDGE).own()
        remote = Handshake(self.signer, JUDGE).verify(claim, None)
        assert remote is not None
        return remote

    def ask(self, other: "Talking", nonce: int = 7) -> GossipMessage:
        """Ask another whom it knows, and learn it."""
        answer = other.membership.answer(self.remote(), self.membership.request(nonce))
        assert answer is not None
        self.membership.learn(answer)
        return answer


def alive(
    address: str, said: int = 1, endpoint: str = "", identity: bytes | None = None
) -> Envelope:
    """What a peer says of itself; identity: another than its own, or none."""
    signer = NET.material.node(NAMES[address]).signing_identity
    message = AliveMessage(
        membership=Member(endpoint=endpoint or address, pki_id=pki_id(signer.serialized)),
        timestamp=PeerTime(inc_num=1, seq_num=said),
        identity=signer.serialized if identity is None else identity,
    )
    return sign(GossipMessage(tag=GossipMessage.EMPTY, alive_msg=message), signer)


def told(*envelopes: Envelope) -> GossipMessage:
    message = GossipMessage(tag=GossipMessage.EMPTY)
    message.mem_res.alive.extend(envelopes)
    return message


@pytest.fixture
def one() -> Talking:
    return Talking(ONE)


# --- asking and answering -------------------------------------------------------------


def test_a_question_is_what_fabric_sends(one):
    question = one.membership.request(42)
    assert (question.tag, question.nonce, question.channel) == (GossipMessage.EMPTY, 42, b"")
    own = question.mem_req.self_information
    said = open_envelope(own)
    assert (said.tag, said.nonce) == (GossipMessage.EMPTY, 0)
    assert said.alive_msg.membership == Member(endpoint=ONE, pki_id=pki_id(one.signer.serialized))
    assert said.alive_msg.identity == one.signer.serialized
    JUDGE(one.signer.serialized).verify(own.payload, own.signature)


def test_both_know_each_other_afterwards(one):
    two = Talking(SECOND)
    answer = one.ask(two, nonce=99)
    assert answer.nonce == 99
    assert one.membership.endpoints() == {SECOND}
    assert two.membership.endpoints() == {ONE}


def test_who_is_known_to_one_is_told_to_the_next(one):
    other, two = Talking(OTHER), Talking(SECOND)
    other.ask(two)
    one.ask(two)
    assert one.membership.endpoints() == {OTHER, SECOND}


def test_a_third_organisations_peers_are_nobodys_business(one):
    two, third = Talking(SECOND), Talking(THIRD)
    third.ask(two)
    one.ask(two)
    assert one.membership.endpoints() == {SECOND}


def test_a_question_of_whoever_does_not_speak_of_itself_gets_no_answer(one):
    two = Talking(SECOND)
    forged = two.membership.request(7)
    forged.mem_req.self_information.signature = b"forged"
    borrowed = Talking(OTHER).membership.request(7)
    for question in (forged, borrowed, GossipMessage()):
        assert one.membership.answer(two.remote(), question) is None
    assert one.membership.endpoints() == set()


def test_an_identity_shown_in_the_handshake_need_not_be_said_again(one):
    question = GossipMessage(tag=GossipMessage.EMPTY)
    question.mem_req.self_information.CopyFrom(alive(OTHER, identity=b""))
    assert one.membership.answer(Talking(OTHER).remote(), question) is not None
    assert Talking(SECOND).ask(one).mem_res.alive[0] == question.mem_req.self_information


# --- life and death -------------------------------------------------------------------


def test_who_is_not_heard_of_anew_is_dead(one):
    two = Talking(SECOND)
    one.ask(two)
    one.clock.seconds += ALIVE_EXPIRATION
    assert one.membership.endpoints() == set()
    one.ask(two)
    assert one.membership.endpoints() == {SECOND}


def test_old_news_does_not_revive_the_dead(one):
    one.membership.learn(told(alive(SECOND, said=5)))
    one.clock.seconds += ALIVE_EXPIRATION
    one.membership.learn(told(alive(SECOND, said=5), alive(SECOND, said=4)))
    assert one.membership.endpoints() == set()
    one.membership.learn(told(alive(SECOND, said=6)))
    assert one.membership.endpoints() == {SECOND}


def test_a_peer_that_was_started_again_begins_to_count_anew(one):
    one.ask(Talking(SECOND))
    one.ask(Talking(SECOND))
    one.clock.seconds += ALIVE_EXPIRATION
    one.ask(Talking(SECOND, incarnation=2))
    assert one.membership.endpoints() == {SECOND}


# --- what is not believed -------------------------------------------------------------


def test_what_is_forged_or_malformed_is_passed_over(one):
    forged = alive(SECOND)
    forged.signature = alive(OTHER).signature
    borrowed = alive(SECOND, identity=Talking(OTHER).signer.serialized)
    stranger = alive(SECOND, identity=b"of no MSP")
    rubbish = Envelope(payload=b"\xff")
    one.membership.learn(told(forged, borrowed, stranger, rubbish, alive(THIRD)))
    assert one.membership.endpoints() == {THIRD}


def test_its_own_echo_is_not_heard(one):
    one.membership.learn(told(alive(ONE, said=1_000)))
    assert one.membership.endpoints() == set()


def test_hearsay_is_followed_but_not_told_to_others(one):
    one.membership.learn(told(alive(OTHER, identity=b"", endpoint="there:1")))
    assert one.membership.endpoints() == {"there:1"}
    two = Talking(SECOND)
    two.ask(one)
    assert two.membership.endpoints() == {ONE}


def test_hearsay_gives_way_to_what_is_signed_however_late_it_claims_to_be(one):
    one.membership.learn(told(alive(OTHER, said=1_000, identity=b"", endpoint="nowhere:1")))
    one.membership.learn(told(alive(OTHER, said=1)))
    assert one.membership.endpoints() == {OTHER}
    one.membership.learn(told(alive(OTHER, said=2, identity=b"", endpoint="moved:2")))
    assert one.membership.endpoints() == {"moved:2"}, "its identity is known by now"
    forged = alive(OTHER, said=3, identity=b"", endpoint="nowhere:3")
    forged.signature = b"forged"
    one.membership.learn(told(forged))
    assert one.membership.endpoints() == {"moved:2"}


@pytest.mark.parametrize("endpoint", ["nowhere", ":1", "host:port", "host:123456", "a b:1", "\0:1"])
def test_what_is_no_address_is_not_asked(one, endpoint):
    one.membership.learn(told(alive(SECOND, endpoint=endpoint)))
    assert one.membership.endpoints() == set()


def test_who_has_no_address_for_others_is_known_all_the_same(one):
    message = AliveMessage(
        membership=Member(pki_id=pki_id(Talking(OTHER).signer.serialized)),
        timestamp=PeerTime(inc_num=1),
        identity=Talking(OTHER).signer.serialized,
    )
    envelope = sign(GossipMessage(alive_msg=message), Talking(OTHER).signer)
    one.membership.learn(told(envelope))
    assert one.membership.endpoints() == set()
    assert envelope in Talking(SECOND).ask(one).mem_res.alive


def test_there_is_little_room_for_hearsay(one):
    def unheard_of(number: int) -> Envelope:
        member = Member(endpoint=f"host:{number}", pki_id=number.to_bytes(32, "big"))
        message = AliveMessage(membership=member, timestamp=PeerTime(inc_num=1))
        return Envelope(payload=GossipMessage(alive_msg=message).SerializeToString())

    one.membership.learn(told(*map(unheard_of, range(MOST_HEARSAY + 10)), alive(SECOND)))
    assert len(one.membership.endpoints()) == MOST_HEARSAY + 1
    one.clock.seconds += FORGETTING
    one.membership.learn(told(alive(THIRD)))
    assert one.membership.endpoints() == {THIRD}
    assert len(one.membership._heard) == 1


def test_there_is_an_end_to_all_that_is_heard(one, monkeypatch):
    monkeypatch.setattr("gridloom.peer.gossip.membership.MOST_HEARD", 2)
    one.membership.learn(told(*map(alive, (OTHER, SECOND, THIRD))))
    assert one.membership.endpoints() == {OTHER, SECOND}

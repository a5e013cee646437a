"""What peers say of themselves on a channel, and whom they tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gridloom.peer.gossip.handshake import Handshake, RemotePeer
from gridloom.peer.gossip.messages import open_envelope, pki_id, sign
from gridloom.peer.gossip.state_info import Standing, StateInfos, channel_mac
from gridloom.protos.gossip.message_pb2 import (
    Chaincode,
    Envelope,
    GossipMessage,
    PeerTime,
    Properties,
    StateInfo,
)
from harness.consortium import Consortium
from harness.gossiping import DESCRIPTION, Judge

NET = Consortium(DESCRIPTION)
ONE, OTHER, SECOND, THIRD = (
    f"{name}.example.com" for name in ("peer0.org1", "peer1.org1", "peer0.org2", "peer0.org3")
)
MEMBERS = {"mychannel": {"Org1MSP", "Org2MSP"}, "narrow": {"Org1MSP", "Org3MSP"}}


@dataclass
class Channels:
    standings: dict[str, Standing] = field(
        default_factory=lambda: {"mychannel": Standing(5, {"cc": 2}), "narrow": Standing(9, {})}
    )

    def channel_ids(self) -> Sequence[str]:
        return sorted(self.standings)

    def standing(self, channel_id: str) -> Standing:
        return self.standings[channel_id]

    def is_member(self, channel_id: str, msp_id: str) -> bool:
        return msp_id in MEMBERS[channel_id]


class Talking:
    """A peer with two channels."""

    def __init__(self, name: str, incarnation: int = 1) -> None:
        self.signer = NET.material.node(name).signing_identity
        self.identity = self.signer.serialized
        self.name = pki_id(self.identity)
        self.channels = Channels()
        self.states = StateInfos(self.signer, self.channels, incarnation)

    def remote(self) -> RemotePeer:
        handshake = Handshake(self.signer, Judge(NET))
        remote = handshake.verify(handshake.own(), None)
        assert remote is not None
        return remote

    def say(self, other: "Talking") -> None:
        """Say to another what is to be said, and learn its answers."""
        for message in self.states.to_say(other.signer.msp_id):
            other.states.learn(self.remote(), message)
            if message.WhichOneof("content") == "state_info_pull_req":
                answer = other.states.answer(self.remote(), message)
                if answer is not None:
                    self.states.learn(other.remote(), answer)

    def info(self, channel_id: str = "mychannel", said: int = 1, **changes: object) -> StateInfo:
        fields = {
            "timestamp": PeerTime(inc_num=1, seq_num=said),
            "pki_id": self.name,
            "channel_MAC": channel_mac(self.name, channel_id),
            "properties": Properties(ledger_height=5),
        }
        return StateInfo(**(fields | changes))

    def signed(self, info: StateInfo) -> Envelope:
        return sign(GossipMessage(tag=GossipMessage.CHAN_OR_ORG, state_info=info), self.signer)


@pytest.fixture
def one() -> Talking:
    return Talking(ONE)


@pytest.fixture
def two() -> Talking:
    return Talking(SECOND)


def message(info: StateInfo) -> GossipMessage:
    return GossipMessage(tag=GossipMessage.CHAN_OR_ORG, state_info=info)


def snapshot(*elements: Envelope) -> GossipMessage:
    made = GossipMessage(tag=GossipMessage.CHAN_OR_ORG, channel=b"mychannel")
    made.state_snapshot.elements.extend(elements)
    return made


# --- saying and asking ----------------------------------------------------------------


def test_both_know_height_and_chaincodes_afterwards(one, two):
    one.channels.standings["mychannel"] = Standing(7, {"cc": 1, "other": 3})
    one.say(two)
    assert one.states.of(two.identity, "mychannel") == Standing(5, {"cc": 2})
    assert two.states.of(one.identity, "mychannel") == Standing(7, {"cc": 1, "other": 3})


def test_messages_are_what_fabric_sends(one, two):
    said, asked = one.states.to_say("Org2MSP")
    assert (said.tag, said.nonce, said.channel) == (GossipMessage.CHAN_OR_ORG, 0, b"")
    assert said.state_info.channel_MAC == channel_mac(one.name, "mychannel")
    told = [(each.name, each.version) for each in said.state_info.properties.chaincodes]
    assert told == [("cc", "2"), ("_lifecycle", "1")]
    assert asked.state_info_pull_req.channel_MAC == channel_mac(one.name, "mychannel")
    answer = two.states.answer(one.remote(), asked)
    assert answer is not None
    assert (answer.tag, answer.channel) == (GossipMessage.CHAN_OR_ORG, b"mychannel")
    (element,) = answer.state_snapshot.elements
    assert two.remote().has_signed(element)
    assert open_envelope(element).state_info.pki_id == two.name


def test_a_channel_is_spoken_of_to_its_members_only(one, two):
    one.say(two)
    assert two.states.of(one.identity, "narrow") is None
    assert [len(one.states.to_say(f"Org{n}MSP")) for n in (1, 2, 3, 4)] == [4, 2, 2, 0]
    narrow = GossipMessage()
    narrow.state_info_pull_req.channel_MAC = channel_mac(two.name, "narrow")
    assert one.states.answer(two.remote(), narrow) is None


def test_a_question_for_no_channel_here_is_not_answered(one, two):
    for mac in (b"", channel_mac(two.name, "elsewhere"), channel_mac(one.name, "mychannel")):
        question = GossipMessage()
        question.state_info_pull_req.channel_MAC = mac
        assert one.states.answer(two.remote(), question) is None


# --- what is kept ---------------------------------------------------------------------


def test_the_latest_word_counts(one, two):
    for said, height, known in ((2, 20, 20), (1, 30, 20), (2, 40, 20), (3, 10, 10)):
        info = two.info(said=said, properties=Properties(ledger_height=height))
        one.states.learn(two.remote(), message(info))
        assert one.states.of(two.identity, "mychannel") == Standing(known, {})


def test_a_peer_that_was_started_again_begins_to_count_anew(one, two):
    one.states.learn(two.remote(), message(two.info(said=1_000)))
    Talking(SECOND, incarnation=2).say(one)
    assert one.states.of(two.identity, "mychannel") == Standing(5, {"cc": 2})


def test_who_has_left_the_channel_is_not_there_any_more(one, two):
    one.states.learn(two.remote(), message(two.info()))
    left = two.info(said=2, properties=Properties(left_channel=True))
    one.states.learn(two.remote(), message(left))
    assert one.states.of(two.identity, "mychannel") is None


def test_versions_that_are_no_sequences_are_left_out(one, two):
    told = {"old": "1.0", "huge": "9" * 5_000, "arabic": "\u0663", "cc": "12", "_lifecycle": "1"}
    chaincodes = [Chaincode(name=name, version=version) for name, version in told.items()]
    info = two.info(properties=Properties(ledger_height=1, chaincodes=chaincodes))
    one.states.learn(two.remote(), message(info))
    assert one.states.of(two.identity, "mychannel") == Standing(1, {"cc": 12})


# --- what is not believed -------------------------------------------------------------


def test_nobody_is_spoken_for_by_another(one, two):
    other = Talking(OTHER)
    one.states.learn(two.remote(), message(other.info()))
    one.states.learn(two.remote(), snapshot(other.signed(other.info())))
    assert one.states.of(other.identity, "mychannel") is None


def test_a_snapshots_elements_are_signed_by_whoever_they_are_of(one, two):
    forged = two.signed(two.info())
    forged.signature = b"forged"
    one.states.learn(two.remote(), snapshot(forged, Envelope(payload=b"\xff")))
    assert one.states.of(two.identity, "mychannel") is None
    one.states.learn(two.remote(), snapshot(forged, two.signed(two.info())))
    assert one.states.of(two.identity, "mychannel") == Standing(5, {})


def test_who_is_no_member_is_not_believed_to_be_on_the_channel(one):
    third = Talking(THIRD)
    one.states.learn(third.remote(), message(third.info()))
    assert one.states.of(third.identity, "mychannel") is None
